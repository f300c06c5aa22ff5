/*
 * Inside the rotation machine: what the files that implement core/rotation.h share.
 *
 * A `struct machine` is one step in the making. Functions named enter_… move to a position and say
 * what is to be done there; functions named on_… take the completion of what a position waits for.
 * Only machine_move() changes the position.
 */
#ifndef KEYROTATED_CORE_MACHINE_H
#define KEYROTATED_CORE_MACHINE_H

#include "core/judge.h"
#include "core/rotation.h"

struct machine {
    const struct rotation_context *context;
    struct record *record;
    const struct event *event;
    struct effects *effects;
    time_ms now;
};

/* A look, or a durable intent, is acted on only while it is so young: what stalled longer
 * (a full disk, a stopped process) looks again first. */
enum { FRESH_FOR_MS = 30 * 1000 };
/* A server's clock that is further off than this stops a rotation. */
enum { CLOCK_SKEW_MAX_MS = 5 * 60 * 1000 };
/* Blocked and overdue accounts are reported again after so long. */
enum { REPORT_AGAIN_MS = 24 * 60 * 60 * 1000 };

/* --- machine.c: moving, telling, failing --- */
void machine_move(struct machine *machine, enum position to);
void machine_fault(struct machine *machine, const char *what);
struct note *machine_note(struct machine *machine, enum note_kind kind);
/* A note about the key in a slot. */
struct note *machine_note_key(struct machine *machine, enum note_kind kind, enum slot slot);
struct note *machine_note_drift(struct machine *machine, enum note_kind kind,
                                enum drift_kind drift);
void machine_act(struct machine *machine, enum action_kind kind);

/* What failed is blocked or tried again later, as its reason says; sets retry_at. The event's
 * failure is reported. */
void machine_fail(struct machine *machine, const struct failure *failure);
/* The same for a retry that no failure describes. `not_before`: the earliest instant of the retry.
 * Returns the note, for more to be said. */
struct note *machine_trouble(struct machine *machine, enum reason reason, time_ms not_before,
                             const char *detail);
/* The journal took so long that the look behind an intent has grown old. True: look
 * again at once; false: it is not the first time in a row, so that retry_at has to be waited for.
 */
bool machine_trouble_stalled(struct machine *machine);
/* A look showed the past. */
void machine_trouble_late(struct machine *machine);
void machine_block(struct machine *machine, enum reason reason, const struct target_id *target,
                   const char *detail);
/* What was wrong is right again. */
void machine_recovered(struct machine *machine);
/* What blocked is right again; what another rotator does is not by that. */
void machine_unblock(struct machine *machine);
/* A person has seen to the other rotator. Unblocks, too. */
void machine_forgive(struct machine *machine);
bool machine_blocked_by_world(const struct record *record);
/* Under on_drift: alert, what somebody else's change of the active key broke is not repaired from
 * here until a person asks for it. */
bool machine_repair_waits_for_human(const struct rotation_context *context,
                                    const struct record *record);
/* Is no delivery to be made outside a rotation until a person has spoken? Under on_drift: alert,
 * and while required targets contradict each other. */
bool machine_delivery_waits_for_human(const struct rotation_context *context,
                                      const struct record *record);
duration_ms machine_backoff(const struct machine *machine, uint32_t attempt,
                            duration_ms server_asked);

/* A key was changed by nobody we know of. The second time within rotate_every it is another
 * rotator. */
void machine_foreign_change(struct machine *machine);
/* The journal's belief about a slot becomes what the look showed; the old key is known to be dead.
 * Returns whether it is another one. */
bool machine_take_key(struct machine *machine, enum slot slot, const struct fingerprint *key);
void machine_acknowledge(struct machine *machine, struct target_record *target);
void machine_void_acknowledgements(struct machine *machine);
/* Every readable target that was seen to hold the key under delivery has acknowledged it, unless an
 * earlier delivery to it may still land. */
void machine_acknowledge_seen(struct machine *machine, const struct look *look);
/* Asks for a look: with the description where an intent may follow it, and where nothing is in a
 * hurry; urgently where a repair waits for it. */
void machine_act_look(struct machine *machine);
/* Is the description there that a regenerate needs? Without it there is trouble, or a block: the
 * description's. */
bool machine_is_described(struct machine *machine);
/* A check has found the keys as they should be, but had no description: that is trouble, or a
 * block, long before the next rotation fails for it. The next check comes with the retry. */
void machine_note_undescribed(struct machine *machine);
/* A look succeeded; what is done because of it is done while it is fresh. */
void machine_looked(struct machine *machine);
/* Is the last look so young that it may be acted on? A clock that was set back makes it an old one.
 */
bool machine_look_is_fresh(const struct machine *machine);
/* A skewed clock is trouble: returns false then. */
bool machine_clock_agrees(struct machine *machine);
/* Did the look show what every required target holds that can be read? One that was missed is
 * trouble: somebody may have given it the key that would be regenerated. */
bool machine_look_is_whole(struct machine *machine);
/* A look came: what was wrong before is right again, unless it is late, or not whole. Returns
 * whether it is whole. */
