#include "core/machine.h"

#include <stdio.h>

static void answer(struct machine *machine, enum command_outcome outcome, const char *text)
{
    machine->effects->outcome = outcome;
    snprintf(machine->effects->answer, sizeof(machine->effects->answer), "%s", text);
}

/* The wait for a retry is cut short; what is due is looked at now. */
static void go_on_now(struct machine *machine)
{
    machine->effects->persist = true;
    /* An open intent is waited out, whoever is in a hurry. */
    if (machine->record->intent.open)
        return;
    machine->record->retry_at = 0;
    if (machine->record->position == POSITION_IDLE)
        idle_next(machine);
    else if (machine->record->position == POSITION_ADOPT_WAIT)
        enter_adopt_look(machine);
}

static void on_rotate(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;
    struct interlock interlock;

    if (record->intent.open || record->goal != record->active) {
        answer(machine, COMMAND_ACCEPTED, "a rotation is under way already");
        return;
    }
    rotation_interlock(machine->context, record, machine->now, &interlock);
    if (!interlock.open) {
        answer(machine, COMMAND_REFUSED, interlock.text);
        machine->effects->refused_until = interlock.until;
        return;
    }
    if (command->dry_run) {
        answer(machine, COMMAND_DONE,
               record->active == SLOT_PRIMARY
                   ? "would look, regenerate the secondary key, prove it, deliver it to all targets"
                   : "would look, regenerate the primary key, prove it, deliver it to all targets");
        return;
    }
    record->requested = true;
    record->trigger = TRIGGER_COMMAND;
    snprintf(record->actor, sizeof(record->actor), "%s", command->actor ? command->actor : "");
    answer(machine, COMMAND_ACCEPTED, "the rotation starts now");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "rotate";
    go_on_now(machine);
}

static void on_redeliver(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;
    bool found = false;

    if (!record->adopted) {
        answer(machine, COMMAND_REFUSED,
               "the account is not adopted yet: no key is known to be "
               "the active one");
        machine->effects->refused_until = TIME_NEVER;
        return;
    }
    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if (command->has_target &&
            memcmp(target->id.bytes, command->target.bytes, TARGET_ID_LENGTH) != 0)
            continue;
        target->acknowledged = false;
        target->retry_at = 0;
        found = true;
    }
    if (!found) {
        answer(machine, COMMAND_REFUSED, "the account has no such target");
        machine->effects->refused_until = TIME_NEVER;
        return;
    }
    /* What waited for a human under on_drift: alert has had its human. */
    if (machine_repair_waits_for_human(machine->context, record))
        record->repairing = DRIFT_TARGET_CHANGED;
    answer(machine, COMMAND_ACCEPTED, "the key is delivered again now");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "redeliver";
    go_on_now(machine);
    if (record->position == POSITION_DELIVER_WAIT || record->position == POSITION_CONFIRM_WAIT)
        enter_deliver_look(machine);
}

static void on_adopt(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;

    record->adopt_told = true;
    record->adopt_slot = command->slot;
    machine->effects->persist = true;
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "adopt";
    if (record->intent.open) {
        answer(machine, COMMAND_ACCEPTED,
               "a regenerate is under way: the account is adopted when its outcome is known");
        return;
    }
    record->retry_at = 0;
    answer(machine, COMMAND_ACCEPTED,
           "adopting now: the key is delivered as soon as Azure has shown it");
    if (!position_awaits_completion(record->position) && record->position != POSITION_OFFER)
        adopt_if_told(machine);
}

static void on_hold(struct machine *machine, const struct command *command)
{
    struct record *record = machine->record;

    record->held = true;
    record->held_until = command->until;
    snprintf(record->hold_reason, sizeof(record->hold_reason), "%s",
             command->reason ? command->reason : "");
    machine->effects->persist = true;
    machine_note(machine, NOTE_HELD)->reason = REASON_OPERATOR;
    answer(machine, COMMAND_DONE,
           record->goal != record->active
               ? "held: the delivery under way is finished, nothing new is started"
               : "held: nothing is regenerated");
}

void release_hold(struct machine *machine, const char *why)
{
    struct record *record = machine->record;

    if (!record->held)
        return;
    record->held = false;
    record->held_until = 0;
    record->hold_reason[0] = '\0';
    machine_note(machine, NOTE_RELEASED)->detail = why;
    /* A fleet that was held together is not to start together. */
    if (!record->requested)
        plan_caught_up(machine);
    machine->effects->persist = true;
}

static void on_resume(struct machine *machine)
{
    struct record *record = machine->record;

    release_hold(machine, "resumed by an operator");
    machine_note(machine, NOTE_OPERATOR_COMMAND)->detail = "resume";
    /* Of an account that is not adopted, evidence has to speak; but the other rotator is said to be
     * gone. */
    if (record->blocked == REASON_ANOTHER_ROTATOR ||
        (reason_describe(record->blocked)->clearing == CLEARED_BY_HUMAN && record->adopted)) {
        machine_forgive(machine);
        record->foreign_change_at = 0;
    }
    record->attempts = 0;
    record->check_at = machine->now;
    for (size_t i = 0; i < record->target_count; i++)
        record->targets[i].retry_at = 0;
    answer(machine, COMMAND_DONE, "resumed: looking again now");
    go_on_now(machine);
}

void on_command(struct machine *machine)
{
    const struct command *command = machine->event->command;

    switch (command->kind) {
    case COMMAND_ROTATE:
        on_rotate(machine, command);
        break;
    case COMMAND_REDELIVER:
        on_redeliver(machine, command);
        break;
    case COMMAND_ADOPT:
        on_adopt(machine, command);
        break;
    case COMMAND_HOLD:
        on_hold(machine, command);
        break;
    case COMMAND_RESUME:
        on_resume(machine);
        break;
    }
}
