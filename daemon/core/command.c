#include "core/steps.h"

#include <stdio.h>

#include "base/date.h"
#include "core/delivery.h"
#include "core/interlock.h"

/* Does nothing else happen to the account until the outcome of a regenerate is known? */
static bool waits_for_outcome(const struct record *record)
{
    switch (record->position) {
    case POSITION_INTENT:
    case POSITION_REGENERATE:
    case POSITION_DOUBT_WAIT:
    case POSITION_DOUBT_LOOK:
        return true;
    default:
        return false;
    }
}

enum position command_answer(struct machine *machine, enum command_outcome outcome,
                             const char *text)
{
    machine->effects->outcome = outcome;
    snprintf(machine->effects->answer, sizeof(machine->effects->answer), "%s", text);
    return POSITION_STAY;
}

enum position command_refuse(struct machine *machine, const char *text)
{
    machine->effects->refused_until = TIME_NEVER;
    return command_answer(machine, COMMAND_REFUSED, text);
}

/* An open intent is always waited out; what it does not rule out goes on. */
enum position command_go_on(struct machine *machine)
{
    if (waits_for_outcome(machine->record))
        return POSITION_STAY;
    machine->record->retry_at = 0;
    return flow_prompt(machine);
}

/* A fleet that waited together, for the end of a hold or to be confirmed, starts spread out. */
static void start_spread_out(struct machine *machine)
{
    const struct record *record = machine->record;

    if (!record->requested)
        plan_catch_up(machine);
}

/* The other pair ends by itself, and usually long before the time that it may take. */
static enum position refuse_for_pair(struct machine *machine, const char *text)
{
    const time_ms about = machine->context->pair_busy_about;
    char whole[sizeof(machine->effects->answer)];

    machine->effects->refused_until = about > machine->now ? about : TIME_NEVER;
    snprintf(whole, sizeof(whole),
             "%s; `keyrotatectl status {account}` shows when that has ended, then run "
             "`keyrotatectl rotate {account}` again",
             text);
    return command_answer(machine, COMMAND_REFUSED, whole);
}

/* Names the obstacle, and the command that shows its remedy. */
static enum position refuse_rotation(struct machine *machine, const struct interlock *interlock)
{
    const struct record *record = machine->record;
    const struct hold *hold = machine->context->hold;
    char text[sizeof(machine->effects->answer)];

    if (interlock->for_pair)
        return refuse_for_pair(machine, interlock->text);
    if (record->blocked != REASON_NONE)
        snprintf(text, sizeof(text), "%s (%s); `keyrotatectl status {account}` says what to do",
                 interlock->text, reason_describe(record->blocked)->name);
    else if (interlock->reason == REASON_OPERATOR)
        snprintf(text, sizeof(text), "%s by hold %llu: %s", interlock->text,
                 (unsigned long long)hold->id,
                 hold->reason[0] ? hold->reason : "no reason was given");
    else
        snprintf(text, sizeof(text), "%s", interlock->text);
    return command_answer(machine, COMMAND_REFUSED, text);
}

/* The sentence, and what Azure may be carrying out meanwhile. */
static enum position answer_under_way(struct machine *machine, const char *text)
{
    const struct intent *intent = &machine->record->intent;
    char since[DATE_TEXT_MAX], until[DATE_TEXT_MAX];
    char whole[sizeof(machine->effects->answer)];

    if (!intent->open || intent->ended || intent->settles_at <= machine->now)
        return command_answer(machine, COMMAND_ACCEPTED, text);
    snprintf(whole, sizeof(whole),
             "%s: Azure has been asked for the %s key at %s, and may take until %s", text,
             slot_name(intent->slot), date_to_rfc3339(intent->written_at, since),
             date_to_rfc3339(intent->settles_at, until));
    return command_answer(machine, COMMAND_ACCEPTED, whole);
}

