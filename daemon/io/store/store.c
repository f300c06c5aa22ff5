#include "io/store/store.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "io/store/sqlite/sqlite.h"
#include "io/store/store_ops.h"

/*
 * The common part of all kinds of journals: copies the data to save, limits each account to one
 * save at a time, calls back when a save is durable, and logs every failed attempt; the log
 * combines these lines (io/log/log_private.h).
 */
#define TROUBLE_SUBJECT "the journal"

/* The kinds; configured ones are of the first. */
static const struct store_ops *const kinds[] = {&sqlite_store_ops};

/* The saves of one account, from the first that is handed over until none is left. */
struct line {
    char *account_key;
    struct save *written_now;
    struct list waiting; /* struct save: all except the last have a callback */
};

struct store {
    struct loop *loop;
    struct log *log;
    const struct store_ops *ops;
    struct store_backend *backend;
    void *lines;      /* a tree of struct line, see tsearch(3) */
    uint64_t unsaved; /* saves that have not ended */
    uint64_t rows_dropped;

    time_ms failing_since; /* 0: all is well */
    struct err trouble;

    bool closing;
    uint64_t lost; /* saves that were not written before the end */
    void (*on_lost)(void *context, const char *account_key);
    void *lost_context;
    void (*closed)(void *context, bool lost);
    void *closed_context;
};

/* --- trouble --- */

static void log_trouble(struct store *store, time_ms now)
{
    struct log_line line;

    log_line_start(&line, now, LEVEL_ERROR, "journal.failed",
                   "the journal cannot be written: %s; nothing is regenerated meanwhile",
                   store->trouble.text);
    log_line_lasts(&line, TROUBLE_SUBJECT);
    log_line_text(&line, "reason", "journal_failed");
    log_line_number(&line, "waiting", (int64_t)store->unsaved);
    log_line_time(&line, "since", store->failing_since);
    log_line_text(&line, "remedy", store->ops->remedy(store->trouble.code));
    log_emit(store->log, &line);
}

static void log_recovery(struct store *store, time_ms now)
{
    char words[DURATION_TEXT_MAX];
    struct log_line line;

    log_line_start(&line, now, LEVEL_NOTICE, "journal.failed",
                   "the journal can be written again, after %s; %s",
                   duration_to_words(now - store->failing_since, words),
                   store->rows_dropped == 0
                       ? "nothing was lost"
                       : "no record was lost, but the oldest history of that time is in the log "
                         "alone");
    store->rows_dropped = 0;
    log_line_time(&line, "since", store->failing_since);
    log_line_number(&line, "duration_ms", now - store->failing_since);
    log_emit(store->log, &line);
    log_ended(store->log, now, "journal.failed", TROUBLE_SUBJECT, true);
}

static void on_attempted(void *context, const struct err *trouble)
{
    struct store *store = context;
    const time_ms now = loop_now(store->loop);

    store->trouble = *trouble;
    if (trouble->code != 0) {
        if (store->failing_since == 0)
            store->failing_since = now;
        log_trouble(store, now);
    } else if (store->failing_since != 0) {
        log_recovery(store, now);
        store->failing_since = 0;
    }
}

time_ms store_failing(const struct store *store, const char **ret_text)
{
    if (ret_text)
        *ret_text = store->failing_since != 0 ? store->trouble.text : NULL;
    return store->failing_since;
}

static void trace_saved(const struct store *store, const struct save *save)
{
    struct log_line line;

    if (save->kind != SAVE_RECORD || !log_enabled(store->log, LEVEL_DEBUG))
        return;
    log_line_start(&line, loop_now(store->loop), LEVEL_DEBUG, "journal.saved", "%s",
                   save->saved ? "the account waited for it" : "nobody waited for it");
    log_line_text(&line, "resource_id", save->account_key);
    log_emit(store->log, &line);
}

uint64_t store_transactions(const struct store *store)
{
    return store->ops->transactions(store->backend);
}

const struct histogram *store_commits(const struct store *store)
{
    return store->ops->commits(store->backend);
}

uint64_t store_waiting(const struct store *store)
{
    return store->unsaved;
}

/* --- one save at a time for each account --- */

static int compare_lines(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->account_key, ((const struct line *)b)->account_key);
}

