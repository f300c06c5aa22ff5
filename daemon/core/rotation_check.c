#include "core/rotation.h"

/*
 * The invariant of a record: what no step may ever leave behind. Each line is one of the rules in
 * README.md ("Why it is safe"), as far as it can be read off a record.
 */

static bool in_doubt(enum position position)
{
    return position == POSITION_INTENT || position == POSITION_REGENERATE ||
           position == POSITION_DOUBT_WAIT || position == POSITION_DOUBT_LOOK;
}

static bool delivers(enum position position)
{
    return position == POSITION_VERIFY_LOOK || position == POSITION_VERIFY ||
           position == POSITION_VERIFY_WAIT || position == POSITION_DELIVER_LOOK ||
           position == POSITION_DELIVER_INTENT || position == POSITION_DELIVER ||
           position == POSITION_DELIVER_WAIT;
}

static bool adopts(enum position position)
{
    return position == POSITION_ADOPT_WAIT || position == POSITION_ADOPT_LOOK;
}

const char *rotation_check(const struct rotation_context *context, const struct record *record)
{
    const struct intent *intent = &record->intent;

    if (record->position >= POSITION_COUNT)
        return "a position that does not exist";
    if ((int)record->active >= SLOT_COUNT || (int)record->delivering >= SLOT_COUNT)
        return "a slot that does not exist";
    if (record->target_count > TARGETS_MAX || record->target_count != context->target_count)
        return "the targets are not those of the configuration";
    if (!record->adopted && !adopts(record->position))
        return "an account that is not adopted does more than adopt";
    if (intent->open != in_doubt(record->position))
        return "an open intent outside the positions that resolve it";
    if (intent->open && intent->slot == record->active)
        return "an intent to regenerate the active slot";
    if (intent->open && record->delivering != record->active)
        return "an intent while an earlier key is still being delivered";
    if (record->adopted && record->delivering != record->active && !delivers(record->position) &&
        !adopts(record->position))
        return "a new key that nobody delivers";
    if (record->adopted &&
        (fingerprint_is_none(&record->live[0]) || fingerprint_is_none(&record->live[1]) ||
         fingerprint_equal(&record->live[0], &record->live[1])))
        return "the live keys are not two";
    if (reason_describe(record->blocked)->state != STATE_BLOCKED && record->blocked != REASON_NONE)
        return "blocked for a reason that does not block";
    if (record->another_rotator && record->blocked == REASON_NONE)
        return "another rotator, and nobody is asked to see to it";
    if (reason_describe(record->retry_reason)->state != STATE_RETRYING &&
        record->retry_reason != REASON_NONE)
        return "in trouble for a reason that is none";
    return NULL;
}
