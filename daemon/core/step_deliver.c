#include "core/machine.h"

/*
 * Giving the key under delivery to the targets. "This target may hold the new key now" is made
 * durable (DELIVER_INTENT) before a byte of it is written, so that a crash cannot hide a delivery.
 * When the last required target has acknowledged, the delivering slot is active.
 *
 * The order of the targets binds a rotation, where the old key still works: a required target that
 * fails stops those after it (they may announce the key to consumers), and optional ones come last.
 * Where the old key is dead, the live one goes to everybody who can be reached, required targets
 * first, and nobody waits for anybody.
 */

/* When may a delivery to this target be tried? TIME_NEVER: none is owed, or it has to wait for
 * another target. */
static time_ms turn_at(const struct record *record, const struct target_record *target)
{
    const bool in_order = record->delivering != record->active && target->dead_since == 0;
    const struct target_record *end =
        target->required ? target : record->targets + record->target_count;

    if (record_target_satisfied(record, target))
        return TIME_NEVER;
    for (const struct target_record *other = record->targets; in_order && other < end; other++)
        if (other->required && !record_target_satisfied(record, other))
            return TIME_NEVER;
    return target->retry_at > target->unsettled_until ? target->retry_at : target->unsettled_until;
}

time_ms deliver_wake_at(const struct record *record)
{
    time_ms earliest = TIME_NEVER;

    for (size_t i = 0; i < record->target_count; i++) {
        time_ms at = turn_at(record, &record->targets[i]);

        if (at < earliest)
            earliest = at;
    }
    return earliest;
}

/* The target whose turn it is: the first one that is required, or else the first. */
static struct target_record *next_target(struct machine *machine, bool intended)
{
    struct record *record = machine->record;
    struct target_record *optional = NULL;

    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if ((intended && !target->delivery_intended) || turn_at(record, target) > machine->now)
            continue;
        if (target->required)
            return target;
        if (!optional)
            optional = target;
    }
    return optional;
}

/* Every required target has the key under delivery. `active` moves last, in the same durable step.
 */
static void complete(struct machine *machine)
{
    struct record *record = machine->record;
    bool rotated = record->delivering != record->active;

    machine_recovered(machine);
    if (rotated) {
        record->active = record->delivering;
        record->completed_at = machine->now;
        record_begin_overlap(record, machine->now);
        record->check_at = time_add(machine->now, machine->context->timing->settle);
        plan_next(machine);
        machine_note_key(machine, NOTE_ROTATION_COMPLETED, record->active);
        record->trigger = TRIGGER_NONE;
    } else if (record->repairing != DRIFT_NONE) {
        record->check_at = time_add(machine->now, machine->context->timing->settle);
        machine_note_drift(machine, NOTE_DRIFT_REPAIRED, record->repairing);
    }
    record->repairing = DRIFT_NONE;
    enter_idle(machine);
}

void deliver_next(struct machine *machine)
{
    struct record *record = machine->record;
    struct target_record *target = next_target(machine, false);

    if (target) {
        target->delivery_intended = true;
        machine_move(machine, POSITION_DELIVER_INTENT);
    } else if (record->target_count > 0 && record_owed_required(record) == 0) {
        complete(machine);
    } else {
        machine_move(machine, POSITION_DELIVER_WAIT);
    }
}

void enter_deliver_look(struct machine *machine)
{
    machine_move(machine, POSITION_DELIVER_LOOK);
    machine_act_look(machine);
}

time_ms deliver_resume_at(const struct record *record)
{
    const time_ms retry_at = deliver_retry_at(record);

    if (record_owed_required(record) == 0)
        return 0;
    if (record->check_at >= retry_at)
        return retry_at;
    return record->check_at > record->retry_at ? record->check_at : record->retry_at;
}

time_ms deliver_retry_at(const struct record *record)
{
    const time_ms at = deliver_wake_at(record);

    return at > record->retry_at ? at : record->retry_at;
}

void deliver_resume(struct machine *machine)
{
    if (deliver_resume_at(machine->record) > machine->now)
        return;
    if (record_owed_required(machine->record) == 0)
        complete(machine);
    else
        enter_deliver_look(machine);
}

static void wait_to_look_again(struct machine *machine)
{
    struct record *record = machine->record;

    /* Only optional targets are owed: that keeps nothing else waiting. */
    if (record->delivering == record->active && record_owed_required(record) == 0)
        enter_idle(machine);
    else
        machine_move(machine, POSITION_DELIVER_WAIT);
}

/* A target that had the key and was seen without it is owed it again. */
static void void_lost_targets(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;

    for (size_t i = 0; i < record->target_count; i++) {
        enum holding holding = judge_holding(look, &record->targets[i].id);

        if (holding != HOLDING_UNSEEN && holding != judge_holding_of(record->delivering) &&
            !machine_yields(record, &record->targets[i], holding))
            machine_void_target(machine, &record->targets[i]);
    }
}

/* Another key stands in the slot that was just regenerated. With verify: off nobody can be asked
 * which of the two is live; the look may be as old as a request may be on its way. */
static bool contradicts_young_key(const struct machine *machine, const struct verdict *verdict)
{
    const struct record *record = machine->record;

    return verdict->drift == DRIFT_ACTIVE_CHANGED && record->delivering != record->active &&
           machine->context->policy->verify == VERIFY_OFF &&
           machine->now <
               time_add(record->born[record->delivering], machine->context->timing->unknown_wait);
}