enum position command_rotate(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;
    struct interlock interlock;

    if (record->intent.open || record->delivering != record->active)
        return answer_under_way(machine, "a rotation is under way already");
    interlock_ask(machine->context, record, machine->now, &interlock);
    if (!interlock.open) {
        machine->effects->refused_until = interlock.until;
        return refuse_rotation(machine, &interlock);
    }
    if (command->dry_run)
        return command_answer(
            machine, COMMAND_DONE,
            record->active == SLOT_PRIMARY
                ? "would look, regenerate the secondary key, verify it, deliver it to all targets"
                : "would look, regenerate the primary key, verify it, deliver it to all targets");
    record->requested = true;
    record->trigger = TRIGGER_COMMAND;
    snprintf(record->actor, sizeof(record->actor), "%s", command->actor ? command->actor : "");
    command_answer(machine, COMMAND_ACCEPTED, "the rotation starts now");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "rotate";
    return command_go_on(machine);
}

static bool is_meant(const struct command *command, const struct target_id *id)
{
    for (size_t i = 0; i < command->target_count; i++)
        if (target_id_equal(id, &command->targets[i]))
            return true;
    return command->target_count == 0;
}

enum position command_redeliver(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;
    enum position next;
    bool found = false;

    if (!record->adopted)
        return command_refuse(machine,
                              "the account is not adopted yet: no key is known to be "
                              "the active one");
    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if (!is_meant(command, &target->id))
            continue;
        target->acknowledged = false;
        target->retry_at = 0;
        found = true;
    }
    if (!found)
        return command_refuse(machine, "the account has no such target");
    /* A person has asked for the repair, so it waits no longer. */
    if (delivery_repair_waits_for_human(machine->context, record))
        record->repairing = DRIFT_TARGET_CHANGED;
    command_answer(machine, COMMAND_ACCEPTED,
                   waits_for_outcome(record)
                       ? "a regenerate is under way: the key is delivered when its outcome is known"
                       : "delivering now: `keyrotatectl status {account}` shows the result");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "redeliver";
    next = command_go_on(machine);
    if (record->position == POSITION_DELIVER_WAIT || record->position == POSITION_CONFIRM_WAIT)
        return POSITION_DELIVER_LOOK;
    return next;
}

enum position command_adopt(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;

    record->adopt_asked = true;
    record->adopt_slot = command->slot;
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "adopt";
    if (record->intent.open)
        return answer_under_way(
            machine, "a regenerate is under way: the account is adopted when its outcome is known");
    record->retry_at = 0;
    command_answer(machine, COMMAND_ACCEPTED,
                   "adopting now: the key is delivered as soon as Azure has listed it");
    return position_awaits_time(record->position) ? POSITION_ADOPT_LOOK : POSITION_STAY;
}

/* --- holds --- */

static void report_held(struct machine *machine, const struct hold *hold)
{
    struct effects *effects = machine->effects;
    struct note *note = machine_note(machine, NOTE_HELD);

    note->reason = REASON_OPERATOR;
    note->hold_id = hold->id;
    if (effects->held_count < HOLDS_REPORTED_MAX)
        effects->held[effects->held_count++] = *hold;
}

static void release(struct machine *machine)
{
    struct record *record = machine->record;
    struct note *note = machine_note(machine, NOTE_RELEASED);

    note->hold_id = record->hold_id;
    note->detail =
        record->hold_until <= machine->now ? "the hold has expired" : "an operator ended the hold";
    start_spread_out(machine);
}

/*
 * Runs in the first step that finds another hold in force than the step before. Of several holds
 * the last to end is in force; an older one that takes over was reported when it came. What became
 * durable is acted upon first; the account is released right after it.
 */
