#include "core/steps.h"
#include "core/backoff.h"

/*
 * Verifies the new key before it is delivered. The data plane takes a while to know a new key, so a
 * refusal counts only after verify_timeout. A data plane that cannot be reached proves nothing
 * about the key: only `verify: required` waits for it. One that has refused the key is reachable,
 * so the rotation waits until it accepts the key. One attempt is too few: the time also passes
 * while this process is stopped.
 */

enum { VERIFY_RETRY_FIRST_MS = 1000 };

enum position verify_gate(struct machine *machine)
{
    if (machine->record->verified || machine->context->policy->verify == VERIFY_OFF)
        return POSITION_DELIVER_INTENT;
    return POSITION_VERIFY;
}

enum position verify_enter(struct machine *machine)
{
    struct record *record = machine->record;

    if (record->verify_since == 0)
        record->verify_since = machine->now;
    machine_act(machine, ACTION_VERIFY_LIVE);
    machine->effects->action.slot = record->delivering;
    machine->effects->action.key = *record_delivering_key(record);
    return POSITION_STAY;
}

/* The answer to the regenerate showed the key. Until lists must show it, too, one that shows a key
 * from before is late, unless the data plane has refused ours. */
static bool contradicts_answer(const struct machine *machine, const struct verdict *verdict)
{
    const struct record *record = machine->record;
    const duration_ms late =
        time_max(machine->context->timing->unknown_wait, machine->context->list_delay);

    return verdict->drift == DRIFT_ACTIVE_CHANGED && record->delivering != record->active &&
           !record->refused && machine->now < time_add(record_delivering_since(record), late);
}

enum position verify_look_done(struct machine *machine)
{
    struct record *record = machine->record;
    const struct look *look = machine->event->look;
    struct verdict verdict;

    machine_remember_look(machine);
    verdict = judge_delivery(record, look);
    if (verdict.kind == VERDICT_LATE || contradicts_answer(machine, &verdict)) {
        machine_retry_late_look(machine);
        return POSITION_VERIFY_WAIT;
    }
    if (verdict.drift == DRIFT_JOURNAL_UNFIT)
        return adoption_decide_anew(machine, look);
    risk_note(machine, look, machine->now);
    if (verdict.drift == DRIFT_ACTIVE_CHANGED)
        drift_restart_delivery(machine, look);
    /* The data plane decides about the key, and late looks are no attempts to ask it. */
    if (record->retry_reason == REASON_OUTCOME_UNKNOWN)
        record->attempts = 0;
    record->retry_reason = REASON_NONE;
    if (machine_blocked_by_world(record) && record->blocked != REASON_KEY_REFUSED &&
        !machine->event->undescribed)
        machine_unblock(machine);
    return POSITION_VERIFY;
}

/* The data plane refused the key. */
static enum position refused(struct machine *machine, bool patience_is_over)
{
    struct record *record = machine->record;
    duration_ms first = VERIFY_RETRY_FIRST_MS;

    record->refused = true;
    if (patience_is_over) {
        machine_block(machine, REASON_KEY_REFUSED, NULL, NULL);
        record->retry_at = time_add(machine->now, machine->context->timing->retry_max);
    } else {
        if (first > machine->context->timing->retry_initial)
            first = machine->context->timing->retry_initial;
        record->attempts++;
        record->retry_at =
            time_add(machine->now, backoff_delay(first, machine->context->timing->retry_initial,
                                                 record->attempts, (uint64_t)machine->now, 0));
    }
    return POSITION_VERIFY_WAIT;
}

enum position verify_done(struct machine *machine)
{
    struct record *record = machine->record;
    const struct failure *failure = machine->event->failure;
    const bool may_go_on = machine->context->policy->verify == VERIFY_AUTO;
    time_ms patience = time_add(record->verify_since, machine->context->timing->verify_timeout);
    bool patience_is_over = machine->now >= patience;

    if (!failure) {
        machine_clear_retry(machine);
        record->verified = true;
        record->refused = false;
        machine_note_key(machine, NOTE_KEY_VERIFIED, record->delivering);
        return POSITION_DELIVER_INTENT;
    }
    if (failure->reason == REASON_KEY_REFUSED)
        return refused(machine, patience_is_over);
    if (reason_describe(failure->reason)->clearing != CLEARED_BY_WORLD && may_go_on &&
        patience_is_over && record->attempts > 0 && !record->refused) {
        struct note *note = machine_note_key(machine, NOTE_KEY_UNVERIFIED, record->delivering);

        note->reason = failure->reason;
        note->from_failure = true;
        machine_clear_retry(machine);
        record->verified = true;
        return POSITION_DELIVER_INTENT;
    }
    machine_fail(machine, failure);
    /* Retries no later than the moment at which it may go on without proof. */
    if (reason_describe(failure->reason)->clearing != CLEARED_BY_WORLD && may_go_on &&
        !patience_is_over)
        record->retry_at = time_min(record->retry_at, patience);
    return POSITION_VERIFY_WAIT;
}
