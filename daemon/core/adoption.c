#include "core/steps.h"

#include "core/delivery.h"
#include "core/key_time.h"

/* The account is adopted from now on; the active key is to be delivered to every required target.
 */
static void adopt_account(struct machine *machine, const struct look *look,
                          const struct adoption *adoption)
{
    struct record *record = machine->record;
    bool asked = record->adopt_asked;

    for (int slot = 0; slot < SLOT_COUNT; slot++)
        if (machine_take_key(machine, (enum slot)slot, &look->live[slot]))
            key_time_take(record, (enum slot)slot, look, machine->now);
    record->adopted = true;
    record->active = adoption->slot;
    record->delivering = adoption->slot;
    if (record->cycle < adoption->cycle)
        record->cycle = adoption->cycle;
    record_begin_overlap(record, machine->now);
    record_close_intent(record);
    record->unconfirmed = (struct unconfirmed_drift){0};
    record->repairing = DRIFT_NONE;
    /* Evidence, or a person, is more than what a rule says of all its accounts. */
    if (asked)
        machine_confirm(machine);
    else if (record->adopted_at == 0)
        record->presumed = adoption->by_hint && machine->context->presumes_active;
    record->adopted_at = machine->now;
    record->adopt_asked = false;
    record->requested = false;
    record->verified = false;
    record->refused = false;
    record->verify_since = 0;
    record->check_at = time_add(machine->now, machine->context->policy->check_every);
    delivery_void_all(record);
    /* The look shows which key is in use; the other rotator may still be active. */
    if (asked) {
        record->both_changed_at = 0;
        machine_clear_another_rotator(machine);
    } else {
        machine_unblock(machine);
    }
    machine_note_key(machine, NOTE_ADOPTED, adoption->slot);
    if (record->presumed)
        machine_presume(machine);
    record->planned_with = 0;
    plan_make(machine);
}

/*
 * The journal is new and nobody has read a required target: only the configuration says which key
 * is in use. It may be stale, and a lost request of an earlier journal may still be carried out. So
 * the keys have to stay the same for unknown_wait, or as long as a regenerate takes. Returns true
 * while that time has not passed.
 */
static bool await_same_keys(struct machine *machine, const struct look *look)
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
        !fingerprint_equal(&unconfirmed->live[1], &look->live[1])) {
        *unconfirmed = (struct unconfirmed_drift){.pending = true,
                                                  .live = {look->live[0], look->live[1]},
                                                  .targets = judge_digest(look),
                                                  .seen_at = machine->now};
        key_time_keep(machine->record, look, machine->now);
    }
    machine->record->retry_at =
        time_add(unconfirmed->seen_at,
                 time_max(machine_shown_within(machine), machine->context->regenerate_takes));
    return machine->now < machine->record->retry_at;
}

void adoption_ask(struct record *record)
{
    record->check_at = 0;
}

/* The account is blocked until a person acts, and no command has come: this look only refreshes the
 * status. */
static bool only_looks(const struct record *record)
{
    return !record->adopted && !record->adopt_asked && record->check_at != 0 &&
           reason_describe(record->blocked)->clearing == CLEARED_BY_HUMAN;
}

enum position adoption_decide(struct machine *machine, const struct look *look,
                              const struct adoption_hint *hint, bool again)
{
    struct adoption adoption = judge_adoption(machine->record, look, hint);

    risk_note(machine, look, machine->now);
    if (only_looks(machine->record) && adoption.settled) {
        machine->record->check_at = time_add(machine->now, machine->context->policy->check_every);
        return POSITION_ADOPT_WAIT;
    }
    if (adoption.settled && adoption.by_hint && !again && await_same_keys(machine, look))
        return POSITION_ADOPT_WAIT;
    if (adoption.settled) {
        adopt_account(machine, look, &adoption);
        return POSITION_DELIVER_INTENT;
    }
    machine->record->adopted = false;
    record_close_intent(machine->record);
    machine->record->check_at = time_add(machine->now, machine->context->policy->check_every);
    machine_block(machine, again ? REASON_JOURNAL_BEHIND : adoption.reason,
                  adoption.has_target ? &adoption.target : NULL, NULL);
    return POSITION_ADOPT_WAIT;
}

enum position adoption_decide_anew(struct machine *machine, const struct look *look)
{
    struct adoption_hint hint = {0};

    machine_note_drift(machine, NOTE_DRIFT_DETECTED, DRIFT_JOURNAL_UNFIT)->key_made_at =
        key_time_of_news(machine->record, look, machine->now);
    return adoption_decide(machine, look, &hint, true);
}
