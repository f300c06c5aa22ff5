#include "io/store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/must.h"
#include "io/store/worker.h"

/*
 * The loop's side: copies what is to be saved, hands it to the worker, calls back what has become
 * durable, and says of every failed attempt why; the log tells that once (io/log/troubles.h).
 */
#define TROUBLE_SUBJECT "the journal"

struct store {
    struct loop *loop;
    struct log *log;
    struct store_worker worker;
    uv_async_t progress;

    time_ms failing_since; /* 0: all is well */
    struct err trouble;
    uint64_t transactions;

    bool closing;
    bool ended;
    bool lost; /* something was not written before the end */
    void (*closed)(void *context, bool lost);
    void *closed_context;
};

/* --- trouble --- */

static void log_trouble(struct store *store, const struct store_health *health, time_ms now)
{
    struct log_line line;

    log_line_start(&line, now, LEVEL_ERROR, "journal.failed",
                   "the journal cannot be written: %s; nothing is regenerated meanwhile",
                   health->trouble.text);
    log_line_lasts(&line, TROUBLE_SUBJECT);
    log_line_text(&line, "reason", "journal_failed");
    log_line_number(&line, "waiting", (int64_t)health->waiting);
    log_line_time(&line, "since", store->failing_since);
    log_line_text(&line, "remedy", journal_remedy(health->trouble.code));
    log_emit(store->log, &line);
}

static void log_recovery(struct store *store, time_ms now)
{
    char words[DURATION_TEXT_MAX];
    struct log_line line;

    log_line_start(&line, now, LEVEL_NOTICE, "journal.failed",
                   "the journal is written again, after %s; nothing was lost",
                   duration_to_words(now - store->failing_since, words));
    log_line_time(&line, "since", store->failing_since);
    log_line_number(&line, "duration_ms", now - store->failing_since);
    log_emit(store->log, &line);
    log_ended(store->log, now, "journal.failed", TROUBLE_SUBJECT, true);
}

static void note_health(struct store *store, const struct store_health *health)
{
    const time_ms now = loop_now(store->loop);

    store->transactions = health->transactions;
    store->trouble = health->trouble;
    if (health->trouble.code == 0) {
        if (store->failing_since != 0)
            log_recovery(store, now);
        store->failing_since = 0;
        return;
    }
    if (store->failing_since == 0)
        store->failing_since = now;
    log_trouble(store, health, now);
}

time_ms store_failing(const struct store *store, const char **ret_text)
{
    if (ret_text)
        *ret_text = store->failing_since != 0 ? store->trouble.text : NULL;
    return store->failing_since;
}

uint64_t store_transactions(const struct store *store)
{
    return store->transactions;
}

/* --- completions --- */

static void on_progress_closed(uv_handle_t *handle)
{
    struct store *store = container_of((uv_async_t *)handle, struct store, progress);
    void (*closed)(void *, bool) = store->closed;
    void *context = store->closed_context;
    const bool lost = store->lost;

    free(store);
    if (closed)
        closed(context, lost);
}

static void finish_closing(struct store *store, const struct store_health *health)
{
    store->ended = true;
    store->lost = health->waiting > 0;
    if (store->lost) {
        struct log_line line;

        log_line_start(&line, loop_now(store->loop), LEVEL_ERROR, "journal.failed",
                       "%llu records could not be written before the end: %s; the next start looks "
                       "at the world and goes on from the records before",
                       (unsigned long long)health->waiting, health->trouble.text);
        log_line_text(&line, "remedy", journal_remedy(health->trouble.code));
        log_emit(store->log, &line);
    }
    store_worker_done(&store->worker);
    uv_close((uv_handle_t *)&store->progress, on_progress_closed);
}

static void on_progress(uv_async_t *handle)
{
    struct store *store = container_of(handle, struct store, progress);
    struct store_health health;
    struct list written;
    struct list *item;
    bool ended;

    if (store->ended)
        return;
    list_init(&written);
    store_worker_collect(&store->worker, &written, &health, &ended);
    note_health(store, &health);
    while ((item = list_pop(&written))) {
        struct save *save = container_of(item, struct save, link);

        if (save->saved)
            save->saved(save->context);
        free(save);
    }
    if (ended)
        finish_closing(store, &health);
}

