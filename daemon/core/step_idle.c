#include "core/steps.h"
#include "core/delivery.h"
#include "core/interlock.h"

/* Deliveries that are owed, and allowed. */
static bool delivery_is_ready(const struct machine *machine)
{
    return !delivery_waits_for_human(machine->context, machine->record) &&
           delivery_next_at(machine->context, machine->record) <= machine->now;
}

enum position idle_next(struct machine *machine)
{
    const struct record *record = machine->record;
    struct interlock interlock;

    if (machine_adopt_is_asked(machine))
        return POSITION_ADOPT_LOOK;
    if (record->retry_at > machine->now)
        return POSITION_STAY;
    if (delivery_is_ready(machine))
        return POSITION_DELIVER_LOOK;
    if (record->check_at <= machine->now || machine_blocked_by_world(record))
        return POSITION_CHECK_LOOK;
    if (!plan_is_due(machine))
        return POSITION_STAY;
    interlock_ask(machine->context, record, machine->now, &interlock);
    return interlock.open && plan_require_window(machine) ? POSITION_PREFLIGHT : POSITION_STAY;
}

/* When the next rotation can start, as far as is known now. */
static time_ms rotation_at(const struct rotation_context *context, const struct record *record,
                           time_ms now)
{
    struct interlock interlock;
    time_ms at = record->requested ? now : record->due_at;

    if (at == 0)
        return TIME_NEVER;
    interlock_ask(context, record, now, &interlock);
    return interlock.open ? at : time_max(at, interlock.until);
}

/* When something is due that is no delivery, without regard to a retry. */
static time_ms other_at(const struct machine *machine)
{
    const struct record *record = machine->record;

    if (machine_blocked_by_world(record) || record->adopt_asked)
        return machine->now;
    if (record->intent.open)
        return time_min(record->check_at, operation_due_at(record));
    return time_min(record->check_at, rotation_at(machine->context, record, machine->now));
}

time_ms idle_other_at(const struct machine *machine)
{
    return time_max(other_at(machine), machine->record->retry_at);
}

time_ms idle_wake_at(const struct machine *machine)
{
    const struct record *record = machine->record;
    time_ms at = other_at(machine);

    if (!delivery_waits_for_human(machine->context, record))
        at = time_min(at, delivery_next_at(machine->context, record));
    return time_max(at, record->retry_at);
}