bool machine_take_look(struct machine *machine);
/* A target was seen to hold something else than it was given: nothing is known of it any more, and
 * it is owed the key under delivery. At once, unless it has not kept an earlier delivery either. */
void machine_void_target(struct machine *machine, struct target_record *target);
/* With another rotator, we do not fight over a target: one that was given the standby's live key
 * over ours is left to whoever did it. */
bool machine_yields(const struct record *record, const struct target_record *target,
                    enum holding holding);

/* --- risk.c --- */
/* Takes note of the targets that hold a dead key, from a look that counts; `since`: when that was
 * seen first. */
void risk_note(struct machine *machine, const struct look *look, time_ms since);
/* The same where the live keys were shown, and no target. */
void risk_note_live(struct machine *machine, const struct fingerprint live[SLOT_COUNT]);
/* Tells that consumers are at risk now, or safe again. */
void risk_tell(struct machine *machine);

/* --- plan.c --- */
void plan_make(struct machine *machine);      /* after adoption or a change of the policy */
void plan_next(struct machine *machine);      /* after a completed rotation */
void plan_from_now(struct machine *machine);  /* both keys are new, and not by a rotation of ours */
void plan_caught_up(struct machine *machine); /* a due time that passed while we were off */
/* When the rotation that is planned should start, whatever has put it off since; or TIME_NEVER. */
time_ms plan_starts_at(const struct rotation_context *context, const struct record *record);
time_ms plan_overdue_at(const struct rotation_context *context, const struct record *record);
bool plan_is_due(const struct machine *machine);
/* May a rotation start now? If its window has closed it is planned for the next opening, and told
 * once. */
bool plan_window_is_open(struct machine *machine);

/* --- step_idle.c: what is next when nothing is under way --- */
void enter_idle(struct machine *machine);
void idle_next(struct machine *machine);

/* --- step_adopt.c --- */
void enter_adopt_look(struct machine *machine);
void on_adopt_look(struct machine *machine);
/* The journal does not fit the world: adopt anew from this look, or block as journal_behind. */
void adopt_anew(struct machine *machine, const struct look *look);
/* An operator's `adopt` is waiting and may be carried out: does so. */
bool adopt_if_asked(struct machine *machine);

/* --- step_check.c --- */
void enter_check_look(struct machine *machine);
void on_check_look(struct machine *machine);
void on_prove_target(struct machine *machine);
void on_prove_live(struct machine *machine);
/* Holds a look against the journal and acts on drift. True: it is as recorded, nothing was done. */
bool check_look(struct machine *machine, const struct look *look);

/* --- step_rotate.c --- */
void enter_preflight(struct machine *machine);
void on_preflight(struct machine *machine);
void on_rotate_look(struct machine *machine);
void on_intent_persisted(struct machine *machine);
void on_regenerated(struct machine *machine);
void enter_doubt_wait(struct machine *machine, time_ms not_before);
void enter_doubt_look(struct machine *machine);
void on_doubt_look(struct machine *machine);

/* --- step_verify.c --- */
void enter_verify(struct machine *machine);
void enter_verify_look(struct machine *machine);
void on_verify_look(struct machine *machine);
void on_verified(struct machine *machine);
/* The delivering slot was seen to hold another key. */
void delivering_key_changed(struct machine *machine, const struct look *look);

/* --- step_deliver.c --- */
/* Goes on with the next target that is owed the key under delivery, with the keys of a fresh look.
 */
void deliver_next(struct machine *machine);
void enter_deliver_look(struct machine *machine);
/* Leaves DELIVER_WAIT if it is time to: for another attempt, or because nothing is owed any more
 * (the target that was waited for is gone from the configuration, or optional now). */
void deliver_resume(struct machine *machine);
time_ms deliver_resume_at(const struct record *record);
/* When a delivery is tried again; sooner than that, a look may show more. */
time_ms deliver_retry_at(const struct record *record);
void on_deliver_look(struct machine *machine);
void on_deliver_intent_persisted(struct machine *machine);
void on_delivered(struct machine *machine);
/* When a delivery can be tried next; TIME_NEVER: none is owed. */
time_ms deliver_wake_at(const struct record *record);

/* --- command_table.c --- */
void on_command(struct machine *machine);

/* --- commands, each where it is carried out, and what they share (command.c) --- */
#define MACHINE(NAME, name) void command_##name(struct machine *, const struct command *);
#define HOLDS(NAME, name)
#define DAEMON(NAME, name)
#define ROW(NAME, name, CARRIER, ...) CARRIER(NAME, name)
COMMAND_LIST(ROW)
#undef ROW
#undef DAEMON
#undef HOLDS
#undef MACHINE
void command_answer(struct machine *machine, enum command_outcome outcome, const char *text);
/* Answers that it is refused until something else changes. */
void command_refuse(struct machine *machine, const char *text);
/* The wait for a retry is cut short; what is due is looked at now. */
void command_go_on(struct machine *machine);
/* The same with a new count of attempts, a check that is due, and no wait for any target. */
void command_look(struct machine *machine);

/* --- command.c: holds --- */
void on_held(struct machine *machine);
/* Before anything else in a step: tells when the account begins to be held, and when its last hold
 * has ended. */
void follow_hold(struct machine *machine);

#endif
