#include "app/engine.h"

#include <stdlib.h>

#include "app/engine_private.h"
#include "app/hold_book.h"
#include "base/must.h"

/* Accounts per call from the loop. A step takes some 30 us, so that a call takes 2 ms; sockets and
 * timers are served between two calls. */
enum { READY_PER_CALL = 64 };

static struct fingerprint fingerprint_of(void *context, const char *key, size_t length)
{
    return store_fingerprint(context, key, length);
}

static void run_ready(struct deferred *deferred);

/* Where journals are shared, the account will be put down alone. */
static void on_record_lost(void *context, const char *account_key)
{
    (void)account_key;
    engine_fault(context, "another process has taken over an account");
}

struct engine *engine_new(const struct engine_parts *parts)
{
    struct engine *engine = must_alloc(sizeof(*engine));

    engine->parts = *parts;
    engine->started_at = loop_now(parts->loop);
    list_init(&engine->ready);
    list_init(&engine->leaving_accounts);
    list_init(&engine->form_changes);
    engine_totals_init(engine);
    deferred_init(&engine->ready_call, run_ready);
    engine->targets = (struct target_world){
        .loop = parts->loop,
        .http = parts->http,
        .tokens = parts->access ? parts->access->tokens : NULL,
        .spawner = parts->spawner,
        .credentials_directory = parts->credentials_directory,
        .fingerprint = fingerprint_of,
        .fingerprint_context = parts->store,
    };
    store_on_lost(parts->store, on_record_lost, engine);
    return engine;
}

static void on_loaded(void *context, const char *account_key, const struct record *record)
{
    engine_unconfigured_keep(context, account_key, record, NULL);
}

int engine_load(struct engine *engine, struct err *err)
{
    int rc = store_load(engine->parts.store, on_loaded, engine, err);

    if (rc == 0)
        rc = engine_operations_load(engine, err);
    if (rc == 0)
        rc = engine_hold_load(engine, err);
    if (rc == 0)
        rc = engine_places_load(engine, err);
    return rc;
}

/* --- accounts that go --- */

static void on_timer_closed(struct timer *timer)
{
    struct engine_account *account = container_of(timer, struct engine_account, timer);
    struct engine *engine = account->engine;

    engine_account_free(account);
    engine->leaving--;
    engine_run_soon(engine);
}

static void drop_queue(struct engine_account *account)
{
    struct list *link;

    account->pending = 0;
    while ((link = list_pop(&account->queue))) {
        struct transaction *transaction = container_of(link, struct transaction, link);

        engine_command_dropped(account, transaction);
        transaction_free(transaction);
    }
}

/* Frees everything but the memory that the timer still needs. */
static void close_account(struct engine_account *account)
{
    account->closing = true;
    engine_totals_forget(account);
    account->engine->leaving++;
    list_remove(&account->ready_link);
    drop_queue(account);
    engine_action_forget_keys(account);
    engine_form_forget(account);
    engine_pair_leave(account);
    azure_account_done(&account->azure);
    timer_close(&account->timer, on_timer_closed);
}

/* Restores endpoint and location, so that a repair need not wait for the description. */
static void recall_place(struct engine_account *account)
{
    azure_account_recall(&account->azure, account->record.endpoint, account->record.location);
}

/* The account that was removed and configured again continues with this one's record. */
static void start_successor(struct engine_account *account)
{
    struct engine_account *successor = account->successor;

    successor->record = account->record;
    successor->operation_url = account->operation_url;
    account->operation_url = NULL;
    recall_place(successor);
    successor->waits = false;
    engine_account_post(successor, EVENT_START);
}

/* A removed account has become quiet. */
static void let_go(struct engine_account *account)
{
    if (account->closing)
        return;
    account->engine->leaving--; /* counted since its removal; close_account() counts it again */
    list_remove(&account->leaving_link);
    if (account->successor)
        start_successor(account);
    else if (!account->waits)
        engine_unconfigured_keep(account->engine, account->key, &account->record,
                                 account->operation_url);
    close_account(account);
}

/* --- the ready queue --- */

static void check_stopped(struct engine *engine)
{
    struct engine_account **accounts = engine->accounts;
    size_t count = engine->account_count;
    void (*stopped)(void *context);

    if (!engine->stopped || engine->busy > 0 || engine->leaving > 0 || engine->hold_changes > 0 ||
        !engine_news_is_quiet(engine))
        return;
    engine->account_count = 0;
    engine->accounts = NULL;
    for (size_t i = 0; i < count; i++)
        close_account(accounts[i]);
    free(accounts);
    if (count > 0)
        return; /* on_timer_closed() leads back here */
    stopped = engine->stopped;
    engine->stopped = NULL;
    stopped(engine->stopped_context);
}