static struct line *find_line(const struct store *store, const char *account_key)
{
    const struct line wanted = {.account_key = (char *)(uintptr_t)account_key};
    struct line **found = tfind(&wanted, &store->lines, compare_lines);

    return found ? *found : NULL;
}

static struct line *line_of(struct store *store, const char *account_key)
{
    struct line *line = find_line(store, account_key);

    if (line)
        return line;
    line = must_alloc(sizeof(*line));
    line->account_key = must_dup(account_key);
    list_init(&line->waiting);
    (void)must(tsearch(line, &store->lines, compare_lines));
    return line;
}

static void hand_over(struct store *store, struct save *save)
{
    store->ops->save(store->backend, save);
}

/* Hands over the next save of the account, or frees the line when none is left. */
static void line_goes_on(struct store *store, struct line *line)
{
    struct list *next = list_pop(&line->waiting);

    line->written_now = next ? container_of(next, struct save, link) : NULL;
    if (line->written_now) {
        hand_over(store, line->written_now);
        return;
    }
    (void)tdelete(line, &store->lines, compare_lines);
    free(line->account_key);
    free(line);
}

static void enqueue(struct store *store, struct line *line, struct save *save)
{
    if (!list_empty(&line->waiting)) {
        struct save *last = container_of(line->waiting.prev, struct save, link);

        if (!last->saved) {
            const size_t dropped = last->rows_dropped + save->rows_dropped;

            list_remove(&last->link);
            save = save_merge(last, save);
            /* Now: the recovery is logged before the save that lacks them is written. */
            if (store->failing_since != 0)
                store->rows_dropped += save->rows_dropped - dropped;
            store->unsaved--;
        }
    }
    list_append(&line->waiting, &save->link);
    if (!line->written_now)
        line_goes_on(store, line);
}

static void on_ended(void *context, struct save *save, enum store_outcome outcome)
{
    struct store *store = context;
    struct line *line = save->kind == SAVE_RECORD ? find_line(store, save->account_key) : NULL;

    store->unsaved--;
    if (outcome == STORE_DURABLE) {
        trace_saved(store, save);
        if (save->saved)
            save->saved(save->context);
    } else if (store->closing) {
        store->lost++;
    } else if (store->on_lost) {
        store->on_lost(store->lost_context, save->account_key);
    }
    if (line && line->written_now == save)
        line_goes_on(store, line);
    free(save);
}

/* --- opening and closing --- */

static void on_closed(void *context)
{
    struct store *store = context;
    void (*closed)(void *, bool) = store->closed;
    void *closed_context = store->closed_context;
    const bool lost = store->lost > 0;

    if (lost) {
        struct log_line line;

        log_line_start(&line, loop_now(store->loop), LEVEL_ERROR, "journal.failed",
                       "%llu records could not be written before the daemon ended: %s; the next "
                       "start looks again, and continues from the records before these",
                       (unsigned long long)store->lost,
                       store->trouble.code != 0 ? store->trouble.text
                                                : "they came after it was closed");
        log_line_text(&line, "remedy", store->ops->remedy(store->trouble.code));
        log_emit(store->log, &line);
    }
    free(store);
    if (closed)
        closed(closed_context, lost);
}

enum store_open_result store_open_kind(const struct store_ops *ops, struct loop *loop,
                                       struct log *log, const char *place, struct store **ret_store,
                                       struct err *err)
{
    struct store *store = must_alloc(sizeof(*store));
    const struct store_owner owner = {
        .ended = on_ended, .attempted = on_attempted, .closed = on_closed, .context = store};
    enum store_open_result result;

    *ret_store = NULL;
    store->loop = loop;
    store->log = log;
    store->ops = ops;
    result = ops->claim(loop, place, &owner, &store->backend, err);
    if (result == STORE_BUSY || result == STORE_UNUSABLE)
        free(store);
    else
        *ret_store = store;
    return result;
}

enum store_open_result store_open(struct loop *loop, struct log *log, const char *directory,
                                  struct store **ret_store, struct err *err)
{
    return store_open_kind(kinds[0], loop, log, directory, ret_store, err);
}

void store_on_lost(struct store *store, void (*lost)(void *context, const char *account_key),
                   void *context)
{
    store->on_lost = lost;
    store->lost_context = context;
}

