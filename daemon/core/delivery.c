#include "core/delivery.h"

/* The target whose hook it is, or NULL. */
static const struct target_record *owner_of(const struct rotation_context *context,
                                            const struct record *record,
                                            const struct target_record *hook)
{
    for (size_t i = 0; i < context->target_count; i++)
        if (context->targets[i].follows != 0 && target_id_equal(&context->targets[i].id, &hook->id))
            return record_target_const(record,
                                       &context->targets[context->targets[i].follows - 1].id);
    return NULL;
}

/* A look has shown something else than the journal has, which may be that the owner lacks the key,
 * and since then the owner has not got it, nor been seen to hold it. Of one that no look can read,
 * a look says nothing. */
static bool owner_is_doubted(const struct rotation_context *context, const struct record *record,
                             const struct target_record *owner)
{
    if (!record->unconfirmed.pending || owner->acknowledged_at > record->unconfirmed.seen_at)
        return false;
    for (size_t i = 0; i < context->target_count; i++)
        if (target_id_equal(&context->targets[i].id, &owner->id))
            return context->targets[i].readable;
    return false;
}

bool delivery_is_repair(const struct record *record, const struct target_record *target)
{
    return record->delivering == record->active || target->dead_since != 0;
}

time_ms delivery_turn_at(const struct rotation_context *context, const struct record *record,
                         const struct target_record *target)
{
    const struct target_record *owner = owner_of(context, record, target);
    const bool in_order = !delivery_is_repair(record, target);
    const struct target_record *end =
        target->required ? target : record->targets + record->target_count;

    if (record_target_satisfied(record, target))
        return TIME_NEVER;
    if (owner &&
        (!record_target_satisfied(record, owner) || owner_is_doubted(context, record, owner)))
        return TIME_NEVER;
    for (const struct target_record *other = record->targets; in_order && other < end; other++)
        if (other->required && !record_target_satisfied(record, other))
            return TIME_NEVER;
    return target->retry_at > target->unsettled_until ? target->retry_at : target->unsettled_until;
}

time_ms delivery_next_at(const struct rotation_context *context, const struct record *record)
{
    time_ms earliest = TIME_NEVER;

    for (size_t i = 0; i < record->target_count; i++) {
        time_ms at = delivery_turn_at(context, record, &record->targets[i]);

        if (at < earliest)
            earliest = at;
    }
    return earliest;
}

time_ms delivery_retry_at(const struct rotation_context *context, const struct record *record)
{
    const time_ms at = delivery_next_at(context, record);

    return at > record->retry_at ? at : record->retry_at;
}

bool delivery_repair_waits_for_human(const struct rotation_context *context,
                                     const struct record *record)
{
    return context->policy->on_drift == DRIFT_ALERT && record->delivering == record->active &&
           record->repairing == DRIFT_ACTIVE_CHANGED && record_owed_required(record) > 0;
}

bool delivery_waits_for_human(const struct rotation_context *context, const struct record *record)
{
    return delivery_repair_waits_for_human(context, record) ||
           (record->blocked == REASON_TARGETS_DISAGREE && record->delivering == record->active);
}

/* Delivers again to targets that no look can read and that got the key before this target. */
static void run_again_after(struct record *record, const struct target_record *target)
{
    bool lacks = false;

    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *other = &record->targets[i];

        if (other > target && other->early && !lacks) {
            other->early = false;
            other->acknowledged = false;
            other->retry_at = 0;
        }
        lacks = lacks || (other->required && !record_target_has_key(record, other));
    }
}

void delivery_tell_again(struct machine *machine, const struct target_record *target)
{
    struct record *record = machine->record;

    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *hook = &record->targets[i];

        if (owner_of(machine->context, record, hook) != target)
            continue;
        hook->acknowledged = false;
        hook->retry_at = 0;
    }
}

bool delivery_is_known(const struct record *record, const struct target_record *target)
{
    return target->acknowledged_at != 0 && target->unsettled_until == 0 &&
           fingerprint_equal(&target->fingerprint, record_delivering_key(record));
}

void delivery_acknowledge(struct machine *machine, struct target_record *target)
{
    const bool known_to_hold_it = delivery_is_known(machine->record, target);

    /* The target may have got the key by an attempt that failed or was cut short, or at a time that
     * the journal has lost: its readers may have been notified only now. */
    if (target->required && !known_to_hold_it)
        record_begin_overlap(machine->record, machine->now);
    target->acknowledged = true;
    target->fingerprint = *record_delivering_key(machine->record);
    target->acknowledged_at = machine->now;
    target->delivery_intended = false;
    target->attempts = 0;
    target->retry_at = 0;
    target->reason = REASON_NONE;
    target->failing_since = 0;
    target->unsettled_until = 0;
    target->dead_since = 0;
    target->early = false;
    /* Also after an optional target: it may have been required when the others were notified. */
    run_again_after(machine->record, target);
    if (!known_to_hold_it)
        delivery_tell_again(machine, target);
}

void delivery_void_all(struct record *record)
{
    for (size_t i = 0; i < record->target_count; i++) {
        record->targets[i].acknowledged = false;
        record->targets[i].retry_at = 0;
    }
}

void delivery_acknowledge_seen(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;

    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if (judge_holding(look, &target->id) != judge_holding_of(record->delivering) ||
            target->unsettled_until > machine->now)
            continue;
        delivery_acknowledge(machine, target);
    }
}

void delivery_confirm_seen(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;

    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if (record_target_satisfied(record, target) && target->acknowledged_at != 0 &&
            judge_holding(look, &target->id) == judge_holding_of(record->delivering))
            target->acknowledged_at = machine->now;
    }
}

void delivery_void(struct machine *machine, struct target_record *target)
{
    const bool had_it = record_target_satisfied(machine->record, target);

    target->acknowledged_at = 0;
    target->acknowledged = false;
    if (!had_it)
        return; /* its delivery is pending already */
    target->retry_at = 0;
    if (target->attempts > 1)
        target->retry_at =
            time_add(machine->now, machine_backoff(machine, target->attempts - 1, 0));
}

void delivery_leave(const struct record *record, struct target_record *target)
{
    target->fingerprint = record->live[slot_other(record->active)];
    target->acknowledged_at = 0;
}

bool delivery_is_left_to_other_rotator(const struct record *record,
                                       const struct target_record *target, enum holding holding)
{
    return record->another_rotator && record->delivering == record->active &&
           record_target_satisfied(record, target) &&
           judge_holds(holding, slot_other(record->active));
}
