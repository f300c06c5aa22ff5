#include "io/store/sqlite/sqlite_private.h"

#include <errno.h>

enum { PAUSE_MIN_MS = 250, PAUSE_MAX_MS = 16000, NS_PER_MS = 1000000 };

/* Puts the items of `from` before those of `to`. */
static void prepend_all(struct list *to, struct list *from)
{
    while (!list_empty(from)) {
        struct list *last = from->prev;

        list_remove(last);
        list_append(to->next, last);
    }
}

static void move_all(struct list *to, struct list *from)
{
    struct list *item;

    while ((item = list_pop(from)))
        list_append(to, item);
}

/* How long to pause before the next attempt, and whether the pause is for all saves or only for
 * refused ones, which do not delay new saves. */
struct pause {
    uint64_t ms;
    bool for_all;
};

static void pause_longer(struct pause *pause, bool for_all)
{
    if (pause->ms == 0)
        pause->ms = PAUSE_MIN_MS;
    else if (pause->ms < PAUSE_MAX_MS)
        pause->ms *= 2;
    pause->for_all = for_all;
}

/* Reads what is asked for. The queue is not locked meanwhile. */
static void read_asked(struct store_worker *worker)
{
    struct list asked;

    if (list_empty(&worker->asked))
        return;
    list_init(&asked);
    move_all(&asked, &worker->asked);
    uv_mutex_unlock(&worker->lock);
    uv_mutex_lock(&worker->journal_lock);
    list_for_each_entry (read, &asked, struct history_read, link) {
        if (worker->journal.db && read->found)
            (void)store_history_read(worker->journal.db, read);
        else if (worker->journal.db)
            (void)store_history_check(worker->journal.db, read);
        else
            (void)err_set(&read->err, -EIO, "the journal cannot be read at present");
    }
    uv_mutex_unlock(&worker->journal_lock);
    uv_mutex_lock(&worker->lock);
    move_all(&worker->read, &asked);
    (void)uv_async_send(worker->progress);
}

/* Sleeps until there is work, or until the pause after trouble is over. Returns false when the
 * thread is stopping and the queue is empty. *ret_last: the thread is stopping and this is the last
 * batch. */
static bool wait_for_batch(struct store_worker *worker, const struct pause *pause,
                           struct list *batch, bool *ret_last)
{
    const uint64_t until = uv_hrtime() + pause->ms * NS_PER_MS;
    uint64_t now;

    uv_mutex_lock(&worker->lock);
    read_asked(worker);
    while (list_empty(&worker->queue) && !worker->stopping) {
        uv_cond_wait(&worker->wake, &worker->lock);
        read_asked(worker);
    }
    while (!worker->stopping && (pause->for_all || !worker->arrived) && pause->ms > 0 &&
           (now = uv_hrtime()) < until) {
        (void)uv_cond_timedwait(&worker->wake, &worker->lock, until - now);
        read_asked(worker);
    }
    move_all(batch, &worker->queue);
    worker->arrived = false;
    *ret_last = worker->stopping;
    uv_mutex_unlock(&worker->lock);
    return !list_empty(batch);
}

static void post_results(struct store_worker *worker, struct list *batch, const struct err *trouble)
{
    uv_mutex_lock(&worker->lock);
    list_for_each_entry (save, batch, struct save, link) {
        if (!save->written)
            continue;
        list_remove(&save->link);
        list_append(&worker->written, &save->link);
    }
    prepend_all(&worker->queue, batch);
    worker->health.trouble = *trouble;
    worker->health.transactions = worker->journal.transactions;
    worker->health.commits = worker->journal.commits;
    uv_mutex_unlock(&worker->lock);
    (void)uv_async_send(worker->progress);
}

static void run_worker(void *argument)
{
    struct store_worker *worker = argument;
    struct pause pause = {0};
    bool last = false;
    struct list batch;

    list_init(&batch);
    while (!last && wait_for_batch(worker, &pause, &batch, &last)) {
        struct err disk, refused;
        const struct err *trouble;

        err_clear(&disk);
        uv_mutex_lock(&worker->journal_lock);
        (void)journal_write(&worker->journal, &batch, &disk, &refused);
        uv_mutex_unlock(&worker->journal_lock);

        trouble = disk.code != 0 ? &disk : &refused;
        if (trouble->code == 0)
            pause.ms = 0;
        else
            pause_longer(&pause, disk.code != 0);
        post_results(worker, &batch, trouble);
    }

    uv_mutex_lock(&worker->lock);
    worker->ended = true;
    uv_mutex_unlock(&worker->lock);
    (void)uv_async_send(worker->progress);
}

int store_worker_start(struct store_worker *worker, uv_async_t *progress)
{
    int rc;

    worker->progress = progress;
    worker->stopping = false;
    worker->ended = false;
    worker->arrived = false;
    worker->health = (struct store_health){.transactions = worker->journal.transactions};
    list_init(&worker->queue);
    list_init(&worker->written);
    list_init(&worker->asked);
    list_init(&worker->read);
    rc = uv_mutex_init(&worker->journal_lock);
    if (rc != 0)
        return rc;
    rc = uv_mutex_init(&worker->lock);
    if (rc != 0)
        goto no_lock;
    rc = uv_cond_init(&worker->wake);
    if (rc != 0)
        goto no_wake;
    rc = uv_thread_create(&worker->thread, run_worker, worker);
    if (rc == 0)
        return 0;

    uv_cond_destroy(&worker->wake);
no_wake:
    uv_mutex_destroy(&worker->lock);
no_lock:
    uv_mutex_destroy(&worker->journal_lock);
    return rc;
}

void store_worker_add(struct store_worker *worker, struct save *save)
{
    uv_mutex_lock(&worker->lock);
    list_append(&worker->queue, &save->link);
    worker->arrived = true;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->lock);
}

void store_worker_ask(struct store_worker *worker, struct history_read *read)
{
    uv_mutex_lock(&worker->lock);
    list_append(&worker->asked, &read->link);
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->lock);
}

void store_worker_collect(struct store_worker *worker, struct list *written, struct list *read,
                          struct store_health *health, bool *ret_ended)
{
    uv_mutex_lock(&worker->lock);
    move_all(written, &worker->written);
    move_all(read, &worker->read);
    *health = worker->health;
    *ret_ended = worker->ended;
    uv_mutex_unlock(&worker->lock);
}

void store_worker_stop(struct store_worker *worker)
{
    uv_mutex_lock(&worker->lock);
    worker->stopping = true;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->lock);
}

void store_worker_done(struct store_worker *worker, struct list *unwritten, struct list *reads)
{
    (void)uv_thread_join(&worker->thread);
    move_all(unwritten, &worker->queue);
    list_for_each_entry (read, &worker->asked, struct history_read, link) {
        (void)err_set(&read->err, -EIO, "the journal was closed");
    }
    move_all(reads, &worker->read);
    move_all(reads, &worker->asked);
    uv_cond_destroy(&worker->wake);
    uv_mutex_destroy(&worker->lock);
    uv_mutex_destroy(&worker->journal_lock);
    journal_close(&worker->journal);
}
