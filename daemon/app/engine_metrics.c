#include "app/engine_private.h"

#include "base/must.h"
#include "base/str.h"
#include "core/key_time.h"

static time_ms or_never(time_ms at)
{
    return at == 0 ? TIME_NEVER : at;
}

static void count_targets(const struct engine_account *account, struct metrics_account *metrics)
{
    const struct record *record = &account->record;

    for (size_t i = 0; i < account->account->destination_count && i < TARGETS_MAX; i++) {
        const struct target_record *target = record_target_const(record, &account->targets[i].id);

        if (target && target->failing_since != 0)
            metrics->targets[METRICS_FAILING]++;
        else if (target && record->adopted && record_target_satisfied(record, target))
            metrics->targets[METRICS_DELIVERED]++;
        else
            metrics->targets[METRICS_WAITING]++;
    }
}

static time_ms held_until(const struct engine_account *account)
{
    const struct hold *last;

    return hold_list_collect(&account->engine->holds, account->key,
                             loop_now(account->engine->parts.loop), &last, 1) > 0
               ? last->until
               : TIME_NEVER;
}

static void describe(const struct engine_account *account, struct metrics_account *metrics)
{
    const struct record *record = &account->record;
    struct rotation_view view;
    bool older;

    engine_account_view_for_people(account, &view);
    *metrics = (struct metrics_account){
        .id = account->key,
        .name = account->account->name,
        .resource_group = account->account->resource_group,
        .state = account_state_name(view.state),
        .reason = view.reason != REASON_NONE ? reason_describe(view.reason)->name : NULL,
        .rotated_at = or_never(record->completed_at),
        .next_at = view.next_at,
        .looked_at = or_never(record->looked_at),
        .overdue = view.overdue,
        .at_risk = view.consumers_at_risk,
        .held_until = held_until(account),
    };
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        metrics->born[slot] =
            record->adopted ? or_never(key_time_born(record, (enum slot)slot, &older)) : TIME_NEVER;
    count_targets(account, metrics);
}

static size_t describe_list(const struct list *unwell, size_t limit, size_t count,
                            struct metrics_account *accounts)
{
    list_for_each (link, unwell) {
        if (count == limit)
            break;
        describe(container_of(link, struct engine_account, standing.unwell_link),
                 &accounts[count++]);
    }
    return count;
}

/* Several kinds of notes may be one event. */
static size_t count_events(const struct engine *engine, struct metrics_event *events)
{
    size_t count = 0;

    for (int kind = 0; kind < NOTE_COUNT; kind++) {
        const char *name = engine_report_event((enum note_kind)kind);
        size_t i = 0;

        if (!name)
            continue;
        while (i < count && !str_equal(events[i].name, name))
            i++;
        if (i == METRICS_EVENTS_MAX)
            continue;
        if (i == count)
            events[count++] = (struct metrics_event){.name = name};
        events[i].count += engine->told[kind];
    }
    return count;
}
_Static_assert((int)NOTE_COUNT <= (int)METRICS_EVENTS_MAX, "an event for each");

void engine_metrics(const struct engine *engine, size_t limit, struct metrics *metrics,
                    struct metrics_event *events, struct metrics_account **ret_accounts)
{
    const bool whole = engine->account_count <= limit;
    const size_t room = whole ? engine->account_count : limit;
    struct metrics_account *accounts = must_alloc_array(room + 1, sizeof(*accounts));
    size_t count = 0;

    for (size_t i = 0; whole && i < engine->account_count; i++)
        describe(engine->accounts[i], &accounts[count++]);
    if (!whole) {
        count = describe_list(&engine->counts.needs_people, room, count, accounts);
        count = describe_list(&engine->counts.recovers, room, count, accounts);
    }
    metrics->events = events;
    metrics->event_count = count_events(engine, events);
    metrics->unwell = engine->counts.unwell;
    metrics->accounts = accounts;
    metrics->account_count = count;
    *ret_accounts = accounts;
}
