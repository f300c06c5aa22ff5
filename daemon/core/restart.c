#include "core/steps.h"

#include "core/record_table.h"
#include "core/rotation.h"
#include "core/schedule.h"

/* The latest that an instant can be, by a clock that is right. */
static time_ms latest(const struct machine *machine, enum member_clock clock)
{
    const struct timing *timing = machine->context->timing;

    switch (clock) {
    case CLOCK_PAST:
    case CLOCK_WAIT_FROM:
        return machine->now;
    case CLOCK_UNTIL_CHECK:
        return time_add(machine->now, machine->context->policy->check_every);
    case CLOCK_UNTIL_DAY:
        return time_add(machine->now, MS_DAY);
    case CLOCK_UNTIL_RETRY:
        return time_add(machine->now, time_max(MS_DAY, timing->retry_max));
    case CLOCK_UNTIL_SETTLED:
        return time_add(machine->now, timing->unknown_wait);
    case CLOCK_UNTIL_OPERATION:
        return time_add(machine->now, operation_doubt_longest(machine));
    case CLOCK_STAYS:
        break;
    }
    return TIME_NEVER;
}

static void clamp_times(const struct machine *machine, const struct record_table *table, void *row)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct record_member *member = &table->members[i];

        if (member->clock != CLOCK_STAYS)
            member_set_number(member, row,
                              time_min(member_number(member, row), latest(machine, member->clock)));
    }
}

/*
 * A clock that was set back while we were off leaves instants of the future behind. Waits that
 * began "later than now" begin now: an overlap keeps at least its length, and nothing waits for a
 * year. While we run, restart_jump_clock() moves the instants instead; doing both would count the
 * step twice.
 */
static void heal_future_times(struct machine *machine)
{
    struct record *record = machine->record;
    const struct rotation_context *context = machine->context;
    const duration_ms every = context->policy->rotate_every;
    /* A plan further off than this cannot have been made by this clock: see
     * schedule_next_planned(). */
    const time_ms latest_plan =
        time_add(schedule_next_open(context->policy, time_add(machine->now, every + every / 4)),
                 context->policy->splay);

    clamp_times(machine, &record_table, record);
    for (size_t i = 0; i < record->target_count; i++)
        clamp_times(machine, &record_target_table, &record->targets[i]);
    if (record->planned_at > latest_plan || record->due_at > latest_plan) {
        record->planned_with = 0;
        plan_make(machine);
    }
}

/* Does the record have the targets of the configuration, in its order? */
static bool targets_are_configured(const struct rotation_context *context,
                                   const struct record *record)
{
    if (record->target_count != context->target_count)
        return false;
    for (size_t i = 0; i < record->target_count; i++)
        if (!target_id_equal(&record->targets[i].id, &context->targets[i].id) ||
            record->targets[i].required != context->targets[i].required)
            return false;
    return true;
}

void restart_merge_targets(struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    struct record *record = machine->record;
    struct record before;

    if (targets_are_configured(context, record))
        return;
    before = *record;
    record->target_count = 0;
    for (size_t i = 0; i < context->target_count && i < TARGETS_MAX; i++) {
        const struct target_record *known = record_target_const(&before, &context->targets[i].id);
        struct target_record *target = &record->targets[record->target_count++];

        *target = known ? *known : (struct target_record){.id = context->targets[i].id};
        /* It may have been a target shortly before, with a delivery in flight. */
        if (!known && record->adopted && !context->targets[i].settles_at_once)
            target->unsettled_until = time_add(machine->now, context->timing->unknown_wait);
        /* Its readers count from now on, and may have been notified later than the others. */
        if (known && context->targets[i].required && !known->required && known->acknowledged)
            record_begin_overlap(record, known->acknowledged_at);
        target->required = context->targets[i].required;
    }
    for (size_t i = record->target_count; i < TARGETS_MAX; i++)
        record->targets[i] = (struct target_record){0};
    /* The targets that contradicted each other may be gone: the next look shows it. */
    if (record->adopted && record->blocked == REASON_TARGETS_DISAGREE) {
        machine_unblock(machine);
        record->check_at = machine->now;
    }
}

