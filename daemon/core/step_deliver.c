#include "core/steps.h"
#include "core/delivery.h"

/*
 * Giving the key under delivery to the targets. "This target may hold the new key now" is made
 * durable (DELIVER_INTENT) before a byte of it is written, so that a crash cannot hide a delivery.
 * When the last required target has acknowledged, the delivering slot is active.
 *
 * The order of the targets binds a rotation, where the old key still works: a required target that
 * fails stops those after it (they may announce the key to consumers), and optional ones come last.
 * When the old key is dead, the live one goes to every reachable target, required ones first, and
 * none waits for another: where another one waits that is required alike, a delivery is given up
 * when its turn is over; where a required one waits for an optional one, at once.
 */

static void prefer(struct target_record **first, struct target_record *target)
{
    if (!*first || target->unsettled_until < (*first)->unsettled_until)
        *first = target;
}

/* The target whose turn it is: the first one that is required, or else the first. Of those that
 * have hung, the one whose turn is the longest ago, after those that have not. */
static struct target_record *next_target(struct machine *machine, bool intended)
{
    struct record *record = machine->record;
    struct target_record *required = NULL;
    struct target_record *optional = NULL;

    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if ((intended && !target->delivery_intended) ||
            delivery_turn_at(machine->context, record, target) > machine->now)
            continue;
        prefer(target->required ? &required : &optional, target);
    }
    return required ? required : optional;
}

/* The look that confirms it: where lists are late, the key may have been replaced before it was
 * seen for the first time, and an earlier look would show the same. */
static time_ms settle_look_at(const struct machine *machine)
{
    return time_add(machine->now,
                    time_max(machine->context->timing->settle, machine->context->list_delay));
}

/* Every required target has the key under delivery. `active` moves last, in the same durable step.
 */
static enum position complete(struct machine *machine)
{
    struct record *record = machine->record;
    bool rotated = record->delivering != record->active;

    machine_forget_retry(record);
    if (rotated) {
        record->active = record->delivering;
        record->completed_at = machine->now;
        record_begin_overlap(record, machine->now);
        record->check_at = settle_look_at(machine);
        plan_next(machine);
        machine_note_key(machine, NOTE_ROTATION_COMPLETED, record->active);
        record->trigger = TRIGGER_NONE;
    } else if (record->repairing != DRIFT_NONE) {
        record->check_at = settle_look_at(machine);
        machine_note_drift(machine, NOTE_DRIFT_REPAIRED, record->repairing);
    }
    record->repairing = DRIFT_NONE;
    return POSITION_IDLE;
}

/* No target can get the key now. */
static enum position complete_or_wait(struct machine *machine)
{
    if (machine->record->target_count > 0 && record_owed_required(machine->record) == 0)
        return complete(machine);
    return POSITION_DELIVER_WAIT;
}

enum position deliver_gate(struct machine *machine)
{
    struct target_record *target = next_target(machine, false);

    if (!target)
        return complete_or_wait(machine);
    /* The delivery before it took so long that the keys have to be looked at again. */
    if (machine->event->kind == EVENT_DELIVERED && !machine_look_is_fresh(machine))
        return POSITION_DELIVER_WAIT;
    target->delivery_intended = true;
    return POSITION_DELIVER_INTENT;
}

enum position deliver_wait_gate(struct machine *machine)
{
    const struct record *record = machine->record;

    if (record->intent.open)
        return POSITION_POLL_WAIT;
    return record->delivering == record->active && record_owed_required(record) == 0
               ? POSITION_IDLE
               : POSITION_DELIVER_WAIT;
}

time_ms deliver_resume_at(const struct machine *machine)
{
    const struct record *record = machine->record;
    const time_ms retry_at = delivery_retry_at(machine->context, record);

    if (record_owed_required(record) == 0)
        return 0;
    return record->check_at >= retry_at ? retry_at : time_max(record->check_at, record->retry_at);
}

enum position deliver_resume(struct machine *machine)
{
    if (deliver_resume_at(machine) > machine->now)
        return POSITION_STAY;
    return record_owed_required(machine->record) == 0 ? complete(machine) : POSITION_DELIVER_LOOK;
}

/* A target that had the key and was seen without it is owed it again. */
static void void_lost_targets(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;

    for (size_t i = 0; i < record->target_count; i++) {
        enum holding holding = judge_holding(look, &record->targets[i].id);

        if (holding != HOLDING_UNSEEN && holding != judge_holding_of(record->delivering) &&
            !delivery_is_left_to_other_rotator(record, &record->targets[i], holding))
            delivery_void(machine, &record->targets[i]);
    }
}

/* The look shows another key in the slot that was just regenerated. With verify: off the data plane
 * cannot tell which one is live, and the look may be as old as a request in flight, or its list
 * late. */
