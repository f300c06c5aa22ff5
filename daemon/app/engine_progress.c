#include "app/engine_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cause.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/str.h"

/* Is something due, under way, or being tried again within sight? */
static enum engine_progress progress_of(const struct engine_account *account)
{
    const struct record *record = &account->record;
    time_ms now = loop_now(account->engine->parts.loop);
    struct rotation_view view;

    engine_account_view_for_people(account, &view);
    if (view.state == STATE_BLOCKED)
        return engine_account_is_quiet(account) ? ENGINE_STUCK : ENGINE_WORKING;
    if (!engine_account_is_quiet(account) || view.state == STATE_ADOPTING ||
        view.state == STATE_ROTATING || view.state == STATE_RETRYING || view.consumers_at_risk ||
        record_owed_required(record) > 0 || record->check_at <= now)
        return ENGINE_WORKING;
    if (view.state == STATE_OK && view.next_at <= now + account->config->timing.unknown_wait &&
        record->due_at <= now)
        return ENGINE_WORKING;
    return ENGINE_DONE;
}

enum engine_progress engine_progress(const struct engine *engine)
{
    enum engine_progress worst = ENGINE_DONE;

    for (size_t i = 0; i < engine->account_count; i++) {
        enum engine_progress progress = progress_of(engine->accounts[i]);

        if (progress == ENGINE_WORKING)
            return ENGINE_WORKING;
        if (progress == ENGINE_STUCK)
            worst = ENGINE_STUCK;
    }
    return worst;
}

/* --- what a run that ends leaves undone --- */

enum { UNDONE_LOGGED_MAX = 20, UNDONE_WHY_MAX = 1024, UNDONE_NAMES_MAX = 1000, UNDONE_NAMED = 5 };

struct undone {
    const struct engine_account *account;
    uint64_t cause;
    bool logged;
};

/* Why, and what to do. */
static void undone_why(const struct engine_account *account, char why[UNDONE_WHY_MAX],
                       char remedy[REMEDY_MAX], const char **ret_state)
{
    struct account_snapshot snapshot;
    struct snapshot_texts texts;
    bool has_failed;

    engine_snapshot_account(account, &snapshot, &texts);
    has_failed = snapshot.failure.at != TIME_NEVER && snapshot.failure.text;
    (void)str_copy(remedy, REMEDY_MAX, snapshot.remedy ? snapshot.remedy : "");
    *ret_state = snapshot.state;
    if (snapshot.reason)
        (void)snprintf(
            why, UNDONE_WHY_MAX, "%s (%s): %s", snapshot.state, snapshot.reason,
            has_failed && account->last_failure.reason != REASON_NONE &&
                    str_equal(reason_describe(account->last_failure.reason)->name, snapshot.reason)
                ? snapshot.failure.text
                : snapshot.meaning);
    else
        (void)snprintf(why, UNDONE_WHY_MAX, "%s: the time ran out at %s", snapshot.state,
                       snapshot.phase);
    if (!remedy[0])
        (void)str_copy(remedy, REMEDY_MAX,
                       "run `keyrotated --once` again, with a longer --timeout: it continues where "
                       "this run ended");
}

static uint64_t undone_cause(const struct engine_account *account)
{
    const char *const names[] = {account->account->name, account->account->resource_group, NULL};
    char why[UNDONE_WHY_MAX], remedy[REMEDY_MAX];
    const char *state;

    undone_why(account, why, remedy, &state);
    return cause_hash(cause_hash(HASH_START, why, names), remedy, names);
}

static void log_undone_cause(struct engine *engine, struct undone *first, const struct undone *end)
{
    const struct engine_account *account = first->account;
    char why[UNDONE_WHY_MAX], remedy[REMEDY_MAX];
    struct log_line line;
    const char *state;
    struct buf names;
    size_t count = 0;

    buf_init(&names, UNDONE_NAMES_MAX);
    for (struct undone *one = first; one < end; one++) {
        if (one->logged || one->cause != first->cause)
            continue;
        one->logged = true;
        if (count++ < UNDONE_NAMED)
            (void)buf_append_format(&names, "%s%s/%s", count > 1 ? ", " : "",
                                    one->account->account->resource_group,
                                    one->account->account->name);
    }
    if (count > UNDONE_NAMED)
        (void)buf_append_format(&names, " and %zu more", count - UNDONE_NAMED);
    undone_why(account, why, remedy, &state);
    log_line_start(&line, loop_now(engine->parts.loop), LEVEL_ERROR, "account.undone",
                   "undone: %s: %s", buf_str(&names), why);
    log_line_text(&line, "names", buf_str(&names));
    log_line_number(&line, "accounts", (int64_t)count);
    log_line_text(&line, "state", state);
    log_line_text(&line, "remedy", remedy);
    log_emit(engine->parts.log, &line);
    buf_done(&names);
}

void engine_log_undone(struct engine *engine)
{
    struct undone *undone = must_alloc_array(engine->account_count, sizeof(*undone));
    size_t count = 0, logged = 0;

    for (size_t i = 0; i < engine->account_count; i++)
        if (progress_of(engine->accounts[i]) != ENGINE_DONE)
            undone[count++] = (struct undone){.account = engine->accounts[i],
                                              .cause = undone_cause(engine->accounts[i])};
    for (size_t i = 0; i < count && logged < UNDONE_LOGGED_MAX; i++) {
        if (undone[i].logged)
            continue;
        log_undone_cause(engine, &undone[i], undone + count);
        logged++;
    }
    free(undone);
}
