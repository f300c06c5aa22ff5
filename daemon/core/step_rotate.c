#include "core/machine.h"

#include <stdio.h>

/*
 * From "it is due" to "the standby slot holds a new key". The happy path:
 *
 *   1. PREFLIGHT: every required target could be written;
 *   2. ROTATE_LOOK: live keys and targets are what the journal says;
 *   3. INTENT: cycle, slot and what was seen are made durable;
 *   4. REGENERATE: one request, whose answer shows the new key.
 *
 * What can go wrong: 1 and 2 fail (nothing has happened: IDLE, tried again); the journal takes so
 * long that the look is stale (look again); the request fails, or nobody knows (DOUBT_WAIT, then a
 * look decides whether it happened; if it did not, the same slot is asked for again).
 */

void enter_preflight(struct machine *machine)
{
    struct record *record = machine->record;

    if (!record->requested) {
        record->trigger = TRIGGER_SCHEDULE;
        record->actor[0] = '\0';
    }
    machine_move(machine, POSITION_PREFLIGHT);
    machine_act(machine, ACTION_PREFLIGHT);
}

void on_preflight(struct machine *machine)
{
    if (adopt_if_asked(machine))
        return;
    if (machine->event->failure) {
        machine_fail(machine, machine->event->failure);
        enter_idle(machine);
        return;
    }
    machine_move(machine, POSITION_ROTATE_LOOK);
    machine_act_look(machine);
}

/*
 * The only place where an intent is written. The look that is at hand was judged as recorded in
 * this very step, and has to come with the account's description; the interlock has the last word.
 */
static bool write_intent(struct machine *machine)
{
    struct record *record = machine->record;
    struct intent *intent = &record->intent;
    struct interlock interlock;

    rotation_interlock(machine->context, record, machine->now, &interlock);
    if (!interlock.open || !machine_is_described(machine))
        return false;
    if (!intent->open) {
        *intent = (struct intent){.open = true, .slot = slot_other(record->active)};
        record->cycle++;
        record->started_at = machine->now;
        if (machine->event->fresh_uuid)
            snprintf(record->correlation, sizeof(record->correlation), "%s",
                     machine->event->fresh_uuid);
        machine_note_key(machine, NOTE_ROTATION_STARTED, intent->slot);
    }
    if (intent->slot != slot_other(record->active))
        machine_fault(machine, "an intent for the active slot");
    intent->before[SLOT_PRIMARY] = record->live[SLOT_PRIMARY];
    intent->before[SLOT_SECONDARY] = record->live[SLOT_SECONDARY];
    intent->written_at = machine->now;
    intent->attempts++;
    machine_move(machine, POSITION_INTENT);
    return true;
}

/* Nothing came of the intent, and nothing will: the cycle's number is used by the next one. */
static void close_intent_undone(struct machine *machine)
{
    struct record *record = machine->record;

    if (!record->intent.open)
        return;
    record->intent = (struct intent){0};
    record->cycle--;
}

void on_rotate_look(struct machine *machine)
{
    bool whole;

    if (adopt_if_asked(machine))
        return;
    if (machine->event->failure) {
        machine_fail(machine, machine->event->failure);
        enter_idle(machine);
        return;
    }
    if (!machine_clock_agrees(machine)) {
        enter_idle(machine);
        return;
    }
    whole = machine_take_look(machine);
    /* The clock may have been set since it was found due, and the window may have closed. */
    if (check_look(machine, machine->event->look) &&
        (!whole || !plan_is_due(machine) || !plan_window_is_open(machine) ||
         !write_intent(machine)))
        enter_idle(machine);
}

void on_intent_persisted(struct machine *machine)
{
    struct record *record = machine->record;
    struct interlock interlock;

    /* The request has not left yet: a new configuration (another target, rotate: false) or a clock
     * that was set still stops it. */
    rotation_interlock(machine->context, record, machine->now, &interlock);
    if (!interlock.open && record->intent.attempts == 1) {
        close_intent_undone(machine);
        enter_idle(machine);
        return;
    }
    if (!interlock.open) {
        enter_doubt_wait(machine, 0);
        return;
    }
    if (!machine_look_is_fresh(machine)) {
        if (machine_trouble_stalled(machine))
            enter_doubt_look(machine);
        else
            enter_doubt_wait(machine, 0);
        return;
    }
    machine_move(machine, POSITION_REGENERATE);
    machine_act(machine, ACTION_REGENERATE);
    machine->effects->action.slot = record->intent.slot;
}

void enter_doubt_wait(struct machine *machine, time_ms not_before)
{
    struct record *record = machine->record;

    if (record->retry_at < not_before)
        record->retry_at = not_before;
    machine_move(machine, POSITION_DOUBT_WAIT);
}

void enter_doubt_look(struct machine *machine)
{
    machine_move(machine, POSITION_DOUBT_LOOK);
    machine_act_look(machine);
}

