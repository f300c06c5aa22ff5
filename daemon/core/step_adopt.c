#include "core/steps.h"

/* Is the look late? If Azure keeps showing the same, the journal is wrong about a key, and the
 * adoption continues. */
static bool look_is_late(const struct machine *machine)
{
    const struct record *record = machine->record;
    const duration_ms believed_after = machine_shown_within(machine);

    if (!judge_is_late(record, machine->event->look))
        return false;
    return record->retry_reason != REASON_OUTCOME_UNKNOWN ||
           machine->now < time_add(record->retrying_since, believed_after);
}

/* The description says that keys of this account are unusable, so no consumer needs one. */
static bool keys_are_off(enum reason reason)
{
    return reason == REASON_SHARED_KEY_DISABLED || reason == REASON_USER_SUBSCRIPTION_MODE;
}

enum position adopt_look_done(struct machine *machine)
{
    struct record *record = machine->record;
    const struct rotation_context *context = machine->context;
    const struct failure *undescribed = machine->event->undescribed;
    const bool again = record->adopted_at != 0;
    struct adoption_hint hint = {
        .asked = record->adopt_asked,
        .asked_slot = record->adopt_slot,
    };

    /* Where it cannot be read, what it has said last counts. */
    if (undescribed && (keys_are_off(undescribed->reason) || keys_are_off(record->blocked))) {
        machine_fail(machine, undescribed);
        return POSITION_ADOPT_WAIT;
    }
    if (look_is_late(machine)) {
        machine_retry_late_look(machine);
        return POSITION_ADOPT_WAIT;
    }
    machine_remember_look(machine);
    machine_clear_retry(machine);
    /* `adopt_active` describes the first day: it is no evidence for an account that was adopted
     * before. */
    if (!again) {
        hint.has_active = context->has_adopt_active;
        hint.active = context->adopt_active;
    }
    return adoption_decide(machine, machine->event->look, &hint, again);
}

time_ms adopt_wake_at(const struct machine *machine)
{
    const struct record *record = machine->record;

    /* Waits for a person, and is looked at meanwhile like others. */
    if (reason_describe(record->blocked)->clearing == CLEARED_BY_HUMAN && record->retry_at == 0)
        return record->check_at;
    return record->retry_at;
}
