/*
 * The loop decides which work may begin (lanes, counts) and hands it to the threads; a lock guards
 * what both sides touch. Memory of the pool stays until the last thread has returned.
 */
#include "io/loop/work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "base/wipe.h"
#include "io/loop/mounts.h"

#define NS_PER_MS 1000000U
#define IDLE_MAX  (UINT64_C(10000) * NS_PER_MS)

/* While work waits, running work is looked at this often: has it become slow? */
enum { LOOK_MS = 25, HANDLES = 2 };

struct work_lane {
    struct list link;    /* in pool->lanes */
    struct list waiting; /* struct work, in the order of the calls */
    unsigned brisk;
    unsigned running; /* brisk, slow and abandoned ones */
    unsigned abandoned;
    char *key;
    char *name; /* for people */
};

/* A thread. */
struct worker {
    struct list link; /* in pool->workers or pool->gone */
    struct work_pool *pool;
    pthread_t thread;
    bool busy;
    bool left; /* behind, by work_pool_close() */
};

struct work_pool {
    /* The loop's. */
    uv_async_t returned;
    uv_timer_t look;
    struct list lanes; /* the one that began something last comes last */
    struct list begun; /* struct work that is brisk, the oldest first */
    unsigned waiting;
    unsigned running;
    unsigned abandoned;
    int thread_error; /* of the last attempt to make a thread; 0: it worked */
    struct mounts mounts;

    /* Both sides', under the lock. */
    uv_mutex_t lock;
    uv_cond_t wake; /* for threads: there is work, or the end */
    uv_cond_t went; /* for the end: a thread has gone */
    struct list ready;
    struct list ended;
    struct list workers;
    struct list gone; /* threads to join */
    unsigned ready_count;
    unsigned idle;
    unsigned left;    /* threads that work_pool_close() left behind */
    unsigned handles; /* of the loop that are open */
    bool closing;
};

/* --- threads --- */

/* Called with the lock held, which it gives back. Frees the pool after its last user. */
static void release(struct work_pool *pool)
{
    const bool last = pool->left == 0 && pool->handles == 0;

    uv_mutex_unlock(&pool->lock);
    if (!last)
        return;
    uv_cond_destroy(&pool->went);
    uv_cond_destroy(&pool->wake);
    uv_mutex_destroy(&pool->lock);
    free(pool);
}

/* Called with the lock held. NULL: the thread is not needed any more. */
static struct work *take(struct work_pool *pool)
{
    struct work *work;
    int rc = 0;

    while (list_empty(&pool->ready) && !pool->closing && rc == 0) {
        pool->idle++;
        rc = uv_cond_timedwait(&pool->wake, &pool->lock, IDLE_MAX);
        pool->idle--;
    }
    if (list_empty(&pool->ready) || pool->closing)
        return NULL;
    work = container_of(list_pop(&pool->ready), struct work, link);
    pool->ready_count--;
    work->taken = true;
    return work;
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    struct work_pool *pool = worker->pool;
    struct work *work;

    uv_mutex_lock(&pool->lock);
    while (!worker->left && (work = take(pool))) {
        worker->busy = true;
        uv_mutex_unlock(&pool->lock);
        work->run(work);
        wipe_unused_stack();
        uv_mutex_lock(&pool->lock);
        worker->busy = false;
        if (worker->left)
            break;
        list_append(&pool->ended, &work->link);
        (void)uv_async_send(&pool->returned);
    }
    list_remove(&worker->link);
    if (worker->left) {
        free(worker);
        pool->left--;
        release(pool);
        return NULL;
    }
    list_append(&pool->gone, &worker->link);
    uv_cond_signal(&pool->went);
    uv_mutex_unlock(&pool->lock);
    return NULL;
}

/* Signals belong to the loop. */
static int create(struct worker *worker)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int rc = pthread_attr_init(&attributes);

    if (rc != 0)
        return rc;
    rc = pthread_attr_setstacksize(&attributes, WORK_STACK);
    if (rc == 0) {
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        rc = pthread_create(&worker->thread, &attributes, run_worker, worker);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    return rc;
}