/* --- opening and closing --- */

enum store_open_result store_open(struct loop *loop, struct log *log, const char *directory,
                                  struct store **ret_store, struct err *err)
{
    struct store *store = must_alloc(sizeof(*store));
    enum store_open_result result;
    int rc;

    *ret_store = NULL;
    store->loop = loop;
    store->log = log;
    result = journal_open(&store->worker.journal, directory, err);
    if (result == STORE_BUSY || result == STORE_UNUSABLE) {
        journal_close(&store->worker.journal);
        free(store);
        return result;
    }

    store->transactions = store->worker.journal.transactions;
    rc = uv_async_init(loop_uv(loop), &store->progress, on_progress);
    if (rc == 0) {
        rc = store_worker_start(&store->worker, &store->progress);
        if (rc == 0) {
            *ret_store = store;
            return result;
        }
        journal_close(&store->worker.journal);
        store->ended = true;
        uv_close((uv_handle_t *)&store->progress, on_progress_closed);
    } else {
        journal_close(&store->worker.journal);
        free(store);
    }
    (void)err_set_errno(err, -rc, "starting the journal's thread");
    return STORE_UNUSABLE;
}

void store_close(struct store *store, void (*closed)(void *context, bool lost), void *context)
{
    if (store->closing)
        return;
    store->closing = true;
    store->closed = closed;
    store->closed_context = context;
    store_worker_stop(&store->worker);
}

/* --- using --- */

struct fingerprint store_fingerprint(void *store, const char *key, size_t length)
{
    const struct journal *journal = &((struct store *)store)->worker.journal;
    struct fingerprint fingerprint;
    uint8_t hash[SHA256_LENGTH];

    /* A fingerprint that is made up would be taken for a key that changed. */
    if (crypto_hmac_sha256(journal->salt, sizeof(journal->salt), key, length, hash) != 0)
        fault_out_of_memory(); /* it has no other reason to fail */
    memcpy(fingerprint.bytes, hash, sizeof(fingerprint.bytes));
    return fingerprint;
}

static int explain_damage(const struct journal *journal, int code, struct err *err)
{
    if (code == -EBADMSG && err) {
        struct err cause = *err;

        (void)err_set(err, code, "%.200s is damaged: %.180s: %s", journal->path, cause.text,
                      journal_remedy(code));
    }
    return code;
}

int store_load(struct store *store,
               void (*found)(void *context, const char *account_key, const struct record *record),
               void *context, struct err *err)
{
    struct journal *journal = &store->worker.journal;
    int rc;

    uv_mutex_lock(&store->worker.journal_lock);
    rc = journal->db ? store_record_read_all(journal->db, found, context, err)
                     : err_set(err, -EIO, "the journal cannot be read at present");
    uv_mutex_unlock(&store->worker.journal_lock);
    return explain_damage(journal, rc, err);
}

int store_load_holds(struct store *store, void (*found)(void *context, const struct hold *hold),
                     void *context, uint64_t *ret_last_id, struct err *err)
{
    struct journal *journal = &store->worker.journal;
    int rc;

    uv_mutex_lock(&store->worker.journal_lock);
    rc = journal->db ? store_hold_read_all(journal->db, found, context, ret_last_id, err)
                     : err_set(err, -EIO, "the journal cannot be read at present");
    uv_mutex_unlock(&store->worker.journal_lock);
    return explain_damage(journal, rc, err);
}

int store_load_places(struct store *store, void (*found)(void *context, const struct place *place),
                      void *context, struct err *err)
{
    struct journal *journal = &store->worker.journal;
    int rc;

    uv_mutex_lock(&store->worker.journal_lock);
    rc = journal->db ? store_places_read_all(journal->db, found, context, err)
                     : err_set(err, -EIO, "the journal cannot be read at present");
    uv_mutex_unlock(&store->worker.journal_lock);
    return rc;
}

/* The members of a row that are texts, in order, so that they can be copied in a loop. */
static const size_t row_texts[] = {
    offsetof(struct history_row, event),          offsetof(struct history_row, slot),
    offsetof(struct history_row, target),         offsetof(struct history_row, reason),
    offsetof(struct history_row, trigger),        offsetof(struct history_row, actor),
    offsetof(struct history_row, fingerprint),    offsetof(struct history_row, request_id),
    offsetof(struct history_row, correlation_id), offsetof(struct history_row, text),
};
enum { ROW_TEXTS = sizeof(row_texts) / sizeof(row_texts[0]) };

