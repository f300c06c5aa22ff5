#include "core/rotation.h"

/*
 * The invariant of a record: what no step may ever leave behind. Each line is one of the rules in
 * README.md ("Why it is safe"), as far as it can be read off a record. A position is judged by the
 * position after a restart.
 */

/* While an operation may go on, looks for drift and repairs go on, too. */
static bool resolves_intent(enum position position, enum position resumed)
{
    switch (position) {
    case POSITION_CHECK_LOOK:
    case POSITION_PROVE_TARGET:
    case POSITION_PROVE_LIVE:
    case POSITION_CONFIRM_WAIT:
    case POSITION_DELIVER_LOOK:
    case POSITION_DELIVER_INTENT:
    case POSITION_DELIVER:
        return true;
    default:
        return resumed == POSITION_DOUBT_WAIT || resumed == POSITION_POLL_WAIT;
    }
}

const char *rotation_check(const struct rotation_context *context, const struct record *record)
{
    const struct intent *intent = &record->intent;
    const enum position resumed = position_after_restart(record->position);

    if (record->position >= POSITION_COUNT)
        return "a position that does not exist";
    if ((int)record->active >= SLOT_COUNT || (int)record->delivering >= SLOT_COUNT)
        return "a slot that does not exist";
    if (record->target_count > TARGETS_MAX || record->target_count != context->target_count)
        return "the targets are not those of the configuration";
    if (!record->adopted && resumed != POSITION_ADOPT_WAIT)
        return "an account that is not adopted is in a position that requires adoption";
    if (!intent->open && (resumed == POSITION_DOUBT_WAIT || resumed == POSITION_POLL_WAIT))
        return "a position that resolves an intent, and no intent";
    if (intent->open && !resolves_intent(record->position, resumed))
        return "an open intent outside the positions that resolve it";
    if (!intent->open && !fingerprint_is_none(&intent->operation))
        return "an operation without an intent";
    if (intent->open && intent->slot == record->active)
        return "an intent to regenerate the active slot";
    if (intent->open && record->delivering != record->active)
        return "an intent while an earlier key is still being delivered";
    if (record->adopted && record->delivering != record->active && resumed == POSITION_IDLE)
        return "idle although a new key is being delivered";
    if (record->adopted &&
        (fingerprint_is_none(&record->live[0]) || fingerprint_is_none(&record->live[1]) ||
         fingerprint_equal(&record->live[0], &record->live[1])))
        return "the live keys are not two different ones";
    if (reason_describe(record->blocked)->state != STATE_BLOCKED && record->blocked != REASON_NONE)
        return "blocked with a reason of another state";
    if (record->another_rotator && record->blocked == REASON_NONE)
        return "another rotator, but the account is not blocked";
    if (reason_describe(record->retry_reason)->state != STATE_RETRYING &&
        record->retry_reason != REASON_NONE)
        return "retried with a reason of another state";
    return NULL;
}
