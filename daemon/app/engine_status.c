#include "app/engine_status.h"

#include <errno.h>

#include "app/engine_account.h"
#include "app/engine_snapshot.h"
#include "app/engine_totals.h"

static time_ms or_never(time_ms at)
{
    return at == 0 ? TIME_NEVER : at;
}

static void write_account(const struct engine_account *account, bool only_unwell, struct buf *out)
{
    struct account_snapshot snapshot;
    struct snapshot_texts texts;

    engine_snapshot_account(account, &snapshot, &texts);
    if (!only_unwell || !control_account_is_well(&snapshot))
        control_status_account(out, &snapshot, loop_now(account->engine->parts.loop));
}

/* Which accounts a question means: checks that every name is one account. */
static int check_names(const struct engine *engine, const struct control_query *query,
                       struct err *err)
{
    for (size_t name = 0; name < query->name_count; name++) {
        size_t found = 0;

        for (size_t i = 0; i < engine->account_count; i++) {
            const struct account *subject = engine->accounts[i]->account;

            found += control_names_account(query->names[name], subject->name,
                                           subject->resource_group, subject->id)
                         ? 1
                         : 0;
        }
        if (found == 0)
            return err_set(err, -ENOENT, "no account %.100s is configured", query->names[name]);
        if (found > 1)
            return err_set(err, -ENOTUNIQ,
                           "more than one account is named %.100s: say "
                           "group/name, or the resource id where that is not enough",
                           query->names[name]);
    }
    return 0;
}

static bool is_asked_for(const struct account *subject, const struct control_query *query,
                         size_t name_count)
{
    for (size_t name = 0; name < name_count; name++)
        if (control_names_account(query->names[name], subject->name, subject->resource_group,
                                  subject->id))
            return true;
    return false;
}

/* In the order asked for; each once. */
static void write_named(const struct engine *engine, const struct control_query *query,
                        struct buf *out)
{
    for (size_t name = 0; name < query->name_count; name++) {
        for (size_t i = 0; i < engine->account_count; i++) {
            const struct account *subject = engine->accounts[i]->account;

            if (is_asked_for(subject, query, name + 1) && !is_asked_for(subject, query, name))
                write_account(engine->accounts[i], false, out);
        }
    }
}

static void fill_daemon(const struct engine *engine, struct daemon_snapshot *daemon)
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
    daemon->overdue = totals.overdue;
    daemon->consumers_at_risk = totals.at_risk;
    daemon->oldest_key_born = totals.oldest_key_born;
    daemon->oldest_key_account = totals.oldest_key_account;
    daemon->next_at = totals.next_at;
    daemon->next_account = totals.next_account;
    daemon->journal_failing_since = or_never(failing);
    daemon->journal_error = failing ? error : NULL;
}

int engine_status(struct engine *engine, const struct control_query *query, bool unwell_alone,
                  struct daemon_snapshot *daemon, struct buf *out, struct err *err)
{
    int rc = check_names(engine, query, err);

    if (rc)
        return rc;
    fill_daemon(engine, daemon);
    control_status_start(out, daemon);
    if (query->name_count > 0) {
        write_named(engine, query, out);
    } else {
        for (size_t i = 0; i < engine->account_count; i++)
            write_account(engine->accounts[i], unwell_alone, out);
    }
    control_status_end(out);
    return out->failed;
}
