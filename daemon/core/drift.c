#include "core/steps.h"

#include "core/delivery.h"
#include "core/key_time.h"

const struct sighting *drift_dead_sighting(const struct record *record, const struct look *look)
{
    for (size_t i = 0; i < record->target_count; i++)
        if (record->targets[i].required &&
            judge_holding(look, &record->targets[i].id) == HOLDING_DEAD_KEY)
            return judge_sighting(look, &record->targets[i].id);
    return NULL;
}

static bool shows_same_keys(const struct unconfirmed_drift *unconfirmed, const struct look *look)
{
    return fingerprint_equal(&unconfirmed->live[0], &look->live[0]) &&
           fingerprint_equal(&unconfirmed->live[1], &look->live[1]);
}

static bool is_same_drift(const struct unconfirmed_drift *unconfirmed, const struct look *look)
{
    struct fingerprint digest = judge_digest(look);

    return unconfirmed->pending && fingerprint_equal(&unconfirmed->targets, &digest) &&
           shows_same_keys(unconfirmed, look);
}

/* The wait for a second look begins. Names the first target that a readable look found to hold
 * something else than the active key. */
static void note_suspected(struct machine *machine, const struct look *look, enum drift_kind drift)
{
    const struct record *record = machine->record;
    struct note *note = machine_note(machine, NOTE_DRIFT_SUSPECTED);

    note->drift = drift;
    note->key_made_at = key_time_of_news(record, look, machine->now);
    for (size_t i = 0; i < record->target_count && !note->has_target; i++) {
        const enum holding holding = judge_holding(look, &record->targets[i].id);

        note->has_target = holding != HOLDING_UNSEEN && holding != judge_holding_of(record->active);
        note->target = record->targets[i].id;
    }
}

static enum position await_confirmation(struct machine *machine, const struct look *look,
                                        const struct verdict *verdict)
{
    struct record *record = machine->record;
    struct unconfirmed_drift *unconfirmed = &record->unconfirmed;

    if (!is_same_drift(unconfirmed, look)) {
        if (!unconfirmed->pending || !shows_same_keys(unconfirmed, look))
            note_suspected(machine, look, verdict->drift);
        unconfirmed->pending = true;
        unconfirmed->live[0] = look->live[0];
        unconfirmed->live[1] = look->live[1];
        key_time_keep(record, look, machine->now);
        unconfirmed->targets = judge_digest(look);
        unconfirmed->seen_at = machine->now;
        unconfirmed->standby_in_use = false;
        unconfirmed->proven = false;
    }
    /* Somebody may be using the standby key, even if the second look differs. */
    if (verdict->standby_in_use) {
        unconfirmed->standby_in_use = true;
        record_begin_overlap(record, machine->now);
    }
    record->check_at = machine_confirm_at(machine);
    if (drift_dead_sighting(record, look) && machine->context->policy->verify != VERIFY_OFF &&
        verdict->drift != DRIFT_JOURNAL_UNFIT)
        return POSITION_PROVE_TARGET;
    return POSITION_CONFIRM_WAIT;
}

/* Did the unconfirmed drift suggest that somebody changed the standby key, or wrote it to a
 * target? */
static bool was_about_standby(const struct record *record)
{
    const struct unconfirmed_drift *unconfirmed = &record->unconfirmed;
    enum slot standby = slot_other(record->active);

    return unconfirmed->pending &&
           (unconfirmed->standby_in_use ||
            !fingerprint_equal(&unconfirmed->live[standby], &record->live[standby]));
}

static bool drift_is_confirmed(const struct machine *machine, const struct look *look)
{
    const struct unconfirmed_drift *unconfirmed = &machine->record->unconfirmed;

    if (!is_same_drift(unconfirmed, look))
        return false;
    return unconfirmed->proven || machine->now >= machine_confirm_at(machine);
}

/* Somebody else made the key that the look shows in that slot. Returns true when it is new. */
static bool take_foreign_key(struct machine *machine, enum slot slot, const struct look *look)
{
    if (!machine_take_key(machine, slot, &look->live[slot]))
        return false;
    key_time_take(machine->record, slot, look, machine->now);
    return true;
}

/* Somebody regenerated the standby key and may be using it: treat it as delivered now. */
static void accept_standby_change(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;

    machine_add_foreign_change(machine);
    take_foreign_key(machine, slot_other(record->active), look);
    delivery_void_all(record);
    delivery_acknowledge_seen(machine, look);
    record_begin_overlap(record, machine->now);
}

static void accept_rotation_elsewhere(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;

    machine_add_foreign_change(machine);
    take_foreign_key(machine, slot_other(record->active), look);
    record->active = slot_other(record->active);
    record->delivering = record->active;
    delivery_void_all(record);
    delivery_acknowledge_seen(machine, look);
    record_begin_overlap(record, machine->now);
    record->completed_at = machine->now;
    plan_next(machine);
}

