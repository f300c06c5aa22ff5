#include "core/steps.h"

#include <stdio.h>

#include "core/interlock.h"
#include "core/key_time.h"

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

enum position rotate_enter_preflight(struct machine *machine)
{
    struct record *record = machine->record;

    if (!record->requested) {
        record->trigger = TRIGGER_SCHEDULE;
        record->actor[0] = '\0';
    }
    machine_act(machine, ACTION_PREFLIGHT);
    return POSITION_STAY;
}

/*
 * The only place where an intent is written: returns false where it may not be. The look that is at
 * hand was judged as recorded in this very step, and has to come with the account's description;
 * the interlock has the last word.
 */
static bool write_intent(struct machine *machine)
{
    struct record *record = machine->record;
    struct intent *intent = &record->intent;
    struct interlock interlock;

    interlock_ask(machine->context, record, machine->now, &interlock);
    if (!interlock.open || !machine_require_description(machine))
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
    intent->operation = (struct fingerprint){0};
    intent->ended = false;
    intent->settles_at = 0;
    intent->poll_at = 0;
    intent->poll_failures = 0;
    return true;
}

/* The request was not and will not be carried out: the next intent takes the cycle's number. */
static void close_intent_undone(struct machine *machine)
{
    struct record *record = machine->record;

    if (!record->intent.open)
        return;
    record->intent = (struct intent){0};
    record->cycle--;
}

enum position rotate_look_done(struct machine *machine)
{
    enum position next;
    bool whole;

    if (!machine_require_clock(machine))
        return POSITION_IDLE;
    whole = machine_take_look(machine);
    next = drift_follow(machine, machine->event->look);
    if (next != POSITION_STAY)
        return next;
    /* Since the rotation became due, the clock may have been set and the window may have closed. */
    return whole && plan_is_due(machine) && plan_require_window(machine) && write_intent(machine)
               ? POSITION_INTENT
               : POSITION_IDLE;
}

/* The request has not left yet: a new configuration (another target, rotate: false) or a clock that
 * was set still stops it. */
enum position rotate_intent_durable(struct machine *machine)
{
    struct interlock interlock;

    interlock_ask(machine->context, machine->record, machine->now, &interlock);
    if (!interlock.open && machine->record->intent.attempts == 1) {
        close_intent_undone(machine);
        return POSITION_IDLE;
    }
    if (!interlock.open)
        return POSITION_DOUBT_WAIT;
    if (!machine_look_is_fresh(machine))
        return machine_retry_stalled(machine, POSITION_DOUBT_LOOK, POSITION_DOUBT_WAIT);
    return POSITION_REGENERATE;
}

enum position rotate_enter_regenerate(struct machine *machine)
{
    machine_act(machine, ACTION_REGENERATE);
    machine->effects->action.slot = machine->record->intent.slot;
    return POSITION_STAY;
}

/* After a lost answer a look shows the new key. A time before the request is shown, and decides
 * nothing: whoever made the key, it is live and in use nowhere. */
static void show_key_time(const struct machine *machine, struct note *note, time_ms asked_at)
{
    const struct look *look = machine->event->look;
    const time_ms made_at = look ? key_time_told(look->made[note->slot], machine->now) : 0;

    note->key_made_at = made_at;
    if (made_at != 0 && time_add(made_at, KEY_TIME_AHEAD) < asked_at)
        note->detail =
            "Azure says that it was made before the daemon asked for it, so somebody "
            "else may have made it";
}

/* The standby slot holds a new key, and it is ours: its slot is the delivering one. */
static enum position take_new_key(struct machine *machine, const struct fingerprint *key)
{
    struct record *record = machine->record;
    enum slot slot = record->intent.slot;
    const time_ms asked_at = record->intent.written_at;

    machine_take_key(machine, slot, key);
    record->delivering = slot;
    record->intent = (struct intent){0};
    /* Lists may be late: nobody writes them back yet. */
    if (machine->context->writes_whole)
        record->intent.settles_at =
            time_add(machine->now,
                     interlock_list_age(machine->context->timing, machine->context->list_delay));
    record->unconfirmed = (struct unconfirmed_drift){0}; /* belongs to an earlier state */
    record->regenerate_after = 0;
    record->verified = false;
    record->refused = false;
    record->verify_since = machine->now;
    for (size_t i = 0; i < record->target_count; i++) {
        record->targets[i].retry_at = 0;
        record->targets[i].attempts = 0;
    }
    machine_clear_retry(machine);
    show_key_time(machine, machine_note_key(machine, NOTE_KEY_REGENERATED, slot), asked_at);
    return POSITION_VERIFY;
}

/* Azure asks for a pause of regenerating: looks and repairs go on. */
static void regenerate_failed(struct machine *machine, const struct failure *failure)
{
    struct record *record = machine->record;

    if (failure->retry_after > 0)
        record->regenerate_after = time_add(machine->now, failure->retry_after);
    if (reason_describe(failure->reason)->clearing == CLEARED_BY_RETRY)
        machine_retry(machine, failure->reason, 0, NULL);
    else
        machine_fail(machine, failure);
}