static bool contradicts_young_key(const struct machine *machine, const struct verdict *verdict)
{
    const struct record *record = machine->record;

    return verdict->drift == DRIFT_ACTIVE_CHANGED && record->delivering != record->active &&
           machine->context->policy->verify == VERIFY_OFF &&
           machine->now < time_add(record_delivering_since(record), machine_shown_within(machine));
}

enum position deliver_look_done(struct machine *machine)
{
    struct record *record = machine->record;
    const struct look *look = machine->event->look;
    struct verdict verdict;
    enum position next;

    /* Keys may be listed although they are switched off. */
    if (machine_blocked_by_world(record) && !machine->event->undescribed)
        machine_unblock(machine);
    verdict = judge_delivery(record, look);
    if (verdict.kind == VERDICT_LATE || contradicts_young_key(machine, &verdict)) {
        machine_retry_late_look(machine);
        return POSITION_DELIVER_WAIT;
    }
    machine_remember_look(machine);
    record->retry_at = 0;
    /* While a required target lacks the key, this look counts as the check for drift. */
    if (record->check_at <= machine->now && record_owed_required(record) > 0)
        record->check_at = time_add(machine->now, machine->context->policy->check_every);
    if (verdict.drift != DRIFT_ACTIVE_CHANGED || record->delivering != record->active)
        risk_note(machine, look, machine->now);
    if (verdict.drift == DRIFT_JOURNAL_UNFIT && record->intent.open)
        return drift_leave_to_doubt(machine);
    if (verdict.drift == DRIFT_JOURNAL_UNFIT)
        return adoption_decide_anew(machine, look);
    if (verdict.drift != DRIFT_ACTIVE_CHANGED) {
        void_lost_targets(machine, look);
        delivery_confirm_seen(machine, look);
        return POSITION_DELIVER_INTENT;
    }
    if (record->delivering != record->active) {
        drift_restart_delivery(machine, look);
        return POSITION_VERIFY;
    }
    next = drift_follow(machine, look);
    if (next == POSITION_STAY)
        machine_fault(machine, "a changed key that no drift explains");
    return next;
}

enum position deliver_intent_durable(struct machine *machine)
{
    if (!next_target(machine, true))
        return complete_or_wait(machine);
    if (!machine_look_is_fresh(machine))
        return machine_retry_stalled(machine, POSITION_DELIVER_LOOK, POSITION_DELIVER_WAIT);
    return POSITION_DELIVER;
}

enum position deliver_enter(struct machine *machine)
{
    machine_act(machine, ACTION_DELIVER);
    machine->effects->action.target = next_target(machine, true)->id;
    machine->effects->action.slot = machine->record->delivering;
    machine->effects->action.key = *record_delivering_key(machine->record);
    return POSITION_STAY;
}

/* A delivery to an optional target goes on so long, at least, while something else is due: a longer
 * one would put off the looks that find what required targets lack. */
enum { OPTIONAL_DELIVERY_MAX_MS = 5 * 60 * 1000 };

/* When the next required target may be delivered to; TIME_NEVER: none is owed. */
static time_ms required_turn_at(const struct machine *machine)
{
    const struct record *record = machine->record;
    time_ms earliest = TIME_NEVER;

    if (delivery_waits_for_human(machine->context, record))
        return TIME_NEVER;
    for (size_t i = 0; i < record->target_count; i++)
        if (record->targets[i].required)
            earliest =
                time_min(earliest, delivery_turn_at(machine->context, record, &record->targets[i]));
    return time_max(earliest, record->retry_at);
}

/* What waits for an optional delivery: the end of a rotation whose required targets all have the
 * key, or else what comes after the last delivery. */
static time_ms others_turn_at(const struct machine *machine)
{
    const struct record *record = machine->record;

    if (record->delivering != record->active)
        return record_owed_required(record) == 0 ? 0 : TIME_NEVER;
    return idle_other_at(machine);
}

/* For how long had deliveries to it been failing when this one began? */
static duration_ms failing_before(const struct target_record *target,
                                  const struct delivery_under_way *under_way)
{
    if (target->failing_since == 0 || target->failing_since >= under_way->began_at)
        return 0;
    return under_way->began_at - target->failing_since;
}

/* The end of a turn that lasts for repair_turn, or as long as those concerned have been failing: so
 * turns grow until two slow targets have had one that is long enough for each. Optional ones have
 * longer turns, because nobody holds a dead key for them. */
static time_ms turn_ends_at(const struct machine *machine, const struct target_record *target,
                            const struct delivery_under_way *under_way, duration_ms failing)
{
    const duration_ms turn =
        target->required ? machine->context->timing->repair_turn : OPTIONAL_DELIVERY_MAX_MS;

    return time_add(under_way->began_at, time_max(turn, failing));
}

