#include "core/record.h"

const char *trigger_name(enum trigger trigger)
{
    static const char *const names[] = {
        [TRIGGER_NONE] = "none",
        [TRIGGER_SCHEDULE] = "schedule",
        [TRIGGER_COMMAND] = "command",
    };

    return names[trigger];
}

const char *drift_name(enum drift_kind drift)
{
    static const char *const names[DRIFT_KIND_COUNT] = {
        [DRIFT_NONE] = "none",
        [DRIFT_TARGET_CHANGED] = "target_changed",
        [DRIFT_STANDBY_CHANGED] = "standby_changed",
        [DRIFT_ROTATED_ELSEWHERE] = "rotated_elsewhere",
        [DRIFT_ACTIVE_CHANGED] = "active_changed",
        [DRIFT_TARGETS_DISAGREE] = "targets_disagree",
        [DRIFT_JOURNAL_UNFIT] = "journal_unfit",
    };

    return names[drift];
}

void record_init(struct record *record)
{
    *record = (struct record){.position = POSITION_ADOPT_WAIT};
}

const struct target_record *record_target_const(const struct record *record,
                                                const struct target_id *id)
{
    for (size_t i = 0; i < record->target_count; i++)
        if (target_id_equal(&record->targets[i].id, id))
            return &record->targets[i];
    return NULL;
}

struct target_record *record_target(struct record *record, const struct target_id *id)
{
    for (size_t i = 0; i < record->target_count; i++)
        if (target_id_equal(&record->targets[i].id, id))
            return &record->targets[i];
    return NULL;
}

bool record_is_replaced(const struct record *record, const struct fingerprint *fingerprint)
{
    if (fingerprint_is_none(fingerprint))
        return false;
    for (size_t i = 0; i < REPLACED_MAX; i++)
        if (fingerprint_equal(&record->replaced[i], fingerprint))
            return true;
    return false;
}

void record_add_replaced(struct record *record, enum slot slot, time_ms at)
{
    const struct fingerprint *fingerprint = &record->live[slot];

    if (fingerprint_is_none(fingerprint) || record_is_replaced(record, fingerprint))
        return;
    for (size_t i = REPLACED_MAX - 1; i > 0; i--) {
        record->replaced[i] = record->replaced[i - 1];
        record->replaced_slot[i] = record->replaced_slot[i - 1];
        record->replaced_at[i] = record->replaced_at[i - 1];
    }
    record->replaced[0] = *fingerprint;
    record->replaced_slot[0] = slot;
    record->replaced_at[0] = at;
}

void record_remove_replaced(struct record *record, const struct fingerprint *fingerprint)
{
    for (size_t i = 0; i < REPLACED_MAX; i++) {
        if (!fingerprint_equal(&record->replaced[i], fingerprint))
            continue;
        record->replaced[i] = (struct fingerprint){0};
        record->replaced_slot[i] = SLOT_PRIMARY;
        record->replaced_at[i] = 0;
    }
}

void record_begin_overlap(struct record *record, time_ms at)
{
    if (record->overlap_from < at)
        record->overlap_from = at;
}

time_ms record_delivering_since(const struct record *record)
{
    return record->verify_since != 0 ? record->verify_since : record->born[record->delivering];
}

const struct fingerprint *record_delivering_key(const struct record *record)
{
    return &record->live[record->delivering];
}

bool record_target_is_left(const struct record *record, const struct target_record *target)
{
    return record->another_rotator && record->delivering == record->active &&
           target->acknowledged && target->acknowledged_at == 0 && target->failing_since == 0 &&
           fingerprint_equal(&target->fingerprint, &record->live[slot_other(record->active)]);
}

void record_clear_another_rotator(struct record *record)
{
    for (size_t i = 0; i < record->target_count; i++) {
        if (!record_target_is_left(record, &record->targets[i]))
            continue;
        record->targets[i].acknowledged = false;
        record->repairing = DRIFT_TARGET_CHANGED;
    }
    record->another_rotator = false;
}

void record_close_intent(struct record *record)
{
    record->intent = (struct intent){.settles_at = record->intent.settles_at};
}

bool record_target_has_key(const struct record *record, const struct target_record *target)
{
    return target->acknowledged &&
           fingerprint_equal(&target->fingerprint, record_delivering_key(record));
}

bool record_target_satisfied(const struct record *record, const struct target_record *target)
{
    return record_target_has_key(record, target) || record_target_is_left(record, target);
}

size_t record_owed_required(const struct record *record)
{
    size_t owed = 0;

    for (size_t i = 0; i < record->target_count; i++)
        if (record->targets[i].required && !record_target_satisfied(record, &record->targets[i]))
            owed++;
    return owed;
}
