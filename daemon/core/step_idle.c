#include "core/machine.h"
#include "core/schedule.h"

void enter_idle(struct machine *machine)
{
    machine_move(machine, POSITION_IDLE);
    idle_next(machine);
}

/* Deliveries that are owed, and allowed: under on_drift: alert a person decides about the repair.
 */
static bool delivery_is_ready(const struct machine *machine)
{
    return !machine_repair_waits_for_human(machine->context, machine->record) &&
           deliver_wake_at(machine->record, true) <= machine->now;
}

/* The window closed before the rotation could start: the next opening, told once. Splayed, for what
 * kept this account from starting may have kept the whole fleet. */
static bool window_is_open(struct machine *machine)
{
    struct record *record = machine->record;

    if (record->requested || schedule_is_open(machine->context->policy, machine->now))
        return true;
    record->due_at =
        schedule_catch_up(machine->context->policy, machine->context->account_id, machine->now);
    machine->effects->persist = true;
    if (!record->window_missed_reported) {
        record->window_missed_reported = true;
        machine_note(machine, NOTE_WINDOW_MISSED);
    }
    return false;
}

void idle_next(struct machine *machine)
{
    struct record *record = machine->record;
    struct interlock interlock;

    if (adopt_if_told(machine))
        return;
    if (record->retry_at > machine->now)
        return;
    if (delivery_is_ready(machine)) {
        enter_deliver_look(machine);
        return;
    }
    if (record->check_at <= machine->now || machine_blocked_by_world(record)) {
        enter_check_look(machine);
        return;
    }
    if (!plan_is_due(machine))
        return;
    rotation_interlock(machine->context, record, machine->now, &interlock);
    if (interlock.open && window_is_open(machine))
        enter_preflight(machine);
}