/* Saves that wait behind the current one are part of the last attempt, too. */
void store_close(struct store *store, void (*closed)(void *context, bool lost), void *context)
{
    if (store->closing)
        return;
    store->closing = true;
    store->closed = closed;
    store->closed_context = context;
    while (store->lines) {
        struct line *line = *(struct line **)store->lines;
        struct list *next;

        while ((next = list_pop(&line->waiting)))
            hand_over(store, container_of(next, struct save, link));
        line_goes_on(store, line);
    }
    store->ops->close(store->backend);
}

/* --- using --- */

const uint8_t *store_salt(const struct store *store)
{
    return store->ops->salt(store->backend);
}

struct fingerprint store_fingerprint(void *store, const char *key, size_t length)
{
    struct fingerprint fingerprint;

    /* An invented fingerprint would look like a changed key. */
    if (key_fingerprint(store_salt(store), key, length, &fingerprint) != 0)
        fault_out_of_memory(); /* it fails only for lack of memory */
    return fingerprint;
}

int store_load(struct store *store, store_found_record *found, void *context, struct err *err)
{
    return store->ops->load(store->backend, found, context, err);
}

int store_load_holds(struct store *store, store_found_hold *found, void *context,
                     uint64_t *ret_last_id, struct err *err)
{
    return store->ops->load_holds(store->backend, found, context, ret_last_id, err);
}

int store_load_places(struct store *store, store_found_place *found, void *context, struct err *err)
{
    return store->ops->load_places(store->backend, found, context, err);
}

static void start(struct store *store, struct save *save, store_saved *saved, void *context)
{
    /* The thread that writes may be gone. The process ends, so nobody is called. */
    if (store->closing) {
        store->lost++;
        free(save);
        return;
    }
    save->saved = saved;
    save->context = context;
    store->unsaved++;
    if (save->kind == SAVE_RECORD)
        enqueue(store, line_of(store, save->account_key), save);
    else
        hand_over(store, save);
}

void store_save(struct store *store, const char *account_key, const struct record *record,
                const struct history_row *rows, size_t row_count, store_saved *saved, void *context)
{
    start(store, save_new_record(account_key, record, rows, row_count), saved, context);
}

void store_save_history(struct store *store, const char *account_key,
                        const struct history_row *rows, size_t row_count)
{
    start(store, save_new_history(account_key, rows, row_count), NULL, NULL);
}

void store_prune_history(struct store *store, time_ms before, time_ms now)
{
    start(store, save_new_pruning(before, now), NULL, NULL);
}

void store_read_history(struct store *store, const struct history_query *query,
                        store_found_history *found, void *context)
{
    store->ops->read_history(store->backend, history_read_new(query, found, context));
}

void store_check_history(struct store *store, char *const *account_keys, size_t account_count,
                         const char *after, store_checked_history *checked, void *context)
{
    store->ops->read_history(store->backend, history_read_new_check(account_keys, account_count,
                                                                    after, checked, context));
}

void store_save_hold(struct store *store, const struct hold *hold, store_saved *saved,
                     void *context)
{
    start(store, save_new_hold(hold), saved, context);
}

void store_end_holds(struct store *store, const uint64_t *ids, size_t count, store_saved *saved,
                     void *context)
{
    start(store, save_new_holds_ended(ids, count), saved, context);
}

int store_load_discoveries(struct store *store, store_found_discovery *found, void *context,
                           struct err *err)
{
    return store->ops->load_discoveries(store->backend, found, context, err);
}

int store_load_operations(struct store *store, store_found_operation *found, void *context,
                          struct err *err)
{
    return store->ops->load_operations(store->backend, found, context, err);
}

void store_save_operation(struct store *store, const char *account_key, const char *url)
{
    start(store, save_new_operation(account_key, url), NULL, NULL);
}

void store_save_discoveries(struct store *store, const struct discovery *discoveries, size_t count,
                            store_saved *saved, void *context)
{
    start(store, save_new_discoveries(discoveries, count), saved, context);
}

void store_save_places(struct store *store, const struct place *places, size_t count)
{
    start(store, save_new_places(places, count), NULL, NULL);
}
