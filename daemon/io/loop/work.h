/*
 * Threads for work that may block for ever: whatever touches a file system, which may be a dead
 * one. Nobody can end a thread that hangs, so the pool is made to live with such threads:
 *
 * - Threads are made when there is work, and idle ones end after a while.
 * - Work is grouped in lanes by what would hang as a whole. Of one lane, WORK_LANE_BRISK works run
 *   at a time. A work that takes longer than WORK_SLOW makes room for the next, so that what hangs
 *   keeps what works waiting for a moment only, up to WORK_LANE_MAX works of a lane.
 * - The owner of a work has a deadline of its own, and then abandons the work. The thread stays
 *   behind. WORK_ABANDONED_MAX threads may do so; from then on, new work in a lane where something
 *   hangs is refused at once, with cause and remedy.
 *
 * The lane follows from the place of the work. An absolute path stands for its file system (by the
 * device in the kernel's table of mounts, so that a thousand directories of a dead server are one
 * lane); any other text for itself. A work that reads several files should be several works, since
 * they may lie on several file systems.
 *
 * How to use it: embed `struct work` in the data of the work, which holds copies of all it needs.
 *
 *     struct reading { struct work work; struct timer deadline; char *path; ... };
 *
 *     timer_set_delay(&reading->deadline, ...);
 *     rc = work_start(loop_workers(loop), &reading->work, reading->path, run, done, &failure);
 *     run():  on a thread: touches `reading` and nothing else (secret.h and failure.h may be used)
 *     done(): on the loop: if it was not given up, passes the result on; frees `reading`
 *     when the deadline fires:
 *         if (work_abandon(pool, &reading->work))  no thread had begun it: done() will not come
 *             ... report "not tried", free `reading`;
 *         else                                     it hangs: `reading` belongs to the thread
 *             ... report with work_explain_hang(), mark `reading` as given up;
 *
 * All functions are called on the loop, which runs for as long as there is work. A process that
 * ends asks work_hanging(), and leaves by _exit() where it says more than 0: no thread keeps it.
 */
#ifndef KEYROTATED_IO_LOOP_WORK_H
#define KEYROTATED_IO_LOOP_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/list.h"
#include "base/time.h"
#include "proto/failure.h"

enum {
    WORK_LANE_BRISK = 4,
    WORK_LANE_MAX = 24,
    WORK_ABANDONED_MAX = 96,
    WORK_THREADS_MAX = 128 /* what remains is for lanes where nothing hangs */
};
#define WORK_SLOW ((duration_ms)100)

struct work_pool;
struct work_lane;

/* All members belong to the pool. */
struct work {
    struct list link;       /* in lane->waiting, or where threads take it from and put it to */
    struct list begun_link; /* in pool->begun */
    struct work_lane *lane;
    void (*run)(struct work *work);
    void (*done)(struct work *work);
    uint64_t began_ms;
    enum { WORK_WAITS, WORK_IS_BRISK, WORK_IS_SLOW, WORK_IS_ABANDONED } state;
    bool taken; /* by a thread */
};

/* The pool of a loop: loop_workers() in loop.h has it. */
struct work_pool *work_pool_new(uv_loop_t *uv);

/* Waits for threads that have nothing to do, and leaves those behind that run something: there will
 * be no done() for it. No work may wait. The loop has to run once more to close the handles. NULL
 * is fine. */
void work_pool_close(struct work_pool *pool);

/*
 * run(work) on a thread, with all signals blocked and a stack of WORK_STACK bytes, which is wiped
 * afterwards; then done(work) from the loop. The caller keeps the work until done(). `place` is
 * copied. Returns 0, or -EAGAIN with text and remedy of *failure (initialised by the caller, which
 * knows the reason) where too much hangs already, or no thread can be made; then neither is called.
 */
int work_start(struct work_pool *pool, struct work *work, const char *place,
               void (*run)(struct work *work), void (*done)(struct work *work),
               struct failure *failure);
enum { WORK_STACK = 512 * 1024 };

/*
 * The owner waits no longer. True: no thread has begun the work, it never will, and done() is not
 * called. False: a thread is at it, and done() follows if it ever returns. At most once for each
 * work_start(), and before done().
 */
bool work_abandon(struct work_pool *pool, struct work *work);

/* "reading /srv/k has not returned within 30s: the file system at /srv (nfs4) does not answer",
 * and what to do. `doing`: "reading"; `path` is absolute. */
void work_explain_hang(struct work_pool *pool, const char *doing, const char *path,
                       duration_ms patience, struct failure *failure);

/* How many threads hang in works that were abandoned. */
unsigned work_hanging(const struct work_pool *pool);

#endif
