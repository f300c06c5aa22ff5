/*
 * What the files of the rotation machine do for each other. Private to core/.
 */
#ifndef KEYROTATED_CORE_STEPS_H
#define KEYROTATED_CORE_STEPS_H

#include "core/judge.h"
#include "core/machine.h"

/*
 * --- flow.c ---
 *
 * The flow table, with a row for each position: its successors, the event that it awaits, and the
 * position after a restart. core/position.h answers from it, too.
 */

/* Moves the account to the position, and onwards until it has to wait. POSITION_STAY: does
 * nothing. */
void flow_go(struct machine *machine, enum position to);
/* Takes the event that the position awaits; another completion is a fault. Returns where it leads.
 */
enum position flow_take(struct machine *machine);
/* Where the account goes at a start, a command or a new configuration, if it awaits a time that has
 * come. */
enum position flow_prompt(struct machine *machine);
/* The completion is unusable: starts the position's action once more. */
enum position flow_repeat(struct machine *machine);
/* When the account must leave the position; TIME_NEVER: only an event moves it. */
time_ms flow_wake_at(const struct machine *machine);

/*
 * --- step_*.c ---
 *
 * The steps: what the rows of the flow table (flow.c) do when their position is entered, when what
 * it awaits has come, and when its timer is due. They return where the account goes next.
 */

enum position adopt_look_done(struct machine *machine);
time_ms adopt_wake_at(const struct machine *machine);

/* What is next when nothing is under way. */
enum position idle_next(struct machine *machine);
time_ms idle_wake_at(const struct machine *machine);
/* When something else than a delivery is due. */
time_ms idle_other_at(const struct machine *machine);

enum position check_look_done(struct machine *machine);
enum position check_enter_prove_target(struct machine *machine);
enum position check_target_proved(struct machine *machine);
enum position check_enter_prove_live(struct machine *machine);
enum position check_live_proved(struct machine *machine);

enum position rotate_enter_preflight(struct machine *machine);
enum position rotate_look_done(struct machine *machine);
enum position rotate_intent_durable(struct machine *machine);
enum position rotate_enter_regenerate(struct machine *machine);
enum position rotate_regenerated(struct machine *machine);
enum position rotate_doubt_look_done(struct machine *machine);

/* --- of a regenerate that may go on: step_operation.c --- */
/* The longest time that it takes. */
duration_ms operation_takes(const struct rotation_context *context);
/* Its outcome is not known: begins to wait out the longest time that it may take. */
void operation_doubt(struct machine *machine);
/* It has ended. `shows`: it may have had an effect that lists show later. */
void operation_ended(struct machine *machine, bool shows);
/* The longest that its outcome can be in doubt from now on: an instant further off was written by a
 * clock that has been set back since. */
duration_ms operation_doubt_longest(const struct machine *machine);
/* Does the open intent need more than a look after unknown_wait? */
bool operation_is_awaited(const struct machine *machine);
/* Would it prove that there was no change if the look at hand shows none? A look that began before
 * may have been shown what was true then. */
bool operation_is_settled(const struct machine *machine);
/* It has ended, and a list does not show it yet. */
enum position operation_look_again(struct machine *machine);
/* Azure goes on with it after its answer. */
enum position operation_accepted(struct machine *machine);
enum position operation_enter_poll(struct machine *machine);
enum position operation_polled(struct machine *machine);
/* What is next while it may go on. */
enum position operation_next(struct machine *machine);
time_ms operation_wake_at(const struct machine *machine);
/* When it is asked about, or looked for, next. */
time_ms operation_due_at(const struct record *record);
/* POLL_WAIT while an intent is open. */
enum position operation_or_idle(struct machine *machine);
/* POLL_WAIT instead of DOUBT_WAIT where other work goes on meanwhile. */
enum position operation_or_doubt(struct machine *machine);
/* A restart with an open intent. */
void operation_resume(struct machine *machine);

/* VERIFY, or DELIVER_INTENT where no proof is needed. */
enum position verify_gate(struct machine *machine);
enum position verify_enter(struct machine *machine);
enum position verify_look_done(struct machine *machine);
enum position verify_done(struct machine *machine);

/* Goes on with the next target that is owed the key, with the keys of a fresh look; or with what
 * comes after the last one. */
enum position deliver_gate(struct machine *machine);
/* DELIVER_WAIT, or IDLE where only optional targets are owed: they keep nothing else waiting. */
enum position deliver_wait_gate(struct machine *machine);
enum position deliver_enter(struct machine *machine);
enum position deliver_look_done(struct machine *machine);
enum position deliver_intent_durable(struct machine *machine);
enum position deliver_done(struct machine *machine);
/* Leaves DELIVER_WAIT if it is time to: for another attempt, or because nothing is owed any more
 * (the target that was waited for is gone from the configuration, or optional now). */
enum position deliver_resume(struct machine *machine);
time_ms deliver_resume_at(const struct machine *machine);
/* When that delivery is to be given up: what waits for its end needs it no more, or has waited for
 * long enough. `ret_why`: a sentence, for its failure. */
time_ms deliver_give_up_at(const struct machine *machine,
                           const struct delivery_under_way *under_way, const char **ret_why);

/*
 * --- restart.c ---
 *
 * Adapts a record to outside changes: a start, a reload, a jump of the clock.
 */

/* Sets the record's targets to those of the configuration, in its order; keeps the state of those
 * that remain. */