/* The timer ensures this, even if the machine needs no event then. */
static void keep_counted(struct engine_account *account)
{
    time_ms again = engine_totals_update(account);

    if (!account->draining && again < account->timer.at)
        timer_set(&account->timer, again);
}

static void step_ready(struct engine_account *account)
{
    engine_step_account(account);
    if (!account->removed)
        keep_counted(account);
    if (!engine_account_is_quiet(account) || account->engine->faulted)
        return;
    list_remove(&account->ready_link);
    account->busy = false;
    account->engine->busy--;
    if (account->removed)
        let_go(account);
}

static void run_ready(struct deferred *deferred)
{
    struct engine *engine = container_of(deferred, struct engine, ready_call);
    struct list *link;

    for (size_t i = 0; i < READY_PER_CALL && !engine->faulted && (link = list_pop(&engine->ready));
         i++)
        step_ready(container_of(link, struct engine_account, ready_link));
    if (engine->faulted)
        return;
    if (!list_empty(&engine->ready))
        engine_run_soon(engine);
    check_stopped(engine);
}

/* --- configurations --- */

/* The account of that key which was removed and is not quiet yet, or NULL. */
static struct engine_account *find_leaving(struct engine *engine, const char *key)
{
    list_for_each_entry (account, &engine->leaving_accounts, struct engine_account, leaving_link) {
        if (strcmp(account->key, key) == 0)
            return account;
    }
    return NULL;
}

/* It is removed again before it could begin. */
static void forget_successor(struct engine_account *account)
{
    struct engine_account *predecessor = find_leaving(account->engine, account->key);

    drop_queue(account);
    if (predecessor)
        predecessor->successor = NULL;
}

void engine_expect_farewells(struct engine *engine, const struct engine_farewell *farewells,
                             size_t count)
{
    engine->farewells = farewells;
    engine->farewell_count = count;
}

/* Why the account leaves. */
static const char *farewell_of(const struct engine_account *account)
{
    const struct engine *engine = account->engine;

    for (size_t i = 0; i < engine->farewell_count; i++)
        if (strcmp(engine->farewells[i].key, account->key) == 0)
            return engine->farewells[i].text;
    return "is no longer in the configuration";
}

static void remove_account(struct engine_account *account)
{
    struct log_line line;
    struct engine *engine = account->engine;

    engine_places_remove(account);
    account->removed = true;
    engine_totals_forget(account);
    engine_report_ended(account, &account->record);
    log_line_start(&line, loop_now(engine->parts.loop), LEVEL_NOTICE, "account.removed",
                   "%s %s: its keys stay unchanged", account->account->name, farewell_of(account));
    log_line_text(&line, "account", account->account->name);
    log_line_text(&line, "resource_group", account->account->resource_group);
    log_line_text(&line, "subscription_id", account->account->subscription_id);
    log_line_text(&line, "rule", account->account->rule);
    log_emit(engine->parts.log, &line);

    account->draining = true;
    engine_give_up_needless(account);
    engine->leaving++;
    if (account->waits)
        forget_successor(account);
    else
        list_append(&engine->leaving_accounts, &account->leaving_link);
    timer_stop(&account->timer);
    engine_account_make_ready(account); /* let_go() where it is quiet */
}

/* Walks the old and the new list, both sorted by key, side by side. */
static size_t merge_accounts(struct engine *engine, struct config *config,
                             struct engine_account **merged)
{
    size_t old = 0;
    size_t count = 0;

    for (size_t i = 0; i < config->account_count; i++) {
        const struct account *subject = &config->accounts[i];

        while (old < engine->account_count && strcmp(engine->accounts[old]->key, subject->key) < 0)
            remove_account(engine->accounts[old++]);
        if (old < engine->account_count && strcmp(engine->accounts[old]->key, subject->key) == 0) {
            merged[count] = engine->accounts[old++];
            engine_places_change(merged[count], subject);
            engine_adopt_active_changed(merged[count], subject);
            engine_account_configure(merged[count], config, subject);
            engine_give_up_needless(merged[count]);
            if (!merged[count]->waits)
                engine_account_post(merged[count], EVENT_CONFIGURED);
        } else {
            struct engine_account *leaving = find_leaving(engine, subject->key);

            merged[count] = engine_account_new(engine, config, subject);
            if (leaving) {
                merged[count]->record = leaving->record; /* for the places alone */
                engine_places_begin(merged[count]);
                record_init(&merged[count]->record);
                merged[count]->waits = true;
                leaving->successor = merged[count];
                engine_give_up_delivery(leaving, "the account is configured again");
            } else {
                engine_unconfigured_take(merged[count]);
                engine_places_begin(merged[count]);
                engine_adopt_active_begins(merged[count]);
                recall_place(merged[count]);
                engine_account_post(merged[count], EVENT_START);
            }
        }
        count++;
    }
    while (old < engine->account_count)
        remove_account(engine->accounts[old++]);
    return count;
}