/* A delivery was under way when the daemon stopped. A delivery that the end of the process did not
 * settle may still land. */
static void settle_intended_deliveries(struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    struct record *record = machine->record;

    if (!position_may_be_delivering(record->position))
        return;
    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if (!target->delivery_intended)
            continue;
        target->unsettled_until = machine->now;
        if (!context->targets[i].settles_at_once)
            target->unsettled_until = time_add(machine->now, context->timing->unknown_wait);
    }
}

/* Somebody else is meant to rotate this account. */
static void clear_other_rotator_unless_rotating(struct machine *machine)
{
    if (machine->record->another_rotator && !machine->context->policy->rotate)
        machine_clear_another_rotator(machine);
}

enum position restart_start(struct machine *machine)
{
    struct record *record = machine->record;

    heal_future_times(machine);
    settle_intended_deliveries(machine);
    /* This is no move of the machine: the old process is gone, and with it its action and keys. */
    record->position = position_after_restart(record->position);
    plan_make(machine);
    if (!record->requested)
        plan_catch_up(machine);
    clear_other_rotator_unless_rotating(machine);

    if (record->position == POSITION_IDLE)
        record->check_at = machine->now;
    if (!record->adopted)
        adoption_ask(record);
    /* The request of the previous process may be on its way still. */
    operation_resume(machine);
    if (record->position != POSITION_ADOPT_WAIT &&
        (record->intent.open || record->delivering != record->active))
        machine_note_key(machine, NOTE_ROTATION_RESUMED,
                         record->intent.open ? record->intent.slot : record->delivering);
    if (record->position == POSITION_VERIFY_WAIT)
        return POSITION_VERIFY_LOOK;
    return record->position == POSITION_DELIVER_WAIT ? POSITION_STAY : flow_prompt(machine);
}

/* A look shows it at once, so that people see what their configuration has done. */
static void follow_refusal(struct machine *machine)
{
    struct record *record = machine->record;
    const bool blocked = record->blocked == REASON_DESTINATION_REFUSED;

    if (machine->context->refused == blocked ||
        (record->position != POSITION_IDLE && record->position != POSITION_ADOPT_WAIT))
        return;
    record->check_at = machine->now;
    if (blocked)
        record->retry_at = 0;
}

enum position restart_configure(struct machine *machine)
{
    follow_refusal(machine);
    if (!machine->record->adopted)
        adoption_ask(machine->record);
    plan_make(machine);
    clear_other_rotator_unless_rotating(machine);
    return flow_prompt(machine);
}

static time_ms shifted(time_ms at, duration_ms jump, time_ms latest)
{
    if (at == 0 || at == TIME_NEVER)
        return at;
    return time_max(time_min(time_add(at, jump), latest), 1);
}

static void shift_times(const struct record_table *table, void *row, duration_ms jump, time_ms now)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct record_member *member = &table->members[i];
        const time_ms latest = member->clock == CLOCK_WAIT_FROM ? now : TIME_NEVER;

        if (member->clock >= CLOCK_WAIT_FROM)
            member_set_number(member, row, shifted(member_number(member, row), jump, latest));
    }
}

void rotation_shift_times(struct record *record, duration_ms jump, time_ms now)
{
    shift_times(&record_table, record, jump, now);
    for (size_t i = 0; i < record->target_count; i++)
        shift_times(&record_target_table, &record->targets[i], jump, now);
}

void restart_jump_clock(struct machine *machine)
{
    struct record *record = machine->record;

    rotation_shift_times(record, machine->event->jump, machine->now);
    heal_future_times(machine);
    /* Rotations that became due during a suspend are spread like those that became due while we
     * were off. */
    if (!record->requested)
        plan_catch_up(machine);
}
