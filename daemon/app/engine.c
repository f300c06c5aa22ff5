#include "app/engine_adopt_active.h"
#include "app/engine_form.h"
#include "app/engine_place.h"

#include <errno.h>
#include <stdlib.h>

#include "app/hold_book.h"
#include "base/str.h"

/* What the journal knows of an account that is not configured: kept, so that an account which comes
 * back goes on where it was. */
struct parked_record {
    struct list link;
    char *key;
    struct record record;
};

void engine_fault(struct engine *engine, const char *what)
{
    if (engine->faulted)
        return;
    engine->faulted = true;
    engine->parts.faulted(engine->parts.context, what);
}

static void run_stopped(struct deferred *deferred)
{
    struct engine *engine = container_of(deferred, struct engine, stopped_call);

    engine->stopped(engine->stopped_context);
}

static struct fingerprint fingerprint_of(void *context, const char *key, size_t length)
{
    return store_fingerprint(context, key, length);
}

struct engine *engine_new(const struct engine_parts *parts)
{
    struct engine *engine = calloc(1, sizeof(*engine));

    if (!engine)
        return NULL;
    engine->parts = *parts;
    engine->started_at = loop_now(parts->loop);
    list_init(&engine->parked);
    list_init(&engine->leaving_accounts);
    list_init(&engine->form_changes);
    deferred_init(&engine->stopped_call, run_stopped);
    engine->targets = (struct target_world){
        .loop = parts->loop,
        .fingerprint = fingerprint_of,
        .fingerprint_context = parts->store,
    };
    return engine;
}

/* --- parked records --- */

static void park(struct engine *engine, const char *key, const struct record *record)
{
    struct parked_record *parked = calloc(1, sizeof(*parked));

    if (parked)
        parked->key = str_dup(key);
    if (!parked || !parked->key) {
        free(parked);
        engine_fault(engine, "out of memory");
        return;
    }
    parked->record = *record;
    list_init(&parked->link);
    list_append(&engine->parked, &parked->link);
}

static int compare_parked(const void *a, const void *b)
{
    const struct parked_record *const *left = a;
    const struct parked_record *const *right = b;

    return strcmp((*left)->key, (*right)->key);
}

/* The parked records as a sorted array of pointers, so that ten thousand accounts are matched
 * without a walk for each. The caller frees it. */
static struct parked_record **sort_parked(struct engine *engine, size_t *ret_count)
{
    struct parked_record **sorted;
    size_t count = 0;

    list_for_each (link, &engine->parked)
        count++;
    sorted = calloc(count + 1, sizeof(struct parked_record *));
    if (!sorted)
        return NULL;
    count = 0;
    list_for_each (link, &engine->parked)
        sorted[count++] = container_of(link, struct parked_record, link);
    qsort(sorted, count, sizeof(struct parked_record *), compare_parked);
    *ret_count = count;
    return sorted;
}

static void unpark(struct parked_record **sorted, size_t count, const char *key,
                   struct record *record)
{
    struct parked_record wanted = {.key = (char *)(uintptr_t)key};
    struct parked_record *pointer = &wanted;
    struct parked_record **found =
        bsearch(&pointer, sorted, count, sizeof(struct parked_record *), compare_parked);

    record_init(record);
    if (!found)
        return;
    *record = (*found)->record;
    list_remove(&(*found)->link);
}

/* Durably, for it may come back in another life of this process only. */
static void shift_parked(struct engine *engine, struct parked_record *parked, duration_ms jump)
{
    rotation_shift_times(&parked->record, jump, loop_now(engine->parts.loop));
    store_save(engine->parts.store, parked->key, &parked->record, NULL, 0, NULL, NULL);
}

static void free_parked(struct parked_record *parked)
{
    free(parked->key);
    free(parked);
}

/* Frees the records that were taken into use, and the array. */
static void free_unparked(struct parked_record **sorted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list_empty(&sorted[i]->link))
            free_parked(sorted[i]);
    free(sorted);
}

static void on_loaded(void *context, const char *account_key, const struct record *record)
{
    park(context, account_key, record);
}

int engine_load(struct engine *engine, struct err *err)
{
    int rc = store_load(engine->parts.store, on_loaded, engine, err);

    if (rc == 0)
        rc = engine_load_holds(engine, err);
    if (rc == 0)
        rc = engine_places_load(engine, err);
    if (rc == 0 && engine->faulted)
        return err_set(err, -ENOMEM, "out of memory while the journal was read");
    return rc;
}

/* --- accounts --- */

static void on_timer(struct timer *timer)
{
    struct engine_account *account = container_of(timer, struct engine_account, timer);

    if (account->wake_queued)
        return;
    account->wake_queued = true;
    turn_post(account, turn_new(account, EVENT_WAKE));
}

static void on_timer_closed(struct timer *timer)
{
    struct engine_account *account = container_of(timer, struct engine_account, timer);
    struct engine *engine = account->engine;

    config_unref(account->config);
    free(account->key);
    free(account);
    engine->leaving--;
    engine_check_stopped(engine);
}