void engine_configure(struct engine *engine, struct config *config, struct buf *report)
{
    struct engine_account **merged =
        must_alloc_array(config->account_count, sizeof(struct engine_account *));
    struct config *before = engine->config;
    size_t count;

    engine->place_report = report;
    count = merge_accounts(engine, config, merged);
    engine->place_report = NULL;
    engine_expect_farewells(engine, NULL, 0);
    engine_places_save(engine);
    free(engine->accounts);
    engine->accounts = merged;
    engine->account_count = count;
    engine_pair_link(engine);
    engine_words_name_accounts(engine);
    for (size_t i = 0; i < count; i++)
        keep_counted(merged[i]);
    engine->config = config_ref(config);
    config_unref(before);
    engine_news_configure(engine);
}

/* The line of an account that only one of two configurations has. */
static void preview_account(const struct account *subject, const char *verb, struct buf *report)
{
    (void)buf_append_format(report, "%s/%s: would be %s\n", subject->resource_group, subject->name,
                            verb);
}

void engine_preview(const struct engine *engine, const struct config *config, struct buf *report)
{
    size_t old = 0;

    for (size_t i = 0; i < config->account_count; i++) {
        const struct account *subject = &config->accounts[i];
        int order = -1;

        while (old < engine->account_count &&
               (order = strcmp(engine->accounts[old]->key, subject->key)) < 0)
            preview_account(engine->accounts[old++]->account, "removed: its keys stay unchanged",
                            report);
        if (old < engine->account_count && order == 0) {
            engine_adopt_active_preview(engine->accounts[old], subject, report);
            engine_places_preview(engine->accounts[old++], subject, report);
        } else {
            preview_account(subject, "added", report);
        }
    }
    while (old < engine->account_count)
        preview_account(engine->accounts[old++]->account, "removed: its keys stay unchanged",
                        report);
}

/* The machine shifts the times of a record that it works on. One that it was not started on is
 * shifted here. */
static void post_clock_jumped(struct engine_account *account, duration_ms jump)
{
    account->acting_since = time_add(account->acting_since, jump);
    if (!(account->pending & 1U << EVENT_START)) {
        engine_account_post_jump(account, jump);
        return;
    }
    rotation_shift_times(&account->record, jump, loop_now(account->engine->parts.loop));
    account->shifted = true;
}

/* Each record gets the event once. The record of an account that is removed, or that comes back and
 * waits for the removal, belongs to the leaving account. */
void engine_clock_jumped(struct engine *engine, duration_ms jump)
{
    engine->started_at = time_add(engine->started_at, jump);
    engine_unconfigured_shift(engine, jump);
    list_for_each (link, &engine->leaving_accounts)
        post_clock_jumped(container_of(link, struct engine_account, leaving_link), jump);
    for (size_t i = 0; i < engine->account_count; i++)
        if (!engine->accounts[i]->waits)
            post_clock_jumped(engine->accounts[i], jump);
}

/* --- stopping --- */

void engine_stop(struct engine *engine, void (*stopped)(void *context), void *context)
{
    engine->stopping = true;
    engine->stopped = stopped;
    engine->stopped_context = context;
    for (size_t i = 0; i < engine->account_count; i++) {
        engine->accounts[i]->draining = true;
        engine_give_up_needless(engine->accounts[i]);
        timer_stop(&engine->accounts[i]->timer);
    }
    engine_news_stop(engine);
    engine_run_soon(engine);
}

void engine_give_up(struct engine *engine)
{
    engine_news_give_up(engine);
    target_cancel_all(&engine->targets);
}

bool engine_is_hung(const struct engine *engine)
{
    return target_is_busy(&engine->targets);
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    loop_defer_cancel(&engine->ready_call);
    engine_news_free(engine);
    target_world_done(&engine->targets);
    engine_unconfigured_done(engine);
    hold_book_done(&engine->holds);
    engine_places_done(engine);
    engine_totals_done(engine);
    config_unref(engine->config);
    free(engine->accounts);
    free(engine);
}
