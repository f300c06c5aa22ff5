/*
 * The thread that writes the journal.
 *
 * It takes all saves that wait and writes them in one transaction; what arrives meanwhile goes into
 * the next one. A save that cannot be written stays at the front of the queue and is tried again,
 * with growing pauses, until it is written.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_WORKER_H
#define KEYROTATED_IO_STORE_SQLITE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "base/list.h"
#include "io/store/sqlite/journal.h"

/* The state of the journal, for the loop. */
struct store_health {
    struct err trouble;    /* code 0: all is well */
    uint64_t transactions; /* since the start */
};

struct store_worker {
    struct journal journal;
    uv_thread_t thread;
    uv_async_t
        *progress; /* signalled when something was written, failed, or the thread has ended */

    uv_mutex_t journal_lock; /* holds the journal while it is written or read */
    uv_mutex_t lock;         /* guards what follows */
    uv_cond_t wake;
    struct list queue;   /* struct save, to be written */
    struct list written; /* struct save, durable: the loop takes them from here */
    struct store_health health;
    bool arrived;  /* a save was added since the last batch was taken */
    bool stopping; /* make one last attempt to write the queue, and end */
    bool ended;
};

/* Starts the thread on a journal that is open. Returns 0 or a negative errno value. */
int store_worker_start(struct store_worker *worker, uv_async_t *progress);

void store_worker_add(struct store_worker *worker, struct save *save);

/* Moves durable saves to `written`; returns the state, and whether the thread has ended. */
void store_worker_collect(struct store_worker *worker, struct list *written,
                          struct store_health *health, bool *ret_ended);

void store_worker_stop(struct store_worker *worker);

/* Joins the thread, moves unwritten saves to `unwritten`, and closes the journal. */
void store_worker_done(struct store_worker *worker, struct list *unwritten);

#endif