static void drop_queue(struct engine_account *account)
{
    struct list *link;

    while ((link = list_pop(&account->queue))) {
        struct turn *turn = container_of(link, struct turn, link);

        command_dropped(turn);
        turn_free(turn);
    }
}

/* Frees everything but the memory that the timer still needs. */
static void close_account(struct engine_account *account)
{
    account->closing = true;
    account->engine->leaving++;
    drop_queue(account);
    action_forget_keys(account);
    form_forget(account);
    azure_account_done(&account->azure);
    timer_close(&account->timer, on_timer_closed);
}

/* So that a repair need not wait until the resource is described again. */
static void recall_place(struct engine_account *account)
{
    azure_account_recall(&account->azure, account->record.endpoint, account->record.location);
}

/* The account that was removed and came back goes on with what this one leaves behind. */
static void start_successor(struct engine_account *account)
{
    struct engine_account *successor = account->successor;
    struct turn *turn = turn_new(successor, EVENT_START);

    successor->record = account->record;
    recall_place(successor);
    successor->waits = false;
    /* Before whatever has queued meanwhile: nothing may reach a machine that was not started. */
    list_prepend(&successor->queue, &turn->link);
    turn_go_on(successor);
}

void engine_let_go(struct engine_account *account)
{
    if (account->closing)
        return;
    account->engine->leaving--; /* counted since its removal; close_account() counts it again */
    list_remove(&account->leaving_link);
    if (account->successor)
        start_successor(account);
    else if (!account->waits)
        park(account->engine, account->key, &account->record);
    close_account(account);
}

/* What of the configuration the machine works with. */
static void point_to_config(struct engine_account *account, struct config *config,
                            const struct account *subject)
{
    struct config *before = account->config;

    account->config = config_ref(config);
    account->account = subject;
    account->azure.account = subject;
    memset(account->holdings, 0, sizeof(account->holdings)); /* HOLDING_UNSEEN */
    memset(account->held_marks, 0, sizeof(account->held_marks));
    for (size_t i = 0; i < subject->destination_count && i < TARGETS_MAX; i++) {
        const struct destination *destination = &subject->destinations[i];

        /* Named without the location, which is the same for ever: the name must not depend on
         * whether Azure has been asked yet. */
        account->targets[i] = (struct rotation_target){
            .id = target_identify(destination, NULL),
            .required = destination->required,
            .readable = target_is_readable(destination),
            .settles_at_once = target_settles_at_once(destination),
        };
    }
    config_unref(before);
}

static struct engine_account *account_new(struct engine *engine, struct config *config,
                                          const struct account *subject)
{
    struct engine_account *account = calloc(1, sizeof(*account));

    if (account)
        account->key = str_dup(subject->key);
    if (!account || !account->key) {
        free(account);
        engine_fault(engine, "out of memory");
        return NULL;
    }
    account->engine = engine;
    list_init(&account->leaving_link);
    list_init(&account->queue);
    list_init(&account->seen_keys);
    account->last_failure_at = TIME_NEVER;
    deferred_init(&account->finish_later, action_finish_later);
    timer_init(engine->parts.loop, &account->timer, on_timer);
    point_to_config(account, config, subject);
    return account;
}

