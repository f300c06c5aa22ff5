#include "app/engine_private.h"

#include "base/must.h"
#include "core/key_time.h"

void engine_totals_init(struct engine *engine)
{
    list_init(&engine->counts.needs_people);
    list_init(&engine->counts.recovers);
    list_init(&engine->counts.calling);
}

void engine_totals_done(struct engine *engine)
{
    heap_done(&engine->counts.next);
    heap_done(&engine->counts.oldest);
}

/* --- counting --- */

static time_ms oldest_key(const struct record *record)
{
    time_ms oldest = TIME_NEVER;
    bool older;

    for (int slot = 0; slot < SLOT_COUNT && record->adopted; slot++) {
        const time_ms born = key_time_born(record, (enum slot)slot, &older);

        if (born != 0)
            oldest = time_min(oldest, born);
    }
    return oldest;
}

/* The list of those who are not well that it belongs to, or NULL; as control_account_is_well() has
 * it. */
static struct list *unwell_list(struct engine_counts *counts, const struct rotation_view *view)
{
    if (view->state == STATE_BLOCKED || view->overdue || view->consumers_at_risk)
        return &counts->needs_people;
    if (view->state == STATE_RETRYING ||
        (view->state == STATE_HELD && view->reason == REASON_OPERATOR) ||
        (view->state == STATE_ADOPTING && view->reason != REASON_NONE))
        return &counts->recovers;
    return NULL;
}

static void set_instant(struct heap *heap, struct heap_item *item, time_ms at)
{
    if (heap_set(heap, item, at) != 0)
        fault_out_of_memory();
}

/* Takes back what was counted for the account. */
static void discount(struct engine_counts *counts, struct standing *standing)
{
    if (!standing->counted)
        return;
    counts->by_state[standing->state]--;
    counts->overdue -= standing->overdue;
    counts->at_risk -= standing->at_risk;
    counts->watched -= standing->watched;
    counts->frozen -= standing->frozen;
    if (!list_empty(&standing->unwell_link))
        counts->unwell--;
    list_remove(&standing->unwell_link);
    standing->counted = false;
}

void engine_totals_forget(struct engine_account *account)
{
    struct engine_counts *counts = &account->engine->counts;

    discount(counts, &account->standing);
    set_instant(&counts->next, &account->standing.next, TIME_NEVER);
    set_instant(&counts->oldest, &account->standing.oldest, TIME_NEVER);
}

time_ms engine_totals_update(struct engine_account *account)
{
    struct engine_counts *counts = &account->engine->counts;
    struct standing *standing = &account->standing;
    struct rotation_view view;
    struct list *unwell;

    engine_account_view(account, &view);
    discount(counts, standing);
    standing->counted = true;
    standing->state = view.state;
    standing->overdue = view.overdue;
    standing->at_risk = view.consumers_at_risk;
    standing->watched = view.reason == REASON_CONFIG;
    standing->frozen = view.reason == REASON_FREEZE;
    counts->by_state[view.state]++;
    counts->overdue += view.overdue;
    counts->at_risk += view.consumers_at_risk;
    counts->watched += standing->watched;
    counts->frozen += standing->frozen;
    unwell = unwell_list(counts, &view);
    if (unwell) {
        list_append(unwell, &standing->unwell_link);
        counts->unwell++;
    }
    set_instant(&counts->next, &standing->next, view.stuck ? TIME_NEVER : view.next_at);
    set_instant(&counts->oldest, &standing->oldest, oldest_key(&account->record));
    return view.changes_at;
}

/* --- asking --- */

static void name_some(const struct list *unwell, struct engine_totals *totals, size_t *named)
{
    list_for_each (link, unwell) {
        if (*named == ENGINE_UNWELL_NAMED)
            return;
        totals->unwell_named[(*named)++] =
            container_of(link, struct engine_account, standing.unwell_link)->account;
    }
}

/* Azure's pauses come and go without an event: who waits for one at this moment is retried, unless
 * it is blocked, which stays the more important thing (see
 * engine_account_view_for_people()). */
static void count_throttled(const struct engine *engine, struct engine_totals *totals,
                            size_t *named)
{
    list_for_each_entry (account, &engine->counts.calling, const struct engine_account,
                         calling_link) {
        const struct standing *standing = &account->standing;
        duration_ms wait;

        if (!standing->counted || standing->state == STATE_BLOCKED ||
            !azure_call_is_throttled(account->call, &wait))
            continue;
        totals->by_state[standing->state]--;
        totals->by_state[STATE_RETRYING]++;
        totals->watched -= standing->watched;
        totals->frozen -= standing->frozen;
        if (!list_empty(&standing->unwell_link))
            continue;
        totals->unwell++;
        if (*named < ENGINE_UNWELL_NAMED)
            totals->unwell_named[(*named)++] = account->account;
    }
}

void engine_totals(const struct engine *engine, struct engine_totals *totals)
{
    const struct engine_counts *counts = &engine->counts;
    const struct heap_item *next = heap_first(&counts->next);
    const struct heap_item *oldest = heap_first(&counts->oldest);
    size_t named = 0;

    *totals = (struct engine_totals){
        .accounts = engine->account_count,
        .overdue = counts->overdue,
        .at_risk = counts->at_risk,
        .watched = counts->watched,
        .frozen = counts->frozen,
        .unwell = counts->unwell,
        .oldest_key_born = TIME_NEVER,
        .next_at = TIME_NEVER,
    };
    memcpy(totals->by_state, counts->by_state, sizeof(totals->by_state));
    name_some(&counts->needs_people, totals, &named);
    name_some(&counts->recovers, totals, &named);
    count_throttled(engine, totals, &named);
    if (next) {
        totals->next_at = next->at;
        totals->next_account =
            container_of(next, struct engine_account, standing.next)->account->name;
    }
    if (oldest) {
        totals->oldest_key_born = oldest->at;
        totals->oldest_key_account =
            container_of(oldest, struct engine_account, standing.oldest)->account->name;
    }
}