/* Called with the lock held. */
static bool add_thread(struct work_pool *pool)
{
    struct worker *worker = must_alloc(sizeof(*worker));

    worker->pool = pool;
    list_init(&worker->link);
    list_append(&pool->workers, &worker->link);
    pool->thread_error = create(worker);
    if (pool->thread_error == 0)
        return true;
    list_remove(&worker->link);
    free(worker);
    return false;
}

/* Called with the lock held. They have left their function or are about to. */
static void join_those_gone(struct work_pool *pool)
{
    struct list *link;

    while ((link = list_pop(&pool->gone))) {
        struct worker *worker = container_of(link, struct worker, link);

        uv_mutex_unlock(&pool->lock);
        (void)pthread_join(worker->thread, NULL);
        free(worker);
        uv_mutex_lock(&pool->lock);
    }
}

/* --- lanes --- */

static struct work_lane *find_or_add_lane(struct work_pool *pool, const char *place)
{
    const struct mount *mount = NULL;
    const char *key = place;
    struct work_lane *lane;

    if (place[0] == '/') {
        mounts_refresh(&pool->mounts);
        mount = mounts_find(&pool->mounts, place);
        if (mount)
            key = mount->device;
    }
    list_for_each (item, &pool->lanes) {
        lane = container_of(item, struct work_lane, link);
        if (str_equal(lane->key, key))
            return lane;
    }
    lane = must_alloc(sizeof(*lane));
    list_init(&lane->waiting);
    lane->key = must_dup(key);
    lane->name = mount ? must(str_format("the file system at %s (%s)", mount->point, mount->type))
                       : must_dup(place);
    list_append(&pool->lanes, &lane->link);
    return lane;
}

static void remove_lane_if_empty(struct work_lane *lane)
{
    if (lane->running > 0 || !list_empty(&lane->waiting))
        return;
    list_remove(&lane->link);
    free(lane->key);
    free(lane->name);
    free(lane);
}

/* --- what may begin --- */

static void keep_loop(struct work_pool *pool)
{
    if (pool->waiting + pool->running > 0)
        uv_ref((uv_handle_t *)&pool->returned);
    else
        uv_unref((uv_handle_t *)&pool->returned);
}

static void on_look(uv_timer_t *timer);

static void look_while_work_waits(struct work_pool *pool)
{
    if (pool->waiting == 0)
        (void)uv_timer_stop(&pool->look);
    else if (!uv_is_active((uv_handle_t *)&pool->look))
        (void)uv_timer_start(&pool->look, on_look, LOOK_MS, LOOK_MS);
}

/* False: there is no thread for it, and none can be made. */
static bool begin(struct work_pool *pool, struct work *work)
{
    struct work_lane *lane = work->lane;
    bool has_thread;

    uv_mutex_lock(&pool->lock);
    join_those_gone(pool);
    has_thread = pool->ready_count < pool->idle || add_thread(pool);
    if (has_thread) {
        list_remove(&work->link);
        list_append(&pool->ready, &work->link);
        pool->ready_count++;
        uv_cond_signal(&pool->wake);
    }
    uv_mutex_unlock(&pool->lock);
    if (!has_thread)
        return false;

    work->state = WORK_IS_BRISK;
    work->began_ms = uv_hrtime() / NS_PER_MS;
    list_append(&pool->begun, &work->begun_link);
    lane->brisk++;
    lane->running++;
    pool->waiting--;
    pool->running++;
    return true;
}

static bool begin_some(struct work_pool *pool, struct work_lane *lane)
{
    list_for_each_entry (work, &lane->waiting, struct work, link) {
        if (lane->brisk >= WORK_LANE_BRISK || lane->running >= WORK_LANE_MAX)
            break;
        if (pool->running >= WORK_THREADS_MAX || !begin(pool, work))
            return false;
    }
    return true;
}

static void begin_those_that_may(struct work_pool *pool)
{
    struct list lanes;
    bool more = true;

    list_init(&lanes);
    list_for_each_entry (lane, &pool->lanes, struct work_lane, link) {
        if (!more || list_empty(&lane->waiting))
            continue;
        more = begin_some(pool, lane);
        list_remove(&lane->link);
        list_append(&lanes, &lane->link);
    }
    list_for_each_entry (lane, &lanes, struct work_lane, link) {
        list_remove(&lane->link);
        list_append(&pool->lanes, &lane->link);
    }
    keep_loop(pool);
    look_while_work_waits(pool);
}