/* The account of that key which was removed and is not quiet yet, or NULL. */
static struct engine_account *find_leaving(struct engine *engine, const char *key)
{
    list_for_each (link, &engine->leaving_accounts) {
        struct engine_account *account = container_of(link, struct engine_account, leaving_link);

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

static void remove_account(struct engine_account *account)
{
    struct log_line line;
    struct engine *engine = account->engine;

    log_line_start(&line, loop_now(engine->parts.loop), LEVEL_NOTICE, "account.removed",
                   "%s is not in the configuration any more: its keys stay as they are",
                   account->account->name);
    log_line_text(&line, "account", account->account->name);
    log_line_text(&line, "resource_group", account->account->resource_group);
    log_emit(engine->parts.log, &line);

    engine_places_remove(account);
    account->removed = true;
    report_ended(account, &account->record);
    account->draining = true;
    engine->leaving++;
    if (account->waits)
        forget_successor(account);
    else
        list_append(&engine->leaving_accounts, &account->leaving_link);
    timer_stop(&account->timer);
    if (engine_account_is_quiet(account))
        engine_let_go(account);
}

/* Walks the old and the new list, both sorted by key, side by side. */
static size_t merge_accounts(struct engine *engine, struct config *config,
                             struct engine_account **merged, struct parked_record **parked,
                             size_t parked_count, bool *started)
{
    size_t old = 0;
    size_t count = 0;

    for (size_t i = 0; i < config->account_count && !engine->faulted; i++) {
        const struct account *subject = &config->accounts[i];

        while (old < engine->account_count && strcmp(engine->accounts[old]->key, subject->key) < 0)
            remove_account(engine->accounts[old++]);
        if (old < engine->account_count && strcmp(engine->accounts[old]->key, subject->key) == 0) {
            merged[count] = engine->accounts[old++];
            engine_places_change(merged[count], subject);
            engine_adopt_active_changed(merged[count], subject);
            point_to_config(merged[count], config, subject);
        } else {
            struct engine_account *leaving = find_leaving(engine, subject->key);

            merged[count] = account_new(engine, config, subject);
            if (!merged[count])
                break;
            if (leaving) {
                merged[count]->record = leaving->record; /* for the places alone */
                engine_places_begin(merged[count]);
                record_init(&merged[count]->record);
                merged[count]->waits = true;
                leaving->successor = merged[count];
            } else {
                unpark(parked, parked_count, subject->key, &merged[count]->record);
                engine_places_begin(merged[count]);
                engine_adopt_active_begins(merged[count]);
                recall_place(merged[count]);
                started[count] = true;
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
    size_t parked_count = 0;
    struct parked_record **parked = sort_parked(engine, &parked_count);
    struct engine_account **merged =
        calloc(config->account_count + 1, sizeof(struct engine_account *));
    bool *started = calloc(config->account_count + 1, sizeof(bool));
    struct config *before = engine->config;
    size_t count;

    if (!parked || !merged || !started) {
        engine_fault(engine, "out of memory");
        free(parked);
        free(merged);
        free(started);
        return;
    }
    engine->place_report = report;
    count = merge_accounts(engine, config, merged, parked, parked_count, started);
    engine->place_report = NULL;
    engine_places_save(engine);
    free(engine->accounts);
    engine->accounts = merged;
    engine->account_count = count;
    words_name_accounts(engine);
    engine->config = config_ref(config);
    config_unref(before);

    for (size_t i = 0; i < count && !engine->faulted; i++)
        if (!merged[i]->waits)
            turn_post(merged[i], turn_new(merged[i], started[i] ? EVENT_START : EVENT_CONFIGURED));
    free_unparked(parked, parked_count);
    free(started);
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
            preview_account(engine->accounts[old++]->account, "let go: its keys stay as they are",
                            report);
        if (old < engine->account_count && order == 0) {
            engine_adopt_active_preview(engine->accounts[old], subject, report);
            engine_places_preview(engine->accounts[old++], subject, report);
        } else {
            preview_account(subject, "taken into care", report);
        }
    }
    while (old < engine->account_count)
        preview_account(engine->accounts[old++]->account, "let go: its keys stay as they are",
                        report);
}

/* Before all that waits for its turn, which will be held against the clock as it is then; and
 * together with a jump that waits already, for the record was not told of that one either. */
static void post_clock_jumped(struct engine_account *account, duration_ms jump)
{
    struct turn *turn;

    list_for_each (link, &account->queue) {
        turn = container_of(link, struct turn, link);
        if (turn->event.kind == EVENT_CLOCK_JUMPED) {
            turn->event.jump += jump;
            return;
        }
    }
    turn = turn_new(account, EVENT_CLOCK_JUMPED);
    turn->event.jump = jump;
    list_prepend(&account->queue, &turn->link);
    turn_go_on(account);
}

/* Each record is told once, wherever it stands: one whose account is removed, or comes back and
 * waits for that to be finished, is in the hands of the account that leaves. */
void engine_clock_jumped(struct engine *engine, duration_ms jump)
{
    engine->started_at = time_add(engine->started_at, jump);
    list_for_each (link, &engine->parked)
        shift_parked(engine, container_of(link, struct parked_record, link), jump);
    list_for_each (link, &engine->leaving_accounts)
        post_clock_jumped(container_of(link, struct engine_account, leaving_link), jump);
    for (size_t i = 0; i < engine->account_count; i++)
        if (!engine->accounts[i]->waits)
            post_clock_jumped(engine->accounts[i], jump);
}

/* --- stopping --- */

void engine_check_stopped(struct engine *engine)
{
    if (!engine->stopping || engine->leaving > 0 || engine->hold_changes > 0)
        return;
    for (size_t i = 0; i < engine->account_count; i++)
        if (!engine_account_is_quiet(engine->accounts[i]))
            return;
    if (engine->account_count > 0) {
        struct engine_account **accounts = engine->accounts;
        size_t count = engine->account_count;

        engine->account_count = 0;
        engine->accounts = NULL;
        for (size_t i = 0; i < count; i++)
            close_account(accounts[i]);
        free(accounts);
        return;
    }
    loop_defer(engine->parts.loop, &engine->stopped_call);
}

void engine_stop(struct engine *engine, void (*stopped)(void *context), void *context)
{
    engine->stopping = true;
    engine->stopped = stopped;
    engine->stopped_context = context;
    for (size_t i = 0; i < engine->account_count; i++) {
        engine->accounts[i]->draining = true;
        timer_stop(&engine->accounts[i]->timer);
    }
    engine_check_stopped(engine);
}

void engine_give_up(struct engine *engine)
{
    target_cancel_all(&engine->targets);
}

bool engine_is_hung(const struct engine *engine)
{
    return target_is_busy(&engine->targets);
}

void engine_free(struct engine *engine)
{
    struct list *link;

    if (!engine)
        return;
    while ((link = list_pop(&engine->parked)))
        free_parked(container_of(link, struct parked_record, link));
    hold_book_done(&engine->holds);
    engine_places_done(engine);
    config_unref(engine->config);
    free(engine->accounts);
    free(engine);
}