static void accept_active_change(struct machine *machine, const struct look *look,
                                 bool targets_know)
{
    struct record *record = machine->record;

    machine_add_foreign_change(machine);
    take_foreign_key(machine, record->active, look);
    /* A cloned machine or a restored backup shows the same, and the maker of the other key may be
     * using it. */
    if (!record->intent.open && take_foreign_key(machine, slot_other(record->active), look)) {
        record->both_changed_at = machine->now;
        record_begin_overlap(record, machine->now);
        plan_from_now(machine);
    }
    delivery_void_all(record);
    if (targets_know)
        record_begin_overlap(record, machine->now);
    else
        record->repairing = DRIFT_ACTIVE_CHANGED;
    delivery_acknowledge_seen(machine, look);
}

/* Did somebody replace our key in a target by the standby key? A target that never showed its
 * delivery still holds its previous content. */
static bool standby_was_given(const struct record *record, const struct look *look)
{
    for (size_t i = 0; i < record->target_count; i++) {
        const struct target_record *target = &record->targets[i];

        if (target->required && target->attempts == 0 && record_target_satisfied(record, target) &&
            judge_holds(judge_holding(look, &target->id), slot_other(record->active)))
            return true;
    }
    return false;
}

/* Handles targets that do not hold the active key. Somebody who wrote the standby key to them
 * rotates, too. Returns true when a target is left to that rotator. */
static bool accept_target_change(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;
    bool left = false;

    if (standby_was_given(record, look))
        machine_add_foreign_change(machine);
    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];
        enum holding holding = judge_holding(look, &target->id);

        if (holding == HOLDING_UNSEEN || holding == judge_holding_of(record->active))
            continue;
        if (!record->intent.open && delivery_is_left_to_other_rotator(record, target, holding)) {
            delivery_leave(record, target);
            left = true;
            continue;
        }
        record->repairing = DRIFT_TARGET_CHANGED;
        delivery_void(machine, target);
    }
    return left;
}

static bool alert_only(const struct machine *machine, const struct verdict *verdict)
{
    return machine->context->policy->on_drift == DRIFT_ALERT &&
           verdict->drift == DRIFT_ACTIVE_CHANGED && !verdict->accept;
}

static void note_detected(struct machine *machine, enum drift_kind drift, time_ms key_made_at)
{
    const struct record *record = machine->record;
    struct note *note = machine_note_drift(machine, NOTE_DRIFT_DETECTED, drift);

    note->key_made_at = key_made_at;
    if (drift == DRIFT_ACTIVE_CHANGED && record->both_changed_at == machine->now)
        note->detail = "both keys changed, so the daemon regenerates neither for rotate_every";
}

static enum position act_on_drift(struct machine *machine, const struct look *look,
                                  const struct verdict *verdict)
{
    struct record *record = machine->record;
    const time_ms key_made_at = key_time_of_news(record, look, machine->now);
    bool left = false;

    risk_note(machine, look, record->unconfirmed.seen_at);
    if (verdict->drift == DRIFT_JOURNAL_UNFIT) {
        record->unconfirmed = (struct unconfirmed_drift){0};
        return adoption_decide_anew(machine, look);
    }
    switch (verdict->drift) {
    case DRIFT_TARGET_CHANGED:
        left = accept_target_change(machine, look);
        break;
    case DRIFT_STANDBY_CHANGED:
        accept_standby_change(machine, look);
        break;
    case DRIFT_ROTATED_ELSEWHERE:
        accept_rotation_elsewhere(machine, look);
        break;
    case DRIFT_ACTIVE_CHANGED:
        accept_active_change(machine, look, verdict->accept);
        break;
    case DRIFT_TARGETS_DISAGREE:
        machine_block(machine, REASON_TARGETS_DISAGREE, NULL,
                      "the required targets do not hold the live key of one slot");
        break;
    case DRIFT_NONE:
    case DRIFT_JOURNAL_UNFIT:
    case DRIFT_KIND_COUNT:
        break;
    }
    /* Drift in a target that is left to the other rotator stays unconfirmed until it ends; it is
     * reported once. */
    if (!left)
        record->unconfirmed = (struct unconfirmed_drift){0};
    if (!left || record->blocked_at == machine->now || record->repairing != DRIFT_NONE)
        note_detected(machine, verdict->drift, key_made_at);
    if (verdict->drift == DRIFT_TARGETS_DISAGREE || alert_only(machine, verdict))
        return POSITION_IDLE;
    return POSITION_DELIVER_INTENT;
}

/*
 * Under on_drift: alert, the targets still hold the dead key, which was reported; or a person has
 * put the live one there. Returns true when the look shows no other drift.
 */