static void no_longer_brisk(struct work *work)
{
    if (work->state == WORK_IS_BRISK)
        work->lane->brisk--;
    list_remove(&work->begun_link);
}

static void on_look(uv_timer_t *timer)
{
    struct work_pool *pool = container_of(timer, struct work_pool, look);
    const uint64_t now = uv_hrtime() / NS_PER_MS;

    list_for_each_entry (work, &pool->begun, struct work, begun_link) {
        if (now - work->began_ms < (uint64_t)WORK_SLOW)
            break;
        no_longer_brisk(work);
        work->state = WORK_IS_SLOW;
    }
    begin_those_that_may(pool);
}

/* --- ends --- */

static void forget(struct work_pool *pool, struct work *work)
{
    struct work_lane *lane = work->lane;

    no_longer_brisk(work);
    if (work->state == WORK_IS_ABANDONED) {
        lane->abandoned--;
        pool->abandoned--;
    }
    lane->running--;
    pool->running--;
    remove_lane_if_empty(lane);
}

static void on_returned(uv_async_t *async)
{
    struct work_pool *pool = container_of(async, struct work_pool, returned);
    struct list ended;
    struct list *link;

    list_init(&ended);
    uv_mutex_lock(&pool->lock);
    while ((link = list_pop(&pool->ended)))
        list_append(&ended, link);
    uv_mutex_unlock(&pool->lock);

    /* One may abandon another, which then still has its done(). */
    while ((link = list_pop(&ended))) {
        struct work *work = container_of(link, struct work, link);

        forget(pool, work);
        work->done(work);
    }
    begin_those_that_may(pool);
}

/* --- for all --- */

static void refuse(const struct work_pool *pool, const struct work_lane *lane, const char *place,
                   struct failure *failure)
{
    if (pool->thread_error != 0) {
        failure_set_text(failure, "%s: not tried, because no thread can be made: %s", place,
                         strerror(pool->thread_error));
        failure_set_remedy(failure,
                           "raise the limit of tasks: run `systemctl edit {unit}`, add "
                           "`TasksMax=512` below [Service] and restart the daemon");
    } else if (lane->abandoned == WORK_LANE_MAX) {
        failure_set_text(failure, "%s: not tried, because %u operations on %s hang", place,
                         lane->abandoned, lane->name);
        failure_set_remedy(failure,
                           "make %s answer; for a network file system, check its server. What "
                           "hangs continues as soon as it answers",
                           lane->name);
    } else {
        failure_set_text(failure, "%s: not tried, because %u operations hang, on %s and others",
                         place, pool->abandoned, lane->name);
        failure_set_remedy(failure,
                           "make %s and the other file systems answer that failures name; for a "
                           "network file system, check its server. What hangs continues as soon as "
                           "it answers",
                           lane->name);
    }
}

static bool too_much_hangs(const struct work_pool *pool, const struct work_lane *lane)
{
    return lane->abandoned == WORK_LANE_MAX || pool->abandoned == WORK_THREADS_MAX ||
           (pool->abandoned >= WORK_ABANDONED_MAX && lane->abandoned > 0);
}

int work_start(struct work_pool *pool, struct work *work, const char *place,
               void (*run)(struct work *work), void (*done)(struct work *work),
               struct failure *failure)
{
    struct work_lane *lane = find_or_add_lane(pool, place);
    bool refused;

    pool->thread_error = 0;
    list_init(&work->link);
    list_init(&work->begun_link);
    work->lane = lane;
    work->run = run;
    work->done = done;
    work->state = WORK_WAITS;
    work->taken = false;
    refused = too_much_hangs(pool, lane);
    if (!refused) {
        list_append(&lane->waiting, &work->link);
        pool->waiting++;
        begin_those_that_may(pool);
        /* Where nothing runs that ends soon, waiting for its thread would be in vain. */
        refused = work->state == WORK_WAITS && pool->thread_error != 0 &&
                  pool->running == pool->abandoned;
        if (refused) {
            list_remove(&work->link);
            pool->waiting--;
        }
    }
    if (!refused)
        return 0;
    refuse(pool, lane, place, failure);
    remove_lane_if_empty(lane);
    begin_those_that_may(pool);
    return -EAGAIN;
}

