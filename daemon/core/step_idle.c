#include "core/machine.h"

void enter_idle(struct machine *machine)
{
    machine_move(machine, POSITION_IDLE);
    idle_next(machine);
}

/* Deliveries that are owed, and allowed. */
static bool delivery_is_ready(const struct machine *machine)
{
    return !machine_delivery_waits_for_human(machine->context, machine->record) &&
           deliver_wake_at(machine->record) <= machine->now;
}

void idle_next(struct machine *machine)
{
    struct record *record = machine->record;
    struct interlock interlock;

    if (adopt_if_asked(machine))
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
    if (interlock.open && plan_window_is_open(machine))
        enter_preflight(machine);
}