/* Of types whose regenerates take long, or whose lists show them late. */
static void doubt_outcome(struct machine *machine, bool unknown)
{
    if (unknown)
        operation_doubt(machine);
    else
        machine->record->intent.ended = machine->context->regenerate_takes > 0;
}

enum position rotate_regenerated(struct machine *machine)
{
    struct record *record = machine->record;
    const struct event *event = machine->event;
    const struct intent *intent = &record->intent;
    enum slot slot = intent->slot;
    enum slot other = slot_other(slot);

    if (event->failure) {
        time_ms settled = time_add(machine->now, machine->context->timing->unknown_wait);

        regenerate_failed(machine, event->failure);
        if (event->failure->outcome_unknown)
            record->retry_at = time_max(record->retry_at, settled);
        doubt_outcome(machine, event->failure->outcome_unknown);
        return POSITION_DOUBT_WAIT;
    }
    if (event->under_way)
        return operation_accepted(machine);
    if (!event->shown[slot]) {
        /* What the answer does not show is not known. */
        operation_ended(machine, true);
        return POSITION_DOUBT_LOOK;
    }
    if (fingerprint_equal(&event->live[slot], &intent->before[slot]) ||
        record_is_replaced(record, &event->live[slot]) ||
        record_is_replaced(record, &event->live[other])) {
        machine_retry(machine, REASON_OUTCOME_UNKNOWN,
                      time_add(machine->now, machine->context->timing->unknown_wait),
                      "Azure accepted the request but did not show a new key");
        doubt_outcome(machine, true);
        return POSITION_DOUBT_WAIT;
    }
    /* It has happened, and is never repeated. Of the other key a look tells. */
    if (!event->shown[other]) {
        take_new_key(machine, &event->live[slot]);
        return POSITION_VERIFY_LOOK;
    }
    /* Somebody regenerated the key that consumers use while ours was regenerated: consumers are
     * helped by the new one, delivered as fast as possible. */
    if (!fingerprint_equal(&event->live[other], &record->live[other]))
        drift_take_change(machine, other, &event->live[other]);
    risk_note_live(machine, event->live);
    return take_new_key(machine, &event->live[slot]);
}

/* The request was not carried out: the same slot again, if the interlock is still open. */
static enum position repeat_or_leave(struct machine *machine)
{
    struct record *record = machine->record;
    const struct look *look = machine->event->look;
    struct interlock interlock;
    enum position next;

    interlock_ask(machine->context, record, machine->now, &interlock);
    if (interlock.open && judge_drift(record, look).kind == VERDICT_AS_RECORDED) {
        /* Only a regenerate needs all these conditions; a repair needs fewer. */
        if (!machine_require_clock(machine) || !machine_require_whole_look(machine) ||
            !machine_require_description(machine))
            return POSITION_DOUBT_WAIT;
        if (drift_follow(machine, look) == POSITION_STAY && write_intent(machine))
            return POSITION_INTENT;
    }

    close_intent_undone(machine);
    record->retry_reason = REASON_NONE;
    record->retry_at = 0;
    if (machine_adopt_is_asked(machine))
        return POSITION_ADOPT_LOOK;
    next = drift_follow(machine, look);
    return next == POSITION_STAY ? POSITION_IDLE : next;
}

enum position rotate_doubt_look_done(struct machine *machine)
{
    struct record *record = machine->record;
    const struct look *look = machine->event->look;
    enum slot slot = record->intent.slot;
    enum slot other = slot_other(slot);
    bool changed, other_changed;

    if (machine_blocked_by_world(record) && !machine->event->undescribed)
        machine_unblock(machine);
    if (judge_is_late(record, look)) {
        machine_retry_late_look(machine);
        return POSITION_DOUBT_WAIT;
    }
    machine_remember_look(machine);
    if (!record->intent.ended && !operation_is_settled(machine))
        return POSITION_DOUBT_WAIT; /* it may go on: the slot may change yet, or again */
    changed = !fingerprint_equal(&look->live[slot], &record->intent.before[slot]);
    other_changed = !fingerprint_equal(&look->live[other], &record->live[other]);

    if ((changed && other_changed && judge_unanimous(record, look, other)) ||
        judge_is_ahead(record, look)) {
        /* Consumers already use a key that this journal never saw: the journal is behind. */
        record_close_intent(record);
        return adoption_decide_anew(machine, look);
    }
    if (!changed && !operation_is_settled(machine))
        return operation_look_again(machine);
    if (!changed)
        return repeat_or_leave(machine);
    if (other_changed)
        drift_take_change(machine, other, &look->live[other]);
    risk_note(machine, look, machine->now);
    return take_new_key(machine, &look->live[slot]);
}