/* True: a thread had not begun it, and will not. */
static bool take_back(struct work_pool *pool, struct work *work)
{
    bool taken;

    uv_mutex_lock(&pool->lock);
    taken = work->taken;
    if (!taken) {
        list_remove(&work->link);
        pool->ready_count--;
    }
    uv_mutex_unlock(&pool->lock);
    return !taken;
}

bool work_abandon(struct work_pool *pool, struct work *work)
{
    struct work_lane *lane = work->lane;
    bool free_again = true;

    if (work->state == WORK_WAITS) {
        list_remove(&work->link);
        pool->waiting--;
        remove_lane_if_empty(lane);
    } else if (take_back(pool, work)) {
        forget(pool, work);
    } else {
        no_longer_brisk(work);
        work->state = WORK_IS_ABANDONED;
        lane->abandoned++;
        pool->abandoned++;
        free_again = false;
    }
    begin_those_that_may(pool);
    return free_again;
}

void work_explain_hang(struct work_pool *pool, const char *doing, const char *path,
                       duration_ms patience, struct failure *failure)
{
    const struct mount *mount = mounts_find(&pool->mounts, path);
    const char *slash = strrchr(path, '/');
    char time[DURATION_TEXT_MAX];

    duration_to_text(patience, time);
    if (mount)
        failure_set_text(failure,
                         "%s %s has not returned within %s: the file system at %s (%s) does not "
                         "answer",
                         doing, path, time, mount->point, mount->type);
    else
        failure_set_text(failure,
                         "%s %s has not returned within %s: its file system does not answer", doing,
                         path, time);
    failure_set_remedy(failure,
                       "check whether `ls %.*s/` answers; for a network file system, check its "
                       "server",
                       slash ? (int)(slash - path) : 0, path);
}

unsigned work_hanging(const struct work_pool *pool)
{
    return pool->abandoned;
}

/* --- life --- */

struct work_pool *work_pool_new(uv_loop_t *uv)
{
    struct work_pool *pool = must_alloc(sizeof(*pool));

    list_init(&pool->lanes);
    list_init(&pool->begun);
    list_init(&pool->ready);
    list_init(&pool->ended);
    list_init(&pool->workers);
    list_init(&pool->gone);
    mounts_init(&pool->mounts);
    if (uv_mutex_init(&pool->lock) != 0 || uv_cond_init(&pool->wake) != 0 ||
        uv_cond_init(&pool->went) != 0 || uv_async_init(uv, &pool->returned, on_returned) != 0)
        fault_out_of_memory(); /* no descriptor is needed: the loop has one for all of them */
    (void)uv_timer_init(uv, &pool->look);
    uv_unref((uv_handle_t *)&pool->look);
    pool->handles = HANDLES;
    keep_loop(pool);
    return pool;
}

static void on_handle_closed(struct work_pool *pool)
{
    uv_mutex_lock(&pool->lock);
    pool->handles--;
    release(pool);
}

static void on_returned_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of(handle, struct work_pool, returned));
}

static void on_look_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of(handle, struct work_pool, look));
}

static void end_threads(struct work_pool *pool)
{
    uv_mutex_lock(&pool->lock);
    pool->closing = true;
    uv_cond_broadcast(&pool->wake);
    list_for_each_entry (worker, &pool->workers, struct worker, link) {
        if (!worker->busy)
            continue;
        (void)pthread_detach(worker->thread);
        worker->left = true;
        list_remove(&worker->link);
        pool->left++;
    }
    while (!list_empty(&pool->workers))
        uv_cond_wait(&pool->went, &pool->lock);
    join_those_gone(pool);
    uv_mutex_unlock(&pool->lock);
}

void work_pool_close(struct work_pool *pool)
{
    if (!pool)
        return;
    end_threads(pool);
    list_for_each_entry (lane, &pool->lanes, struct work_lane, link) {
        list_remove(&lane->link);
        free(lane->key);
        free(lane->name);
        free(lane);
    }
    mounts_done(&pool->mounts);
    uv_close((uv_handle_t *)&pool->returned, on_returned_closed);
    uv_close((uv_handle_t *)&pool->look, on_look_closed);
}