void command_follow_hold(struct machine *machine)
{
    const struct hold *hold = machine->context->hold;
    struct record *record = machine->record;
    const enum event_kind kind = machine->event->kind;
    const uint64_t id = hold ? hold->id : 0;

    if (id == record->hold_id || kind == EVENT_PERSISTED)
        return;
    if (!hold)
        release(machine);
    else if (id > record->hold_id && kind != EVENT_HOLD_ENDED)
        report_held(machine, hold);
    record->hold_id = id;
    record->hold_until = hold ? hold->until : 0;
}

/* A hold that is in force has been reported already. */
void command_note_hold(struct machine *machine)
{
    const struct hold *hold = machine->event->hold;

    if (!machine->context->hold || hold->id == machine->record->hold_id ||
        !hold_is_on(hold, machine->now))
        return;
    report_held(machine, hold);
}

/* --- unblock and check --- */

enum position command_look(struct machine *machine)
{
    struct record *record = machine->record;

    record->attempts = 0;
    record->check_at = machine->now;
    if (!record->adopted)
        adoption_ask(record);
    for (size_t i = 0; i < record->target_count; i++)
        record->targets[i].retry_at = 0;
    return command_go_on(machine);
}

/* Only a look, or a person who names the slot, can settle the block; `unblock` cannot. */
static bool needs_slot(const struct record *record)
{
    switch (record->blocked) {
    case REASON_ANOTHER_ROTATOR:
        return false;
    case REASON_TARGETS_DISAGREE:
        return !record->adopted;
    default:
        return reason_describe(record->blocked)->clearing == CLEARED_BY_HUMAN;
    }
}

enum position command_unblock(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;
    const bool by_world = machine_blocked_by_world(record);

    (void)command;
    if (needs_slot(record))
        return command_refuse(
            machine,
            "only a person can say which key the consumers use: find it out, then run "
            "`keyrotatectl adopt {account} --active primary` (or secondary)");
    if (by_world && !record->another_rotator)
        return command_refuse(
            machine,
            "the block ends automatically when its cause is corrected, see `keyrotatectl "
            "status {account}`; `keyrotatectl check {account}` looks now");
    if (delivery_repair_waits_for_human(machine->context, record) && record->blocked == REASON_NONE)
        return command_refuse(machine,
                              "it waits for `keyrotatectl redeliver {account}`, which "
                              "delivers the live key");
    if (record->blocked == REASON_NONE && !record->another_rotator)
        return command_answer(machine, COMMAND_DONE,
                              "it is not blocked: there was nothing to clear");
    record->foreign_change_at = 0;
    if (by_world) {
        record_clear_another_rotator(record);
        machine_note(machine, NOTE_UNBLOCKED)->reason = REASON_ANOTHER_ROTATOR;
    } else {
        machine_clear_another_rotator(machine);
    }
    command_answer(machine, COMMAND_DONE,
                   by_world ? "the other rotator counts as gone; the account stays blocked until "
                              "its other problem is corrected: looking again now"
                            : "unblocked: looking again now");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "unblock";
    return command_look(machine);
}

enum position command_confirm(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;

    (void)command;
    if (!record->adopted)
        return command_refuse(machine,
                              "the account is not adopted yet: there is no active key to "
                              "be confirmed");
    if (!record->presumed)
        return command_answer(machine, COMMAND_DONE,
                              "nothing waits to be confirmed: the account's active key is not that "
                              "of a rule");
    machine_confirm(machine);
    start_spread_out(machine);
    command_answer(machine, COMMAND_DONE,
                   record->active == SLOT_PRIMARY
                       ? "confirmed: its consumers use the primary key, and rotations may begin"
                       : "confirmed: its consumers use the secondary key, and rotations may begin");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "confirm";
    return command_go_on(machine);
}

enum position command_check(struct machine *machine, const struct command *command)
{
    (void)command;
    command_answer(machine, COMMAND_ACCEPTED,
                   waits_for_outcome(machine->record)
                       ? "a regenerate is under way: the next look comes when it has ended"
                       : "looking now: `keyrotatectl status {account}` shows the result");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "check";
    return command_look(machine);
}
