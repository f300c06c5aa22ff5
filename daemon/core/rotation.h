/*
 * The rotation machine: handles one event of one account.
 *
 * rotation_step() is a pure function of the record, the policy and an event that carries the time.
 * It changes the record and returns the effects; it carries out nothing itself. The caller
 *
 *   1. makes the record durable when `persist` is set. Where `wait` is set, too, this comes first;
 *      events queue meanwhile, and EVENT_PERSISTED is the next one;
 *   2. answers the command, reports the notes, and carries out `action`, whose completion comes
 *      back as the matching event, once;
 *   3. sets one timer for `wake_at` and hands in EVENT_WAKE when it is reached.
 *
 * Records become durable in the order of the steps; of those that nobody waits for, the last one is
 * enough.
 *
 * At most one action is under way per account. Whatever the order of events, crashes and commands,
 * the rules that are listed in README.md ("Why it is safe") hold; rotation_check() states them as
 * code.
 */
#ifndef KEYROTATED_CORE_ROTATION_H
#define KEYROTATED_CORE_ROTATION_H

#include "core/event.h"
#include "core/interlock.h"

void rotation_step(const struct rotation_context *context, struct record *record,
                   const struct event *event, struct effects *effects);

/* What EVENT_CLOCK_JUMPED does to the instants from which waits are counted, for the record of an
 * account that is not configured while the wall clock is set by `jump`; `now` is after it. */
void rotation_shift_times(struct record *record, duration_ms jump, time_ms now);

/* Every rule that can be stated about a record alone. NULL, or what is broken. */
const char *rotation_check(const struct rotation_context *context, const struct record *record);

/* What people see. */
struct rotation_view {
    enum account_state state;
    enum reason reason;
    bool overdue;
    bool consumers_at_risk;
    time_ms since;              /* of the reason */
    time_ms next_at;            /* the next rotation; TIME_NEVER: none is planned */
    const char *waits;          /* for what, where it does not simply wait for its time; or NULL */
    bool stuck;                 /* the end of the wait is unknown, so next_at is no promise */
    time_ms retry_at;           /* TIME_NEVER: nothing is being retried */
    time_ms regenerating_since; /* Azure may be carrying out a regenerate, of that intent;
                                 * TIME_NEVER: it is not */
    time_ms regenerating_until; /* when that must have ended, as far as is known */
    time_ms changes_at;         /* when time alone may make it another one; TIME_NEVER: never */
};

void rotation_view(const struct rotation_context *context, const struct record *record, time_ms now,
                   struct rotation_view *view);
/* The instant at which the next rotation should have started; TIME_NEVER: it is not due. */
time_ms rotation_due_since(const struct rotation_context *context, const struct record *record,
                           time_ms now);

#endif