static const char **row_text(struct history_row *row, size_t index)
{
    return (const char **)(void *)((char *)row + row_texts[index]);
}

static size_t texts_size(const char *account_key, const struct history_row *rows, size_t row_count)
{
    size_t size = strlen(account_key) + 1;

    for (size_t i = 0; i < row_count; i++) {
        struct history_row row = rows[i];

        for (size_t t = 0; t < ROW_TEXTS; t++)
            size += *row_text(&row, t) ? strlen(*row_text(&row, t)) + 1 : 0;
    }
    return size;
}

static const char *keep(char **storage, const char *text)
{
    char *copy = *storage;

    if (!text)
        return NULL;
    *storage = stpcpy(copy, text) + 1;
    return copy;
}

/* One allocation for everything. */
static struct save *save_new(const char *account_key, const struct history_row *rows,
                             size_t row_count)
{
    struct save *save = must_alloc(sizeof(*save) + texts_size(account_key, rows, row_count));
    char *storage;

    storage = (char *)(save + 1);
    list_init(&save->link);
    save->account_key = keep(&storage, account_key);
    save->row_count = row_count;
    for (size_t i = 0; i < row_count; i++) {
        save->rows[i] = rows[i];
        for (size_t t = 0; t < ROW_TEXTS; t++)
            *row_text(&save->rows[i], t) = keep(&storage, *row_text(&save->rows[i], t));
    }
    return save;
}

void store_save(struct store *store, const char *account_key, const struct record *record,
                const struct history_row *rows, size_t row_count, store_saved *saved, void *context)
{
    struct save *save;

    if (row_count > STORE_HISTORY_PER_SAVE)
        row_count = STORE_HISTORY_PER_SAVE;
    save = save_new(account_key, rows, row_count);
    save->record = *record;
    save->saved = saved;
    save->context = context;
    store_worker_add(&store->worker, save);
}

void store_save_hold(struct store *store, const struct hold *hold, store_saved *saved,
                     void *context)
{
    struct save *save = save_new("", NULL, 0);

    save->kind = SAVE_HOLD;
    save->hold = *hold;
    save->saved = saved;
    save->context = context;
    store_worker_add(&store->worker, save);
}

void store_save_history(struct store *store, const char *account_key,
                        const struct history_row *rows, size_t row_count)
{
    struct save *save;

    if (row_count > STORE_HISTORY_PER_SAVE)
        row_count = STORE_HISTORY_PER_SAVE;
    save = save_new(account_key, rows, row_count);
    save->kind = SAVE_HISTORY;
    store_worker_add(&store->worker, save);
}

static size_t place_texts_size(const struct place *places, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += strlen(places[i].account_key) + 1 + strlen(places[i].text) + 1;
    return size;
}

void store_save_places(struct store *store, const struct place *places, size_t count)
{
    struct save *save =
        must_alloc(sizeof(*save) + count * sizeof(*places) + place_texts_size(places, count));
    struct place *copies;
    char *storage;

    list_init(&save->link);
    save->kind = SAVE_PLACES;
    save->account_key = "";
    copies = (struct place *)(save + 1);
    storage = (char *)(copies + count);
    for (size_t i = 0; i < count; i++) {
        copies[i] = places[i];
        copies[i].account_key = keep(&storage, places[i].account_key);
        copies[i].text = keep(&storage, places[i].text);
    }
    save->places = copies;
    save->place_count = count;
    store_worker_add(&store->worker, save);
}

void store_end_holds(struct store *store, const uint64_t *ids, size_t count, store_saved *saved,
                     void *context)
{
    struct save *save = must_alloc(sizeof(*save) + count * sizeof(*ids));

    list_init(&save->link);
    save->kind = SAVE_HOLDS_ENDED;
    save->account_key = "";
    save->hold_ids = memcpy(save + 1, ids, count * sizeof(*ids));
    save->hold_id_count = count;
    save->saved = saved;
    save->context = context;
    store_worker_add(&store->worker, save);
}
