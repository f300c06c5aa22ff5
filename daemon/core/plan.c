#include "core/steps.h"

#include "core/key_time.h"
#include "core/schedule.h"

/*
 * planned_at stands on the account's time line: one rotate_every after the other. due_at is when it
 * really starts: moved into a window and spread over the splay.
 */

/* The instant from which the time line of planned times counts; 0: nothing has been rotated yet. */
static time_ms counts_from(const struct record *record)
{
    /* Both keys are as young as if they had been rotated then. */
    return record->both_changed_at > record->completed_at &&
                   record->both_changed_at > record->adopted_at
               ? record->both_changed_at
               : record->completed_at;
}

/* The start of the planned rotation. The first one is spread already. */
static time_ms planned_start(const struct rotation_context *context, const struct record *record)
{
    if (counts_from(record) == 0 && schedule_is_open(context->policy, record->planned_at))
        return record->planned_at;
    return schedule_start(context->policy, context->account_id, record->planned_at);
}

/* The start of a rotation that is made up for. One that is later than today's windows and freezes
 * would have it was made by others. Where the planned time is still to come, the clock has been set
 * back, and nothing has to be made up for sooner. */
static time_ms made_up_start(const struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    const struct policy *policy = context->policy;
    const time_ms due_at = machine->record->due_at;

    if (!schedule_is_open(policy, due_at))
        return schedule_start(policy, context->account_id, due_at);
    if (machine->record->planned_at <= machine->now &&
        due_at > time_add(schedule_next_open(policy, machine->now), policy->splay))
        return schedule_catch_up(policy, context->account_id, machine->now, policy->splay);
    return due_at;
}

/*
 * Windows, the rules of their time zone, freezes and the splay may have changed since due_at was
 * computed. A future start follows them.
 */
static void follow_windows(struct machine *machine)
{
    struct record *record = machine->record;

    if (!machine->context->policy->rotate || record->due_at <= machine->now)
        return;
    record->due_at =
        record->catching_up ? made_up_start(machine) : planned_start(machine->context, record);
    plan_catch_up(machine);
}

void plan_make(struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    const struct policy *policy = context->policy;
    struct record *record = machine->record;
    const duration_ms wanted = policy->rotate ? policy->rotate_every : 0;
    const time_ms from = counts_from(record);

    if (!record->adopted)
        return;
    if (record->planned_with == wanted) {
        follow_windows(machine);
        return;
    }
    record->planned_with = wanted;
    record->catching_up = false;
    record->overdue_reported_at = 0;
    if (!policy->rotate) {
        record->planned_at = 0;
        record->due_at = 0;
        return;
    }
    if (from == 0)
        record->planned_at = schedule_first(policy, context->account_id, record->adopted_at,
                                            key_time_first_by(record, policy));
    else
        record->planned_at = schedule_next_planned(policy, from, from);
    record->due_at = planned_start(context, record);
    plan_catch_up(machine);
}

void plan_next(struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    struct record *record = machine->record;

    if (context->policy->rotate) {
        record->planned_with = context->policy->rotate_every;
        record->planned_at =
            schedule_next_planned(context->policy, record->planned_at, record->completed_at);
        record->due_at = schedule_start(context->policy, context->account_id, record->planned_at);
    }
    record->catching_up = false;
    record->window_missed_reported = false;
    record->overdue_reported_at = 0;
    record->requested = false;
}

void plan_from_now(struct machine *machine)
{
    machine->record->planned_with = 0;
    machine->record->window_missed_reported = false;
    machine->record->requested = false;
    plan_make(machine);
}

void plan_catch_up(struct machine *machine)
{
    struct record *record = machine->record;
    const struct policy *policy = machine->context->policy;
    duration_ms spread = policy->splay;

    if (record->due_at == 0 || record->due_at > machine->now)
        return;
    /* Spread like any other start: after a long outage the whole fleet is due at once, and nothing
     * may rotate merely because the daemon was started or a file was edited. A catch-up that was
     * missed, too, is delayed by no more than the time by which it was missed, so that repeated
     * starts cannot delay a rotation for ever. */
    if (record->catching_up && machine->now - record->due_at < spread)
        spread = machine->now - record->due_at;
    record->due_at = schedule_catch_up(policy, machine->context->account_id, machine->now, spread);
    record->catching_up = true;
}

time_ms plan_starts_at(const struct rotation_context *context, const struct record *record)
{
    const struct policy policy = schedule_without_freezes(context->policy);

    if (!record->adopted || !policy.rotate || record->planned_at == 0)
        return TIME_NEVER;
    return schedule_start(&policy, context->account_id, record->planned_at);
}

time_ms plan_starts_after(const struct rotation_context *context, const struct record *record,
                          time_ms until)
{
    if (until == TIME_NEVER || record->requested || schedule_is_open(context->policy, until))
        return until;
    return schedule_catch_up(context->policy, context->account_id, until, context->policy->splay);
}

time_ms plan_overdue_at(const struct rotation_context *context, const struct record *record)
{
    time_ms start = plan_starts_at(context, record);

    return start == TIME_NEVER ? start : time_add(start, context->policy->overdue_after);
}

bool plan_overdue_is_ahead(const struct rotation_context *context, const struct record *record,
                           time_ms now)
{
    return time_add(record->planned_at, context->policy->overdue_after) > now;
}

bool plan_is_overdue(const struct rotation_context *context, const struct record *record,
                     time_ms now)
{
    return !plan_overdue_is_ahead(context, record, now) && plan_overdue_at(context, record) <= now;
}

bool plan_is_due(const struct machine *machine)
{
    const struct record *record = machine->record;

    return record->requested || (record->due_at != 0 && record->due_at <= machine->now);
}

/* The window closed, or a freeze began, before the rotation could start: the next opening. A missed
 * window is reported once; freezes are in the state. Splayed, because the same cause may have
 * delayed the whole fleet. */
bool plan_require_window(struct machine *machine)
{
    struct record *record = machine->record;

    if (record->requested || schedule_is_open(machine->context->policy, machine->now))
        return true;
    record->due_at = schedule_catch_up(machine->context->policy, machine->context->account_id,
                                       machine->now, machine->context->policy->splay);
    if (!record->window_missed_reported &&
        !schedule_freeze(machine->context->policy, machine->now)) {
        record->window_missed_reported = true;
        machine_note(machine, NOTE_WINDOW_MISSED);
    }
    return false;
}
