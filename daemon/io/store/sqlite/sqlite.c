#include "io/store/sqlite/sqlite.h"

#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "io/loop/loop.h"
#include "io/store/sqlite/sqlite_private.h"

struct store_backend {
    struct store_owner owner;
    struct store_worker worker;
    uv_async_t progress;
    uint64_t transactions;
    struct histogram commits;
    bool ended;
};

/* --- completions --- */

static void on_progress_closed(uv_handle_t *handle)
{
    struct store_backend *backend =
        container_of((uv_async_t *)handle, struct store_backend, progress);
    const struct store_owner owner = backend->owner;

    free(backend);
    if (owner.closed)
        owner.closed(owner.context);
}

static void end_all(const struct store_backend *backend, struct list *saves,
                    enum store_outcome outcome)
{
    struct list *item;

    while ((item = list_pop(saves)))
        backend->owner.ended(backend->owner.context, container_of(item, struct save, link),
                             outcome);
}

static void end_reads(struct list *reads)
{
    struct list *item;

    while ((item = list_pop(reads)))
        history_read_end(container_of(item, struct history_read, link));
}

static void on_progress(uv_async_t *handle)
{
    struct store_backend *backend = container_of(handle, struct store_backend, progress);
    struct store_health health;
    struct list saves, reads;
    bool ended;

    if (backend->ended)
        return;
    list_init(&saves);
    list_init(&reads);
    store_worker_collect(&backend->worker, &saves, &reads, &health, &ended);
    backend->transactions = health.transactions;
    backend->commits = health.commits;
    backend->owner.attempted(backend->owner.context, &health.trouble);
    end_all(backend, &saves, STORE_DURABLE);
    end_reads(&reads);
    if (!ended)
        return;
    backend->ended = true;
    store_worker_done(&backend->worker, &saves, &reads);
    end_all(backend, &saves, STORE_LOST);
    end_reads(&reads);
    uv_close((uv_handle_t *)&backend->progress, on_progress_closed);
}

/* --- opening and closing --- */

static int start_worker(struct store_backend *backend, struct loop *loop)
{
    int rc = uv_async_init(loop_uv(loop), &backend->progress, on_progress);

    if (rc != 0) {
        journal_close(&backend->worker.journal);
        free(backend);
        return rc;
    }
    rc = store_worker_start(&backend->worker, &backend->progress);
    if (rc != 0) {
        journal_close(&backend->worker.journal);
        backend->ended = true;
        backend->owner = (struct store_owner){0};
        uv_close((uv_handle_t *)&backend->progress, on_progress_closed);
    }
    return rc;
}

static enum store_open_result sqlite_claim(struct loop *loop, const char *place,
                                           const struct store_owner *owner,
                                           struct store_backend **ret_backend, struct err *err)
{
    struct store_backend *backend = must_alloc(sizeof(*backend));
    enum store_open_result result = journal_open(&backend->worker.journal, place, err);
    int rc;

    if (result == STORE_BUSY || result == STORE_UNUSABLE) {
        journal_close(&backend->worker.journal);
        free(backend);
        return result;
    }
    backend->owner = *owner;
    backend->transactions = backend->worker.journal.transactions;
    rc = start_worker(backend, loop);
    if (rc != 0) {
        (void)err_set_errno(err, -rc, "starting the journal's thread");
        return STORE_UNUSABLE;
    }
    *ret_backend = backend;
    return result;
}

static void sqlite_close(struct store_backend *backend)
{
    store_worker_stop(&backend->worker);
}

/* --- using --- */

static const uint8_t *sqlite_salt(const struct store_backend *backend)
{
    return backend->worker.journal.salt;
}

static uint64_t sqlite_transactions(const struct store_backend *backend)
{
    return backend->transactions;
}

static const struct histogram *sqlite_commits(const struct store_backend *backend)
{
    return &backend->commits;
}

static void sqlite_save(struct store_backend *backend, struct save *save)
{
    store_worker_add(&backend->worker, save);
}

static void sqlite_read_history(struct store_backend *backend, struct history_read *read)
{
    store_worker_ask(&backend->worker, read);
}

/* NULL, with err set: the journal is closed after trouble. */
static struct journal *lock(struct store_backend *backend, struct err *err)
{
    struct journal *journal = &backend->worker.journal;

    uv_mutex_lock(&backend->worker.journal_lock);
    if (journal->db)
        return journal;
    uv_mutex_unlock(&backend->worker.journal_lock);
    (void)err_set(err, -EIO, "the journal cannot be read at present");
    return NULL;
}

static int unlock(struct store_backend *backend, int rc, struct err *err)
{
    const struct journal *journal = &backend->worker.journal;

    uv_mutex_unlock(&backend->worker.journal_lock);
    if (rc == -EBADMSG && err) {
        struct err cause = *err;

        (void)err_set(err, rc, "%.200s is damaged: %.180s: %s", journal->path, cause.text,
                      journal_remedy(rc));
    }
    return rc;
}

static int sqlite_load(struct store_backend *backend, store_found_record *found, void *context,
                       struct err *err)
{
    struct journal *journal = lock(backend, err);

    return journal ? unlock(backend, store_record_read_all(journal->db, found, context, err), err)
                   : -EIO;
}

static int sqlite_load_holds(struct store_backend *backend, store_found_hold *found, void *context,
                             uint64_t *ret_last_id, struct err *err)
{
    struct journal *journal = lock(backend, err);

    return journal ? unlock(backend,
                            store_hold_read_all(journal->db, found, context, ret_last_id, err), err)
                   : -EIO;
}

static int sqlite_load_places(struct store_backend *backend, store_found_place *found,
                              void *context, struct err *err)
{
    struct journal *journal = lock(backend, err);

    return journal ? unlock(backend, store_places_read_all(journal->db, found, context, err), err)
                   : -EIO;
}

static int sqlite_load_discoveries(struct store_backend *backend, store_found_discovery *found,
                                   void *context, struct err *err)
{
    struct journal *journal = lock(backend, err);

    return journal
               ? unlock(backend, store_discoveries_read_all(journal->db, found, context, err), err)
               : -EIO;
}

static int sqlite_load_operations(struct store_backend *backend, store_found_operation *found,
                                  void *context, struct err *err)
{
    struct journal *journal = lock(backend, err);

    return journal
               ? unlock(backend, store_operations_read_all(journal->db, found, context, err), err)
               : -EIO;
}

const struct store_ops sqlite_store_ops = {
    .name = "sqlite",
    .claim = sqlite_claim,
    .salt = sqlite_salt,
    .load = sqlite_load,
    .load_holds = sqlite_load_holds,
    .load_places = sqlite_load_places,
    .load_discoveries = sqlite_load_discoveries,
    .load_operations = sqlite_load_operations,
    .save = sqlite_save,
    .read_history = sqlite_read_history,
    .transactions = sqlite_transactions,
    .commits = sqlite_commits,
    .close = sqlite_close,
    .remedy = journal_remedy,
};
