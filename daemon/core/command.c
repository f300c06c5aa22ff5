#include "core/machine.h"

#include <stdio.h>

void command_answer(struct machine *machine, enum command_outcome outcome, const char *text)
{
    machine->effects->outcome = outcome;
    snprintf(machine->effects->answer, sizeof(machine->effects->answer), "%s", text);
}

void command_refuse(struct machine *machine, const char *text)
{
    command_answer(machine, COMMAND_REFUSED, text);
    machine->effects->refused_until = TIME_NEVER;
}

/* The wait for a retry is cut short; what is due is looked at now. */
void command_go_on(struct machine *machine)
{
    /* An open intent is waited out, whoever is in a hurry. */
    if (machine->record->intent.open)
        return;
    machine->record->retry_at = 0;
    if (machine->record->position == POSITION_IDLE)
        idle_next(machine);
    else if (machine->record->position == POSITION_ADOPT_WAIT)
        enter_adopt_look(machine);
}

void command_rotate(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;
    struct interlock interlock;

    if (record->intent.open || record->delivering != record->active) {
        command_answer(machine, COMMAND_ACCEPTED, "a rotation is under way already");
        return;
    }
    rotation_interlock(machine->context, record, machine->now, &interlock);
    if (!interlock.open) {
        command_answer(machine, COMMAND_REFUSED, interlock.text);
        machine->effects->refused_until = interlock.until;
        return;
    }
    if (command->dry_run) {
        command_answer(
            machine, COMMAND_DONE,
            record->active == SLOT_PRIMARY
                ? "would look, regenerate the secondary key, prove it, deliver it to all targets"
                : "would look, regenerate the primary key, prove it, deliver it to all targets");
        return;
    }
    record->requested = true;
    record->trigger = TRIGGER_COMMAND;
    snprintf(record->actor, sizeof(record->actor), "%s", command->actor ? command->actor : "");
    command_answer(machine, COMMAND_ACCEPTED, "the rotation starts now");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "rotate";
    command_go_on(machine);
}

void command_redeliver(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;
    bool found = false;

    if (!record->adopted) {
        command_refuse(machine,
                       "the account is not adopted yet: no key is known to be "
                       "the active one");
        return;
    }
    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if (command->has_target && !target_id_equal(&target->id, &command->target))
            continue;
        target->acknowledged = false;
        target->retry_at = 0;
        found = true;
    }
    if (!found) {
        command_refuse(machine, "the account has no such target");
        return;
    }
    /* What waited for a human under on_drift: alert has had its human. */
    if (machine_repair_waits_for_human(machine->context, record))
        record->repairing = DRIFT_TARGET_CHANGED;
    command_answer(machine, COMMAND_ACCEPTED, "the key is delivered again now");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "redeliver";
    command_go_on(machine);
    if (record->position == POSITION_DELIVER_WAIT || record->position == POSITION_CONFIRM_WAIT)
        enter_deliver_look(machine);
}

void command_adopt(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;

    record->adopt_asked = true;
    record->adopt_slot = command->slot;
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "adopt";
    if (record->intent.open) {
        command_answer(
            machine, COMMAND_ACCEPTED,
            "a regenerate is under way: the account is adopted when its outcome is known");
        return;
    }
    record->retry_at = 0;
    command_answer(machine, COMMAND_ACCEPTED,
                   "adopting now: the key is delivered as soon as Azure has shown it");
    if (!position_awaits_completion(record->position) &&
        record->position != POSITION_DELIVER_INTENT)
        adopt_if_asked(machine);
}

/* --- holds --- */

static void tell_held(struct machine *machine, const struct hold *hold)
{
    struct effects *effects = machine->effects;
    struct note *note = machine_note(machine, NOTE_HELD);

    note->reason = REASON_OPERATOR;
    note->hold_id = hold->id;
    if (effects->told_count < HOLDS_TOLD_MAX)
        effects->told[effects->told_count++] = *hold;
}

static void release(struct machine *machine)
{
    struct record *record = machine->record;
    struct note *note = machine_note(machine, NOTE_RELEASED);

    note->hold_id = record->hold_id;
    note->detail = record->hold_until <= machine->now ? "its time is over" : "an operator ended it";
    /* A fleet that was held together is not to start together. */
    if (!record->requested)
        plan_caught_up(machine);
}

/*
 * The first step of the account that finds another hold in force than the step before. Of several
 * holds one is in force, the last to end: an older one that takes over has been told when it came.
 * What became durable is acted upon first; the account is released right after it.
 */
void follow_hold(struct machine *machine)
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
        tell_held(machine, hold);
    record->hold_id = id;
    record->hold_until = hold ? hold->until : 0;
}

/* Where it is in force it was told already. */
void on_held(struct machine *machine)
{
    const struct hold *hold = machine->event->hold;

    if (!machine->context->hold || hold->id == machine->record->hold_id ||
        !hold_is_on(hold, machine->now))
        return;
    tell_held(machine, hold);
}

/* --- unblock and check --- */

void command_look(struct machine *machine)
{
    struct record *record = machine->record;

    record->attempts = 0;
    record->check_at = machine->now;
    for (size_t i = 0; i < record->target_count; i++)
        record->targets[i].retry_at = 0;
    command_go_on(machine);
}

/* What evidence, or a slot that a person names, has to settle is no matter of consent. */
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

void command_unblock(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;
    const bool by_world = machine_blocked_by_world(record);

    (void)command;
    if (needs_slot(record)) {
        command_refuse(machine,
                       "only a person can say which key the consumers use: find it out, then run "
                       "`keyrotatectl adopt {account} --active primary` (or secondary)");
        return;
    }
    if (by_world && !record->another_rotator) {
        command_refuse(machine,
                       "what blocks it ends by itself when it is set right, see `keyrotatectl "
                       "status {account}`; `keyrotatectl check {account}` looks now");
        return;
    }
    if (record->blocked == REASON_NONE && !record->another_rotator) {
        command_answer(machine, COMMAND_DONE, "it is not blocked: there was nothing to clear");
        return;
    }
    record->foreign_change_at = 0;
    if (by_world) {
        record->another_rotator = false;
        machine_note(machine, NOTE_UNBLOCKED)->reason = REASON_ANOTHER_ROTATOR;
    } else {
        machine_forgive(machine);
    }
    command_answer(
        machine, COMMAND_DONE,
        by_world ? "the other rotator is taken to be gone; what else blocks it ends by itself when "
                   "it is set right: looking again now"
                 : "unblocked: looking again now");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "unblock";
    command_look(machine);
}

void command_check(struct machine *machine, const struct command *command)
{
    (void)command;
    command_answer(
        machine, COMMAND_ACCEPTED,
        machine->record->intent.open
            ? "a regenerate is under way: the look that settles its outcome is not hastened"
            : "looking now: `keyrotatectl status {account}` shows what came of it");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "check";
    command_look(machine);
}
