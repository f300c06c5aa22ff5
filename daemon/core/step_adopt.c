#include "core/machine.h"

void enter_adopt_look(struct machine *machine)
{
    machine_move(machine, POSITION_ADOPT_LOOK);
    machine_act_look(machine);
}

bool adopt_if_asked(struct machine *machine)
{
    if (!machine->record->adopt_asked || machine->record->intent.open)
        return false;
    enter_adopt_look(machine);
    return true;
}

/* From here on the account is in our care; every required target is owed the active key. */
static void take_under_care(struct machine *machine, const struct look *look,
                            const struct adoption *adoption)
{
    struct record *record = machine->record;
    bool told = record->adopt_asked;

    for (int slot = 0; slot < SLOT_COUNT; slot++)
        machine_take_key(machine, (enum slot)slot, &look->live[slot]);
    record->adopted = true;
    record->adopted_at = machine->now;
    record->active = adoption->slot;
    record->delivering = adoption->slot;
    if (record->cycle < adoption->cycle)
        record->cycle = adoption->cycle;
    record_begin_overlap(record, machine->now);
    record->intent = (struct intent){0};
    record->unconfirmed = (struct unconfirmed_drift){0};
    record->repairing = DRIFT_NONE;
    record->adopt_asked = false;
    record->requested = false;
    record->verified = false;
    record->refused = false;
    record->verify_since = 0;
    record->check_at = time_add(machine->now, machine->context->policy->check_every);
    machine_void_acknowledgements(machine);
    /* Evidence tells which key is in use; it does not make another rotator go away. */
    if (told) {
        record->both_changed_at = 0;
        machine_forgive(machine);
    } else {
        machine_unblock(machine);
    }
    machine_note_key(machine, NOTE_ADOPTED, adoption->slot);
    record->planned_with = 0;
    plan_make(machine);
}

/*
 * Of a journal that is new, and a required target that nobody has read, nothing but the
 * configuration says which key is in use. It may be stale; and a request of an earlier journal that
 * was lost may still be carried out. So the keys have to be the same for unknown_wait first.
 * Returns whether that is still to be seen.
 */
static bool keys_are_unconfirmed(struct machine *machine, const struct look *look)
{
    struct unconfirmed_drift *unconfirmed = &machine->record->unconfirmed;
    bool unread = false;

    for (size_t i = 0; i < machine->record->target_count; i++)
        if (machine->record->targets[i].required &&
            judge_holding(look, &machine->record->targets[i].id) == HOLDING_UNSEEN)
            unread = true;
    if (!unread)
        return false;
    if (!unconfirmed->pending || !fingerprint_equal(&unconfirmed->live[0], &look->live[0]) ||
        !fingerprint_equal(&unconfirmed->live[1], &look->live[1]))
        *unconfirmed = (struct unconfirmed_drift){.pending = true,
                                                  .live = {look->live[0], look->live[1]},
                                                  .targets = judge_digest(look),
                                                  .seen_at = machine->now};
    machine->record->retry_at =
        time_add(unconfirmed->seen_at, machine->context->timing->unknown_wait);
    return machine->now < machine->record->retry_at;
}

static void adopt_from(struct machine *machine, const struct look *look,
                       const struct adoption_hint *hint, bool again)
{
    struct adoption adoption = judge_adoption(machine->record, look, hint);

    risk_note(machine, look, machine->now);
    if (adoption.settled && adoption.by_hint && !again && keys_are_unconfirmed(machine, look)) {
        machine_move(machine, POSITION_ADOPT_WAIT);
        return;
    }
    if (adoption.settled) {
        take_under_care(machine, look, &adoption);
        deliver_next(machine);
        return;
    }
    machine->record->adopted = false;
    machine->record->intent = (struct intent){0};
    machine_block(machine, again ? REASON_JOURNAL_BEHIND : adoption.reason,
                  adoption.has_target ? &adoption.target : NULL, NULL);
    machine_move(machine, POSITION_ADOPT_WAIT);
}

/* A look into the past, unless Azure keeps showing it: then it is the journal that is wrong about a
 * key, and an adoption has to get out of that. */
static bool look_is_late(const struct machine *machine)
{
    const struct record *record = machine->record;
    duration_ms believed_after = machine->context->timing->unknown_wait;

    if (!judge_is_late(record, machine->event->look))
        return false;
    return record->retry_reason != REASON_OUTCOME_UNKNOWN ||
           machine->now < time_add(record->retrying_since, believed_after);
}

/* The description says that nobody can use a key of this account: then there is nobody to give one
 * to. */
static bool keys_are_off(enum reason reason)
{
    return reason == REASON_SHARED_KEY_DISABLED || reason == REASON_USER_SUBSCRIPTION_MODE;
}

void on_adopt_look(struct machine *machine)
{
    struct record *record = machine->record;
    const struct rotation_context *context = machine->context;
    const bool again = record->adopted_at != 0;
    struct adoption_hint hint = {
        .told = record->adopt_asked,
        .told_slot = record->adopt_slot,
    };

    if (machine->event->failure) {
        machine_fail(machine, machine->event->failure);
        machine_move(machine, POSITION_ADOPT_WAIT);
        return;
    }
    if (machine->event->undescribed && keys_are_off(machine->event->undescribed->reason)) {
        machine_fail(machine, machine->event->undescribed);
        machine_move(machine, POSITION_ADOPT_WAIT);
        return;
    }
    if (look_is_late(machine)) {
        machine_trouble_late(machine);
        machine_move(machine, POSITION_ADOPT_WAIT);
        return;
    }
    machine_looked(machine);
    machine_recovered(machine);
    /* A journal that was once good and fits no more: what the configuration says about the first
     * day is no evidence about today. */
    if (!again) {
        hint.has_active = context->has_adopt_active;
        hint.active = context->adopt_active;
    }
    adopt_from(machine, machine->event->look, &hint, again);
}

void adopt_anew(struct machine *machine, const struct look *look)
{
    struct adoption_hint hint = {0};

    machine_note_drift(machine, NOTE_DRIFT_DETECTED, DRIFT_JOURNAL_UNFIT);
    adopt_from(machine, look, &hint, true);
}
