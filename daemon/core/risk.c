#include "core/steps.h"

#include "core/delivery.h"

/*
 * Which targets hold a dead key. A target that a look cannot see holds what it was given last. Such
 * targets are given the live key at once, and are reported as consumers.at_risk, whatever else is
 * unclear or blocked.
 */

static bool is_live(const struct look *look, const struct fingerprint *key)
{
    return fingerprint_equal(key, &look->live[SLOT_PRIMARY]) ||
           fingerprint_equal(key, &look->live[SLOT_SECONDARY]);
}

static bool holds_dead_key(const struct target_record *target, const struct look *look)
{
    const enum holding holding = judge_holding(look, &target->id);

    if (holding != HOLDING_UNSEEN)
        return holding == HOLDING_DEAD_KEY;
    return target->dead_since != 0 ||
           (!fingerprint_is_none(&target->fingerprint) && !is_live(look, &target->fingerprint));
}

void risk_note(struct machine *machine, const struct look *look, time_ms since)
{
    struct record *record = machine->record;

    for (size_t i = 0; i < record->target_count; i++) {
        struct target_record *target = &record->targets[i];

        if (!holds_dead_key(target, look))
            target->dead_since = 0;
        else if (target->dead_since == 0)
            target->dead_since = since;
    }
}

void risk_note_live(struct machine *machine, const struct fingerprint live[SLOT_COUNT])
{
    const struct look look = {.live = {live[SLOT_PRIMARY], live[SLOT_SECONDARY]}};

    risk_note(machine, &look, machine->now);
}

void risk_report(struct machine *machine)
{
    struct record *record = machine->record;
    const struct target_record *first = NULL;
    struct note *note;

    for (size_t i = 0; i < record->target_count && !first; i++)
        if (record->targets[i].required && record->targets[i].dead_since != 0)
            first = &record->targets[i];
    if (record->consumers_at_risk == !!first)
        return;
    record->consumers_at_risk = !!first;
    note = machine_note(machine, first ? NOTE_CONSUMERS_AT_RISK : NOTE_CONSUMERS_SAFE);
    if (!first)
        return;
    note->has_target = true;
    note->target = first->id;
    if (delivery_repair_waits_for_human(machine->context, record))
        note->reason = REASON_REDELIVER_AWAITED;
}