void on_deliver_look(struct machine *machine)
{
    struct record *record = machine->record;
    const struct look *look = machine->event->look;
    struct verdict verdict;

    if (adopt_if_asked(machine))
        return;
    if (machine->event->failure) {
        machine_fail(machine, machine->event->failure);
        wait_to_look_again(machine);
        return;
    }
    if (machine_blocked_by_world(record))
        machine_unblock(machine);
    verdict = judge_delivery(record, look);
    if (verdict.kind == VERDICT_LATE || contradicts_young_key(machine, &verdict)) {
        machine_trouble_late(machine);
        wait_to_look_again(machine);
        return;
    }
    machine_looked(machine);
    record->retry_at = 0;
    /* While a required target is waited for, this is what looks for drift. */
    if (record->check_at <= machine->now && record_owed_required(record) > 0)
        record->check_at = time_add(machine->now, machine->context->policy->check_every);
    if (verdict.drift != DRIFT_ACTIVE_CHANGED || record->delivering != record->active)
        risk_note(machine, look, machine->now);
    if (verdict.drift == DRIFT_JOURNAL_UNFIT) {
        adopt_anew(machine, look);
    } else if (verdict.drift != DRIFT_ACTIVE_CHANGED) {
        void_lost_targets(machine, look);
        deliver_next(machine);
    } else if (record->delivering != record->active) {
        delivering_key_changed(machine, look);
        enter_verify(machine);
    } else if (check_look(machine, look)) {
        machine_fault(machine, "a key changed and did not");
    }
}

void on_deliver_intent_persisted(struct machine *machine)
{
    struct record *record = machine->record;
    const struct target_record *target = next_target(machine, true);

    if (!target || record->adopt_asked) {
        if (!adopt_if_asked(machine))
            machine_move(machine, POSITION_DELIVER_WAIT);
        return;
    }
    if (!machine_look_is_fresh(machine)) {
        if (machine_trouble_stalled(machine))
            enter_deliver_look(machine);
        else
            wait_to_look_again(machine);
        return;
    }
    machine_move(machine, POSITION_DELIVER);
    machine_act(machine, ACTION_DELIVER);
    machine->effects->action.target = target->id;
    machine->effects->action.slot = record->delivering;
    machine->effects->action.key = *record_delivering_key(record);
}

static void delivery_failed(struct machine *machine, struct target_record *target)
{
    struct record *record = machine->record;
    const struct failure *failure = machine->event->failure;
    const struct timing *timing = machine->context->timing;
    struct note *note;

    if (target->failing_since == 0)
        target->failing_since = machine->now;
    target->reason = failure->reason;
    target->acknowledged_at = 0; /* it may have told its readers all the same */
    if (failure->reason == REASON_NOT_YET) {
        target->retry_at = time_add(machine->now, timing->retry_max);
    } else {
        target->attempts++;
        target->retry_at = time_add(
            machine->now, machine_backoff(machine, target->attempts, failure->retry_after));
    }
    if (failure->outcome_unknown)
        target->unsettled_until = time_add(machine->now, timing->unknown_wait);
    if (target->required) {
        if (record->retry_reason == REASON_NONE)
            record->retrying_since = machine->now;
        /* Whatever a target says is no reason to block the account: delivery goes on. */
        record->retry_reason = reason_describe(failure->reason)->state == STATE_RETRYING
                                   ? failure->reason
                                   : REASON_TARGET_FAILED;
    }
    note = machine_note_key(machine, NOTE_DELIVERY_FAILED, record->delivering);
    note->has_target = true;
    note->target = target->id;
    note->reason = failure->reason;
    note->from_failure = true;
}

static bool is_readable(const struct rotation_context *context, const struct target_id *id)
{
    for (size_t i = 0; i < context->target_count; i++)
        if (target_id_equal(&context->targets[i].id, id))
            return context->targets[i].readable;
    return false;
}

/* Does a required target before it lack the key? */
static bool comes_before_its_turn(const struct record *record, const struct target_record *target)
{
    for (const struct target_record *other = record->targets; other < target; other++)
        if (other->required && !record_target_satisfied(record, other))
            return true;
    return false;
}

void on_delivered(struct machine *machine)
{
    struct record *record = machine->record;
    struct target_record *target = record_target(record, &machine->event->target);

    if (target && machine->event->failure) {
        delivery_failed(machine, target);
    } else if (target) {
        const uint32_t attempts = target->attempts;
        struct note *note;

        machine_acknowledge(machine, target);
        /* It says that it has it; that it keeps it, a look has to show. */
        if (is_readable(machine->context, &target->id))
            target->attempts = attempts + 1;
        else
            target->early = comes_before_its_turn(record, target);
        /* Its readers were told only now: the other key must outlive them once more. */
        if (target->required && machine->event->changed) {
            record_begin_overlap(record, machine->now);
            record->unconfirmed = (struct unconfirmed_drift){0}; /* of a world that is no more */
        }
        note = machine_note_key(machine, NOTE_KEY_DELIVERED, record->delivering);
        note->has_target = true;
        note->target = target->id;
        note->detail = machine->event->changed ? NULL : "it held this key already";
    }
    if (!adopt_if_asked(machine))
        deliver_next(machine);
}