/* When another target, as required as this one, can be given the live key and has waited long
 * enough. One that fails for the first time keeps no other waiting for long, however long that one
 * has been failing. */
static time_ms other_repair_at(const struct machine *machine, const struct target_record *target,
                               const struct delivery_under_way *under_way)
{
    const struct record *record = machine->record;
    const duration_ms failing = failing_before(target, under_way);
    time_ms earliest = TIME_NEVER;

    if (delivery_waits_for_human(machine->context, record))
        return TIME_NEVER;
    for (const struct target_record *other = record->targets;
         other < record->targets + record->target_count; other++) {
        time_ms at;

        if (other == target || other->required != target->required ||
            !delivery_is_repair(record, other))
            continue;
        at = turn_ends_at(machine, target, under_way,
                          time_min(failing, failing_before(other, under_way)));
        earliest =
            time_min(earliest, time_max(at, delivery_turn_at(machine->context, record, other)));
    }
    return time_max(earliest, record->retry_at);
}

static time_ms optional_ends_at(const struct machine *machine, const struct target_record *target,
                                const struct delivery_under_way *under_way, const char **ret_why)
{
    const time_ms required_at = required_turn_at(machine);
    const time_ms optional_at = other_repair_at(machine, target, under_way);
    const time_ms others_at =
        time_max(others_turn_at(machine), time_add(under_way->began_at, OPTIONAL_DELIVERY_MAX_MS));

    *ret_why = "the account has something else to do";
    if (optional_at <= machine->now)
        *ret_why = "another optional target waits for its key";
    if (required_at <= machine->now)
        *ret_why = "a required target waits for its key";
    return time_min(required_at, time_min(optional_at, others_at));
}

/* A rotation waits for its required targets. In a repair a delivery to one ends with its turn where
 * another one, a look or a command waits. */
static time_ms required_ends_at(const struct machine *machine, const struct target_record *target,
                                const struct delivery_under_way *under_way, const char **ret_why)
{
    const struct record *record = machine->record;
    const time_ms required_at = other_repair_at(machine, target, under_way);
    const duration_ms failing = record->adopt_asked ? 0 : failing_before(target, under_way);
    time_ms others_at = TIME_NEVER;

    if (record->delivering == record->active)
        others_at =
            time_max(idle_other_at(machine), turn_ends_at(machine, target, under_way, failing));
    *ret_why = required_at <= machine->now ? "another required target waits for its key"
                                           : "the account has something else to do";
    return time_min(required_at, others_at);
}

time_ms deliver_give_up_at(const struct machine *machine,
                           const struct delivery_under_way *under_way, const char **ret_why)
{
    const struct target_record *target = record_target_const(machine->record, &under_way->target);

    if (under_way->began_at == 0)
        return TIME_NEVER;
    if (target && target->required)
        return required_ends_at(machine, target, under_way, ret_why);
    if (target && !under_way->required)
        return optional_ends_at(machine, target, under_way, ret_why);
    *ret_why =
        target ? "the target is optional now" : "the target is no longer in the configuration";
    return machine->now;
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
    target->acknowledged_at = 0; /* it may have notified its readers nevertheless */
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
        /* Delivery goes on whatever a target says: the account is never blocked for it. */
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
        if (other->required && !record_target_has_key(record, other))
            return true;
    return false;
}

enum position deliver_done(struct machine *machine)
{
    struct record *record = machine->record;
    struct target_record *target = record_target(record, &machine->event->target);

    if (target && machine->event->failure) {
        delivery_failed(machine, target);
    } else if (target) {
        const uint32_t attempts = target->attempts;
        const bool was_known = delivery_is_known(record, target);
        struct note *note;

        delivery_acknowledge(machine, target);
        /* The target says that it has the key; a look has to show that it keeps it. */
        if (is_readable(machine->context, &target->id))
            target->attempts = attempts + 1;
        else
            target->early = comes_before_its_turn(record, target);
        if (machine->event->changed)
            delivery_tell_again(machine, target);
        /* Its readers were notified only now: the other key has to outlive them once more. */
        if (target->required && machine->event->changed)
            record_begin_overlap(record, machine->now);
        /* What was seen before belongs to an earlier state, also where an attempt of unknown
         * outcome has changed it. */
        if (target->required && (machine->event->changed || !was_known))
            record->unconfirmed = (struct unconfirmed_drift){0};
        note = machine_note_key(machine, NOTE_KEY_DELIVERED, record->delivering);
        note->has_target = true;
        note->target = target->id;
        note->detail = machine->event->changed ? NULL : "it already held this key";
    }
    return machine_adopt_is_asked(machine) ? POSITION_ADOPT_LOOK : POSITION_DELIVER_INTENT;
}
