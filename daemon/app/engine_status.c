#include "app/engine_private.h"

static void write_account(const struct engine_account *account, bool only_unwell, struct buf *out)
{
    struct account_snapshot snapshot;
    struct snapshot_texts texts;

    engine_snapshot_account(account, &snapshot, &texts);
    if (!only_unwell || !control_account_is_well(&snapshot))
        control_status_account(out, &snapshot, loop_now(account->engine->parts.loop));
}

const char *engine_account_key(const struct engine *engine, const char *typed, struct err *err)
{
    const struct engine_account *found = engine_words_find(engine, typed, err);

    return found ? found->key : NULL;
}

void engine_fill_daemon(const struct engine *engine, struct daemon_snapshot *daemon)
{
    struct engine_totals totals;
    const char *error = NULL;
    time_ms failing = store_failing(engine->parts.store, &error);

    engine_totals(engine, &totals);
    daemon->now = loop_now(engine->parts.loop);
    daemon->accounts = totals.accounts;
    daemon->state_count = 0;
    for (int state = 0; state < STATE_COUNT && state < CONTROL_STATES_MAX; state++)
        daemon->states[daemon->state_count++] =
            (struct state_count){.state = account_state_name((enum account_state)state),
                                 .count = totals.by_state[state]};
    daemon->watched = totals.watched;
    daemon->frozen = totals.frozen;
    daemon->overdue = totals.overdue;
    daemon->consumers_at_risk = totals.at_risk;
    daemon->oldest_key_born = totals.oldest_key_born;
    daemon->oldest_key_account = totals.oldest_key_account;
    daemon->next_at = totals.next_at;
    daemon->next_account = totals.next_account;
    daemon->journal_failing_since = failing ? failing : TIME_NEVER;
    daemon->journal_error = failing ? error : NULL;
}

int engine_status(struct engine *engine, const struct control_query *query, bool unwell_alone,
                  struct daemon_snapshot *daemon, struct buf *out, struct err *err)
{
    struct engine_selection selection;
    int rc = engine_select(engine, query, &selection, err);

    if (rc == 0) {
        engine_fill_daemon(engine, daemon);
        daemon->selected = selection.count;
        control_status_start(out, daemon);
        for (size_t i = 0; i < selection.count; i++)
            write_account(selection.accounts[i], unwell_alone, out);
        control_status_end(out);
        rc = out->failed;
    }
    engine_selection_done(&selection);
    return rc;
}
