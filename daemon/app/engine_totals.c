#include "app/engine_totals.h"

#include "app/engine_view.h"

/* What a person is woken for comes before what passes by itself: it takes the place of the last
 * one that does, `*worst` being how many of the named ones are of the first kind. */
static void note_unwell(const struct engine_account *account, const struct rotation_view *view,
                        struct engine_totals *totals, size_t *worst)
{
    const bool is_bad = view->state == STATE_BLOCKED || view->overdue || view->consumers_at_risk;

    if (!is_bad && view->state != STATE_RETRYING &&
        (view->state != STATE_HELD || view->reason == REASON_CONFIG))
        return;
    if (is_bad && *worst < ENGINE_UNWELL_NAMED) {
        for (size_t i = ENGINE_UNWELL_NAMED - 1; i > *worst; i--)
            totals->unwell_named[i] = totals->unwell_named[i - 1];
        totals->unwell_named[(*worst)++] = account->account;
    } else if (totals->unwell < ENGINE_UNWELL_NAMED) {
        totals->unwell_named[totals->unwell] = account->account;
    }
    totals->unwell++;
}

static void count_account(const struct engine_account *account, struct engine_totals *totals,
                          size_t *worst)
{
    const struct record *record = &account->record;
    struct rotation_view view;

    engine_view(account, &view);
    totals->by_state[view.state]++;
    totals->overdue += view.overdue ? 1 : 0;
    totals->at_risk += view.consumers_at_risk ? 1 : 0;
    note_unwell(account, &view, totals, worst);
    if (!view.stuck && view.next_at < totals->next_at) {
        totals->next_at = view.next_at;
        totals->next_account = account->account->name;
    }
    for (int slot = 0; slot < SLOT_COUNT && record->adopted; slot++) {
        if (record->born[slot] != 0 && record->born[slot] < totals->oldest_key_born) {
            totals->oldest_key_born = record->born[slot];
            totals->oldest_key_account = account->account->name;
        }
    }
}

void engine_totals(const struct engine *engine, struct engine_totals *totals)
{
    size_t worst = 0;

    *totals = (struct engine_totals){
        .accounts = engine->account_count,
        .oldest_key_born = TIME_NEVER,
        .next_at = TIME_NEVER,
    };
    for (size_t i = 0; i < engine->account_count; i++)
        count_account(engine->accounts[i], totals, &worst);
}