static bool acknowledge_awaited_repair(struct machine *machine, const struct look *look,
                                       const struct verdict *verdict)
{
    struct record *record = machine->record;

    if (!delivery_repair_waits_for_human(machine->context, record) ||
        (verdict->drift != DRIFT_NONE && verdict->drift != DRIFT_TARGET_CHANGED))
        return false;
    delivery_acknowledge_seen(machine, look);
    risk_note(machine, look, machine->now);
    if (delivery_repair_waits_for_human(machine->context, record))
        return true;
    record_begin_overlap(record, machine->now);
    machine_note_drift(machine, NOTE_DRIFT_REPAIRED, record->repairing);
    record->repairing = DRIFT_NONE;
    return verdict->drift == DRIFT_NONE;
}

/* Notes the targets that have kept their delivery, including one that got its key back after it was
 * left to another rotator. */
static void note_kept(struct record *record, const struct look *look)
{
    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if (judge_holding(look, &target->id) != judge_holding_of(record->active))
            continue;
        if (record_target_is_left(record, target))
            target->fingerprint = look->live[record->active];
        if (target->acknowledged &&
            fingerprint_equal(&target->fingerprint, &look->live[record->active]))
            target->attempts = 0;
    }
}

/*
 * Both live keys are new to the journal. Returns true where they were regenerated by hand, false
 * where the journal is behind. By hand: every target that can be read was read, none holds a live
 * key or names a later cycle, and the required ones among them hold exactly what they were given
 * last.
 */
static bool both_changed_under_us(const struct machine *machine, const struct look *look)
{
    const struct rotation_context *context = machine->context;
    size_t read = 0;

    if (judge_is_ahead(machine->record, look))
        return false;
    for (size_t i = 0; i < context->target_count; i++) {
        const struct rotation_target *target = &context->targets[i];
        const struct target_record *known = record_target_const(machine->record, &target->id);
        enum holding holding = judge_holding(look, &target->id);

        if (!target->readable)
            continue;
        if (holding == HOLDING_UNSEEN || holding == HOLDING_BOTH ||
            judge_holds(holding, SLOT_PRIMARY) || judge_holds(holding, SLOT_SECONDARY))
            return false;
        if (!target->required)
            continue;
        if (known && record_target_is_left(machine->record, known))
            return false; /* its content came from another rotator */
        if (!known || !judge_holds_only(look, &target->id, &known->fingerprint))
            return false;
        read++;
    }
    return read > 0;
}

/* Both slots are frozen: the look after the regenerate decides whether the journal is behind. */
enum position drift_leave_to_doubt(struct machine *machine)
{
    machine_retry(machine, REASON_OUTCOME_UNKNOWN, 0,
                  "a target names a later rotation than the journal, which is settled when the "
                  "regenerate under way has ended");
    return POSITION_IDLE;
}

enum position drift_follow(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;
    struct verdict verdict = judge_drift(record, look);

    if (verdict.drift == DRIFT_JOURNAL_UNFIT && both_changed_under_us(machine, look))
        verdict.drift = DRIFT_ACTIVE_CHANGED;
    machine_remember_look(machine);
    record->check_at = time_add(machine->now, machine->context->policy->check_every);
    /* The unconfirmed drift is gone: whoever took the standby key because of it may have done so
     * until now. */
    if (verdict.kind != VERDICT_LATE && was_about_standby(record) &&
        !is_same_drift(&record->unconfirmed, look))
        record_begin_overlap(record, machine->now);
    if (verdict.kind != VERDICT_LATE)
        note_kept(record, look);
    if (verdict.kind != VERDICT_LATE && acknowledge_awaited_repair(machine, look, &verdict)) {
        record->unconfirmed = (struct unconfirmed_drift){0};
        return POSITION_STAY;
    }
    if (verdict.kind == VERDICT_AS_RECORDED) {
        /* A look that does not show a target does not show that it holds the key again. */
        if (machine_look_is_whole(machine))
            record->unconfirmed = (struct unconfirmed_drift){0};
        risk_note(machine, look, machine->now);
        return POSITION_STAY;
    }
    if (verdict.kind == VERDICT_LATE) {
        record->check_at = machine->now;
        machine_retry_late_look(machine);
        return POSITION_IDLE;
    }
    if (verdict.drift == DRIFT_JOURNAL_UNFIT && record->intent.open)
        return drift_leave_to_doubt(machine);
    if (drift_is_confirmed(machine, look))
        return act_on_drift(machine, look, &verdict);
    return await_confirmation(machine, look, &verdict);
}

void drift_take_change(struct machine *machine, enum slot slot, const struct fingerprint *key)
{
    const struct look *look = machine->event->look;

    machine_note_drift(machine, NOTE_DRIFT_DETECTED, DRIFT_ACTIVE_CHANGED)->key_made_at =
        look ? key_time_told(look->made[slot], machine->now) : 0;
    machine_add_foreign_change(machine);
    if (machine_take_key(machine, slot, key) && look)
        key_time_take(machine->record, slot, look, machine->now);
}

void drift_restart_delivery(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;

    drift_take_change(machine, record->delivering, &look->live[record->delivering]);
    delivery_void_all(record);
    record->verified = false;
    record->refused = false;
    record->verify_since = machine->now;
}