void restart_merge_targets(struct machine *machine);
/* The record was read from the journal, or is new: goes on where a crash left off. */
enum position restart_start(struct machine *machine);
/* Targets, policy or hints may be new. */
enum position restart_configure(struct machine *machine);
/* Waits keep their true length across a step of the wall clock. */
void restart_jump_clock(struct machine *machine);

/*
 * --- command.c ---
 *
 * Commands and holds of operators.
 */

/* EVENT_COMMAND (command_table.c). */
enum position command_follow(struct machine *machine);

/* --- functions that carry out commands, and their common parts --- */
#define MACHINE(NAME, name) enum position command_##name(struct machine *, const struct command *);
#define HOLDS(NAME, name)
#define DAEMON(NAME, name)
#define ROW(NAME, name, CARRIER, ...) CARRIER(NAME, name)
COMMAND_LIST(ROW)
#undef ROW
#undef DAEMON
#undef HOLDS
#undef MACHINE
/* Returns POSITION_STAY. */
enum position command_answer(struct machine *machine, enum command_outcome outcome,
                             const char *text);
/* Answers that the command is refused until something else changes. Returns POSITION_STAY. */
enum position command_refuse(struct machine *machine, const char *text);
/* Ends the wait for a retry, so that due work starts now. */
enum position command_go_on(struct machine *machine);
/* The same, with the count of attempts reset, a check due, and no wait for any target. */
enum position command_look(struct machine *machine);

/* EVENT_HELD. */
void command_note_hold(struct machine *machine);
/* Runs first in each step: reports the first hold of the account, and the end of its last one. */
void command_follow_hold(struct machine *machine);

/*
 * --- adoption.c ---
 *
 * Adoption: finds out from a look which slot's key is in use.
 */

/* Adopts, or blocks for want of evidence. `again`: the account was adopted before. What a person
 * has to clear is not cleared by a look that nobody asked for: see adoption_ask(). */
enum position adoption_decide(struct machine *machine, const struct look *look,
                              const struct adoption_hint *hint, bool again);
/* The next look decides about the adoption: a start, a command or a configuration may have settled
 * what blocks it. */
void adoption_ask(struct record *record);
/* The journal contradicts the look: adopts anew from this look, or blocks as journal_behind. */
enum position adoption_decide_anew(struct machine *machine, const struct look *look);

/*
 * --- drift.c ---
 *
 * Drift: the reaction to a look that differs from the journal. Such a look may show an earlier
 * state, so it counts only when a second one, unknown_wait later, shows the same, or later where
 * lists may lag behind for longer. It counts at once
 * when the data plane refuses the key in a target and accepts the key of the look, because
 * consumers are failing then.
 */

/* Compares a look with the journal and acts on drift. POSITION_STAY: both agree, and nothing was
 * done. */
enum position drift_follow(struct machine *machine, const struct look *look);
/* The look contradicts the journal while a regenerate may go on. */
enum position drift_leave_to_doubt(struct machine *machine);
/* The first required target whose keys are all dead; or NULL. */
const struct sighting *drift_dead_sighting(const struct record *record, const struct look *look);
/* The key of a slot was changed by somebody else while a rotation was under way. */
void drift_take_change(struct machine *machine, enum slot slot, const struct fingerprint *key);
/* The delivering slot was seen to hold another key: it is proven and delivered from the start. */
void drift_restart_delivery(struct machine *machine, const struct look *look);

/*
 * --- risk.c ---
 *
 * Targets that hold a dead key.
 */

/* Takes note of the targets that hold a dead key, from a look that counts; `since`: when that was
 * seen first. */
void risk_note(struct machine *machine, const struct look *look, time_ms since);
/* The same where the live keys were shown, and no target. */
void risk_note_live(struct machine *machine, const struct fingerprint live[SLOT_COUNT]);
/* Reports that consumers are at risk now, or safe again. */
void risk_report(struct machine *machine);

/*
 * --- plan.c ---
 *
 * The plan of an account: when its next rotation starts.
 */

void plan_make(struct machine *machine);     /* after adoption or a change of the policy */
void plan_next(struct machine *machine);     /* after a completed rotation */
void plan_from_now(struct machine *machine); /* both keys are new, and not by a rotation of ours */
void plan_catch_up(struct machine *machine); /* a due time that passed while we were off */
/* When the planned rotation should start, regardless of later delays and of freezes; or TIME_NEVER.
 */
time_ms plan_starts_at(const struct rotation_context *context, const struct record *record);
/* When a rotation can start that must wait until `until`. If no window is open then, or in a
 * freeze, the start that plan_require_window() will plan. TIME_NEVER stays. */
time_ms plan_starts_after(const struct rotation_context *context, const struct record *record,
                          time_ms until);
time_ms plan_overdue_at(const struct rotation_context *context, const struct record *record);
/* Is plan_overdue_at() certain to lie after `now`? A start lies at its planned time or later; when
 * exactly is costly to work out: hash, zone, windows. */
bool plan_overdue_is_ahead(const struct rotation_context *context, const struct record *record,
                           time_ms now);
bool plan_is_overdue(const struct rotation_context *context, const struct record *record,
                     time_ms now);
bool plan_is_due(const struct machine *machine);
/* A rotation may start now. If its window has closed, or a freeze has begun, it is planned for the
 * next opening and this returns false; a missed window is reported once. */
bool plan_require_window(struct machine *machine);

#endif
