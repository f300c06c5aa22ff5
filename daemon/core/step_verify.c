#include "core/machine.h"

#include "core/backoff.h"

/*
 * Proving that the new key works before anybody is given it. A new key takes a while to be known to
 * the data plane, so a refusal counts only after verify_timeout; a data plane that cannot be
 * reached from here says nothing about the key, and only `verify: required` waits for it. One that
 * has refused the key can be reached: then it has to accept it, however long that takes. Nor is one
 * attempt enough: patience also runs out while this process is stopped.
 */

enum { VERIFY_RETRY_FIRST_MS = 1000 };

void enter_verify(struct machine *machine)
{
    struct record *record = machine->record;

    if (record->verified || machine->context->policy->verify == VERIFY_OFF) {
        deliver_next(machine);
        return;
    }
    if (record->verify_since == 0)
        record->verify_since = machine->now;
    machine_move(machine, POSITION_VERIFY);
    machine_act(machine, ACTION_VERIFY_LIVE);
    machine->effects->action.slot = record->delivering;
    machine->effects->action.key = *record_delivering_key(record);
}

void enter_verify_look(struct machine *machine)
{
    machine_move(machine, POSITION_VERIFY_LOOK);
    machine_act_look(machine);
}

static void enter_verify_wait(struct machine *machine)
{
    machine_move(machine, POSITION_VERIFY_WAIT);
}

void delivering_key_changed(struct machine *machine, const struct look *look)
{
    struct record *record = machine->record;

    machine_note_drift(machine, NOTE_DRIFT_DETECTED, DRIFT_ACTIVE_CHANGED);
    machine_foreign_change(machine);
    machine_take_key(machine, record->delivering, &look->live[record->delivering]);
    machine_void_acknowledgements(machine);
    record->verified = false;
    record->refused = false;
    record->verify_since = machine->now;
}

void on_verify_look(struct machine *machine)
{
    struct record *record = machine->record;
    const struct look *look = machine->event->look;
    struct verdict verdict;

    if (adopt_if_asked(machine))
        return;
    if (machine->event->failure) {
        machine_fail(machine, machine->event->failure);
        enter_verify_wait(machine);
        return;
    }
    machine_looked(machine);
    verdict = judge_delivery(record, look);
    if (verdict.kind == VERDICT_LATE) {
        machine_trouble_late(machine);
        enter_verify_wait(machine);
        return;
    }
    if (verdict.drift == DRIFT_JOURNAL_UNFIT) {
        adopt_anew(machine, look);
        return;
    }
    risk_note(machine, look, machine->now);
    if (verdict.drift == DRIFT_ACTIVE_CHANGED)
        delivering_key_changed(machine, look);
    /* The look was all right; whether the key is, the data plane says. */
    record->retry_reason = REASON_NONE;
    if (machine_blocked_by_world(record) && record->blocked != REASON_KEY_REFUSED)
        machine_unblock(machine);
    enter_verify(machine);
}

/* The data plane said no. */
static void on_refused(struct machine *machine, bool patience_is_over)
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
    enter_verify_wait(machine);
}

void on_verified(struct machine *machine)
{
    struct record *record = machine->record;
    const struct failure *failure = machine->event->failure;
    time_ms patience = time_add(record->verify_since, machine->context->timing->verify_timeout);
    bool patience_is_over = machine->now >= patience;

    if (adopt_if_asked(machine))
        return;
    if (!failure) {
        machine_recovered(machine);
        record->verified = true;
        record->refused = false;
        machine_note_key(machine, NOTE_KEY_VERIFIED, record->delivering);
        deliver_next(machine);
    } else if (failure->reason == REASON_KEY_REFUSED) {
        on_refused(machine, patience_is_over);
    } else if (reason_describe(failure->reason)->clearing == CLEARED_BY_WORLD) {
        machine_fail(machine, failure);
        enter_verify_wait(machine);
    } else if (machine->context->policy->verify == VERIFY_AUTO && patience_is_over &&
               record->attempts > 0 && !record->refused) {
        struct note *note = machine_note_key(machine, NOTE_KEY_UNVERIFIED, record->delivering);

        note->reason = failure->reason;
        note->from_failure = true;
        machine_recovered(machine);
        record->verified = true;
        deliver_next(machine);
    } else {
        machine_fail(machine, failure);
        /* Not so long that the moment to go on without proof passes unused. */
        if (machine->context->policy->verify == VERIFY_AUTO && !patience_is_over &&
            record->retry_at > patience)
            record->retry_at = patience;
        enter_verify_wait(machine);
    }
}
