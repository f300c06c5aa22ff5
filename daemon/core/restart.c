#include "core/restart.h"

#include "core/schedule.h"

/* The record's targets become those of the configuration, in its order; what is known of those that
 * stay is kept. */
static void merge_targets(struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    struct record *record = machine->record;
    struct record before = *record;

    record->target_count = 0;
    for (size_t i = 0; i < context->target_count && i < TARGETS_MAX; i++) {
        const struct target_record *known = record_target_const(&before, &context->targets[i].id);
        struct target_record *target = &record->targets[record->target_count++];

        *target = known ? *known : (struct target_record){.id = context->targets[i].id};
        target->required = context->targets[i].required;
    }
    for (size_t i = record->target_count; i < TARGETS_MAX; i++)
        record->targets[i] = (struct target_record){0};
    if (memcmp(before.targets, record->targets, sizeof(before.targets)) != 0)
        machine->effects->persist = true;
}

/* A delivery was under way when the daemon stopped. What is not settled by the end of the process
 * may still land. */
static void settle_offers(struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    struct record *record = machine->record;

    if (record->position != POSITION_OFFER && record->position != POSITION_DELIVER)
        return;
    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if (!target->offered)
            continue;
        target->unsettled_until = machine->now;
        if (!context->targets[i].settles_at_once)
            target->unsettled_until = time_add(machine->now, context->timing->unknown_wait);
    }
}

/* Where a stored position is entered again. None of these is a move of the machine: the old process
 * is gone, and with it the actions and the keys it had in hand. */
static enum position position_after_restart(enum position stored)
{
    switch (stored) {
    case POSITION_ADOPT_WAIT:
    case POSITION_ADOPT_LOOK:
        return POSITION_ADOPT_WAIT;
    case POSITION_IDLE:
    case POSITION_CHECK_LOOK:
    case POSITION_PROVE_TARGET:
    case POSITION_PROVE_LIVE:
    case POSITION_CONFIRM_WAIT:
    case POSITION_PREFLIGHT:
    case POSITION_ROTATE_LOOK:
        return POSITION_IDLE;
    case POSITION_INTENT:
    case POSITION_REGENERATE:
    case POSITION_DOUBT_WAIT:
    case POSITION_DOUBT_LOOK:
        return POSITION_DOUBT_WAIT;
    case POSITION_VERIFY_LOOK:
    case POSITION_VERIFY:
    case POSITION_VERIFY_WAIT:
        return POSITION_VERIFY_WAIT;
    case POSITION_DELIVER_LOOK:
    case POSITION_OFFER:
    case POSITION_DELIVER:
    case POSITION_DELIVER_WAIT:
        return POSITION_DELIVER_WAIT;
    case POSITION_COUNT:
        break;
    }
    return POSITION_ADOPT_WAIT;
}

void on_start(struct machine *machine)
{
    struct record *record = machine->record;

    merge_targets(machine);
    settle_offers(machine);
    record->position = position_after_restart(record->position);
    machine->effects->persist = true;
    plan_make(machine);
    if (!record->requested)
        plan_caught_up(machine);

    switch (record->position) {
    case POSITION_ADOPT_WAIT:
        enter_adopt_look(machine);
        break;
    case POSITION_DOUBT_WAIT:
        /* The request of the process before us may be on its way still. */
        record->retry_at = time_add(machine->now, machine->context->timing->unknown_wait);
        machine_note_key(machine, NOTE_ROTATION_RESUMED, record->intent.slot);
        break;
    case POSITION_VERIFY_WAIT:
        machine_note_key(machine, NOTE_ROTATION_RESUMED, record->goal);
        enter_verify_look(machine);
        break;
    case POSITION_DELIVER_WAIT:
        if (record->goal != record->active)
            machine_note_key(machine, NOTE_ROTATION_RESUMED, record->goal);
        break;
    default:
        record->check_at = machine->now;
        idle_next(machine);
        break;
    }
}

void on_configured(struct machine *machine)
{
    struct record *record = machine->record;

    merge_targets(machine);
    plan_make(machine);
    if (record->blocked == REASON_ANOTHER_ROTATOR && !machine->context->policy->rotate)
        machine_unblock(machine);
    if (record->position == POSITION_ADOPT_WAIT)
        enter_adopt_look(machine);
    else if (record->position == POSITION_IDLE)
        idle_next(machine);
    else if (record->position == POSITION_DELIVER_WAIT)
        deliver_resume(machine);
}

static void shift(time_ms *at, duration_ms jump, time_ms latest)
{
    if (*at == 0 || *at == TIME_NEVER)
        return;
    *at = time_add(*at, jump);
    if (*at > latest)
        *at = latest;
    if (*at <= 0)
        *at = 1;
}

void on_clock_jumped(struct machine *machine)
{
    struct record *record = machine->record;
    duration_ms jump = machine->event->jump;

    shift(&record->overlap_from, jump, machine->now);
    shift(&record->foreign_change_at, jump, machine->now);
    shift(&record->intent.written_at, jump, machine->now);
    shift(&record->verify_since, jump, machine->now);
    shift(&record->looked_at, jump, machine->now);
    shift(&record->surprise.seen_at, jump, machine->now);
    shift(&record->retry_at, jump, TIME_NEVER);
    shift(&record->check_at, jump, TIME_NEVER);
    for (size_t i = 0; i < record->target_count; i++) {
        shift(&record->targets[i].retry_at, jump, TIME_NEVER);
        shift(&record->targets[i].unsettled_until, jump, TIME_NEVER);
    }
    machine->effects->persist = true;
}