/* The standby slot holds a new key, and it is ours: its slot is the delivering one. */
static void take_new_key(struct machine *machine, const struct fingerprint *key)
{
    struct record *record = machine->record;
    enum slot slot = record->intent.slot;

    machine_take_key(machine, slot, key);
    record->delivering = slot;
    record->intent = (struct intent){0};
    record->regenerate_after = 0;
    record->verified = false;
    record->refused = false;
    record->verify_since = machine->now;
    for (size_t i = 0; i < record->target_count; i++) {
        record->targets[i].retry_at = 0;
        record->targets[i].attempts = 0;
    }
    machine_recovered(machine);
    machine_note_key(machine, NOTE_KEY_REGENERATED, slot);
    enter_verify(machine);
}

/* Somebody regenerated the key that consumers use while ours was regenerated: the new one,
 * delivered as fast as possible, is what helps them. */
static void take_other_change(struct machine *machine, enum slot other,
                              const struct fingerprint *key)
{
    machine_note_drift(machine, NOTE_DRIFT_DETECTED, DRIFT_ACTIVE_CHANGED);
    machine_foreign_change(machine);
    machine_take_key(machine, other, key);
}

/* A pause that Azure asks for is one of regenerating: looks and repairs need not keep it. */
static void regenerate_failed(struct machine *machine, const struct failure *failure)
{
    struct record *record = machine->record;

    if (failure->retry_after > 0)
        record->regenerate_after = time_add(machine->now, failure->retry_after);
    if (reason_describe(failure->reason)->clearing == CLEARED_BY_RETRY)
        machine_trouble(machine, failure->reason, 0, NULL);
    else
        machine_fail(machine, failure);
}

void on_regenerated(struct machine *machine)
{
    struct record *record = machine->record;
    const struct event *event = machine->event;
    const struct intent *intent = &record->intent;
    enum slot slot = intent->slot;
    enum slot other = slot_other(slot);

    if (event->failure) {
        time_ms settled = time_add(machine->now, machine->context->timing->unknown_wait);

        regenerate_failed(machine, event->failure);
        enter_doubt_wait(machine, event->failure->outcome_unknown ? settled : 0);
        return;
    }
    if (fingerprint_equal(&event->live[slot], &intent->before[slot]) ||
        record_is_replaced(record, &event->live[slot]) ||
        record_is_replaced(record, &event->live[other])) {
        machine_trouble(machine, REASON_OUTCOME_UNKNOWN,
                        time_add(machine->now, machine->context->timing->unknown_wait),
                        "Azure accepted the request but did not show a new key");
        enter_doubt_wait(machine, 0);
        return;
    }
    if (!fingerprint_equal(&event->live[other], &intent->before[other]))
        take_other_change(machine, other, &event->live[other]);
    risk_note_live(machine, event->live);
    take_new_key(machine, &event->live[slot]);
}

/* Nothing has happened. The same slot again, if all that the interlock asks for still holds. */
static void repeat_or_leave(struct machine *machine)
{
    struct record *record = machine->record;
    const struct look *look = machine->event->look;
    struct interlock interlock;

    rotation_interlock(machine->context, record, machine->now, &interlock);
    if (interlock.open && judge_drift(record, look).kind == VERDICT_AS_RECORDED) {
        /* Only a regenerate needs all that: drift is repaired with less. */
        if (!machine_clock_agrees(machine) || !machine_look_is_whole(machine) ||
            !machine_is_described(machine)) {
            enter_doubt_wait(machine, 0);
            return;
        }
        if (check_look(machine, look) && write_intent(machine))
            return;
    }

    close_intent_undone(machine);
    record->retry_reason = REASON_NONE;
    record->retry_at = 0;
    if (!adopt_if_asked(machine) && check_look(machine, look))
        enter_idle(machine);
}

void on_doubt_look(struct machine *machine)
{
    struct record *record = machine->record;
    const struct look *look = machine->event->look;
    enum slot slot = record->intent.slot;
    enum slot other = slot_other(slot);
    bool changed, other_changed;

    if (machine->event->failure) {
        machine_fail(machine, machine->event->failure);
        enter_doubt_wait(machine, 0);
        return;
    }
    if (machine_blocked_by_world(record) && !machine->event->undescribed)
        machine_unblock(machine);
    if (judge_is_late(record, look)) {
        machine_trouble_late(machine);
        enter_doubt_wait(machine, 0);
        return;
    }
    machine_looked(machine);
    changed = !fingerprint_equal(&look->live[slot], &record->intent.before[slot]);
    other_changed = !fingerprint_equal(&look->live[other], &record->intent.before[other]);

    if ((changed && other_changed && judge_unanimous(record, look, other)) ||
        judge_is_ahead(record, look)) {
        /* Consumers already use a key that this journal never saw: it is the one that is behind. */
        record->intent = (struct intent){0};
        adopt_anew(machine, look);
    } else if (changed) {
        if (other_changed)
            take_other_change(machine, other, &look->live[other]);
        risk_note(machine, look, machine->now);
        take_new_key(machine, &look->live[slot]);
    } else {
        repeat_or_leave(machine);
    }
}
