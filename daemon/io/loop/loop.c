#include "io/loop/loop.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/wipe.h"
#include "io/loop/clock_watch.h"
#include "io/loop/turn_meter.h"
#include "io/loop/work.h"

/* The loop wakes at least this often to look at the clocks. */
#define NAP_MAX MS_MINUTE

/* Wall-clock timers are set again once the wall clock has moved this far against the monotonic
 * clock. */
#define TIMER_DRIFT_MAX MS_SECOND

#define NS_PER_MS 1000000U

struct loop {
    uv_loop_t uv;

    /* Of the loop's own handles only `wakeful` keeps the loop alive, while a call is deferred. */
    uv_prepare_t before_sleep;
    uv_check_t after_sleep;
    uv_idle_t wakeful; /* active: the loop polls without sleeping */
    uv_timer_t nap;
    bool handles_closed;

    struct list deferred;
    struct list wall_timers;
    struct work_pool *workers; /* NULL: not needed yet */

    bool running;
    bool now_sampled;
    time_ms now;

    struct clock_sample clocks;
    duration_ms wall_offset; /* wall minus monotonic, by which the wall timers are set */
    loop_clock_jumped *jumped;
    void *jumped_context;

    struct turn_meter turns;
};

/* --- deferred calls --- */

void deferred_init(struct deferred *deferred, void (*run)(struct deferred *))
{
    list_init(&deferred->link);
    deferred->run = run;
}

static void on_wakeful(uv_idle_t *handle)
{
    (void)handle; /* only the handle's activity matters */
}

void loop_defer(struct loop *loop, struct deferred *deferred)
{
    if (!list_empty(&deferred->link))
        return;
    list_append(&loop->deferred, &deferred->link);
    if (!loop->handles_closed)
        (void)uv_idle_start(&loop->wakeful, on_wakeful);
}

void loop_defer_cancel(struct deferred *deferred)
{
    list_remove(&deferred->link);
}

/* Runs the calls that are deferred now. Calls deferred meanwhile run in the next turn, so that a
 * call which defers itself cannot keep the loop from its sockets. */
static void run_deferred(struct loop *loop)
{
    struct list batch;
    struct list *item;

    list_init(&batch);
    while ((item = list_pop(&loop->deferred)))
        list_append(&batch, item);

    while ((item = list_pop(&batch))) {
        struct deferred *deferred = container_of(item, struct deferred, link);

        deferred->run(deferred);
    }
    if (list_empty(&loop->deferred))
        (void)uv_idle_stop(&loop->wakeful);
}

/* --- timers --- */

/*
 * libuv counts a delay from the time at which the turn began, which a long callback makes stale.
 * Add the time that has passed since; updating the loop's time instead could make a timer due
 * within the same pass over the timers and keep the loop from its sockets. A delay of 0 does that
 * too (libuv before 1.48), hence at least 1.
 */
static void start_uv_timer(struct timer *timer, duration_ms delay, uv_timer_cb callback)
{
    const uint64_t real_now = uv_hrtime() / NS_PER_MS;
    const uint64_t loop_time = uv_now(&timer->loop->uv);
    const uint64_t stale = real_now > loop_time ? real_now - loop_time : 0;

    (void)uv_timer_start(&timer->handle, callback, stale + (uint64_t)(delay > 0 ? delay : 1), 0);
}

static void on_timer(uv_timer_t *handle)
{
    struct timer *timer = container_of(handle, struct timer, handle);

    if (timer->at != TIME_NEVER && timer->at > loop_now(timer->loop)) {
        start_uv_timer(timer, timer->at - loop_now(timer->loop), on_timer);
        return;
    }
    list_remove(&timer->link);
    timer->at = TIME_NEVER;
    timer->fired(timer);
}

static void start_wall_timer(struct timer *timer)
{
    const time_ms now = time_wall();

    start_uv_timer(timer, timer->at > now ? timer->at - now : 0, on_timer);
}

void timer_init(struct loop *loop, struct timer *timer, void (*fired)(struct timer *))
{
    (void)uv_timer_init(&loop->uv, &timer->handle); /* cannot fail */
    timer->loop = loop;
    list_init(&timer->link);
    timer->at = TIME_NEVER;
    timer->fired = fired;
    timer->closed = NULL;
    timer->closing = false;
}

void timer_set(struct timer *timer, time_ms at)
{
    timer_stop(timer);
    if (timer->closing || at == TIME_NEVER)
        return;
    timer->at = at;
    list_append(&timer->loop->wall_timers, &timer->link);
    start_wall_timer(timer);
}

void timer_set_delay(struct timer *timer, duration_ms delay)
{
    timer_stop(timer);
    if (!timer->closing)
        start_uv_timer(timer, delay, on_timer);
}

void timer_stop(struct timer *timer)
{
    list_remove(&timer->link);
    timer->at = TIME_NEVER;
    (void)uv_timer_stop(&timer->handle);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct timer *timer = container_of(handle, struct timer, handle);

    if (timer->closed)
        timer->closed(timer);
}

void timer_close(struct timer *timer, void (*closed)(struct timer *))
{
    if (timer->closing)
        return;
    timer_stop(timer);
    timer->closing = true;
    timer->closed = closed;
    uv_close((uv_handle_t *)&timer->handle, on_timer_closed);
}

/* --- clocks --- */

time_ms loop_now(struct loop *loop)
{
    if (!loop->running)
        return time_wall();
    if (!loop->now_sampled) {
        loop->now = time_wall();
        loop->now_sampled = true;
    }
    return loop->now;
}

void loop_watch_clock(struct loop *loop, loop_clock_jumped *jumped, void *context)
{
    loop->jumped = jumped;
    loop->jumped_context = context;
}

static void restart_wall_timers(struct loop *loop)
{
    list_for_each (item, &loop->wall_timers) {
        start_wall_timer(container_of(item, struct timer, link));
    }
}

/* Many small steps of the clock add up although each is too small to report. Timers are therefore
 * set again by the distance to the offset with which they were set; a jump is reported by the
 * distance to the last sample. */
static void look_at_clocks(struct loop *loop)
{
    const struct clock_sample now = clock_sample_take();
    const struct clock_change change = clock_change_between(&loop->clocks, &now);
    const duration_ms offset = now.wall - now.monotonic;
    const duration_ms drift = offset - loop->wall_offset;

    loop->clocks = now;
    if (drift >= TIMER_DRIFT_MAX || drift <= -TIMER_DRIFT_MAX) {
        loop->wall_offset = offset;
        restart_wall_timers(loop);
    }
    if (clock_change_matters(&change) && loop->jumped)
        loop->jumped(loop->jumped_context, change.jump, change.suspended);
}

static void on_nap_over(uv_timer_t *handle)
{
    (void)handle; /* waking up suffices: every turn samples the clocks */
}

/* --- turns --- */

static void on_before_sleep(uv_prepare_t *handle)
{
    struct loop *loop = container_of(handle, struct loop, before_sleep);

    run_deferred(loop);
    wipe_unused_stack();
    turn_meter_next(&loop->turns, uv_metrics_idle_time(&loop->uv));
    loop->now_sampled = false;
}

static void on_after_sleep(uv_check_t *handle)
{
    struct loop *loop = container_of(handle, struct loop, after_sleep);

    look_at_clocks(loop);
    run_deferred(loop);
}

struct loop_lag loop_take_lag(struct loop *loop)
{
    const struct loop_lag lag = {
        .longest = (duration_ms)(loop->turns.worst_ns / NS_PER_MS),
        .longest_own = (duration_ms)(loop->turns.worst_own_ns / NS_PER_MS),
    };

    loop->turns.worst_ns = 0;
    loop->turns.worst_own_ns = 0;
    return lag;
}

const struct histogram *loop_turns(const struct loop *loop)
{
    return &loop->turns.turns;
}

void loop_run(struct loop *loop)
{
    loop->running = true;
    loop->now_sampled = false;
    turn_meter_start(&loop->turns, uv_metrics_idle_time(&loop->uv));
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    turn_meter_stop(&loop->turns);
    loop->running = false;
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

struct work_pool *loop_workers(struct loop *loop)
{
    if (!loop->workers)
        loop->workers = work_pool_new(&loop->uv);
    return loop->workers;
}

/* --- life --- */

static void start_own_handles(struct loop *loop)
{
    /* None of these can fail: they only enter the handle into the loop's lists. */
    (void)uv_prepare_init(&loop->uv, &loop->before_sleep);
    (void)uv_check_init(&loop->uv, &loop->after_sleep);
    (void)uv_idle_init(&loop->uv, &loop->wakeful);
    (void)uv_timer_init(&loop->uv, &loop->nap);
    (void)uv_prepare_start(&loop->before_sleep, on_before_sleep);
    (void)uv_check_start(&loop->after_sleep, on_after_sleep);
    (void)uv_timer_start(&loop->nap, on_nap_over, NAP_MAX, NAP_MAX);
    uv_unref((uv_handle_t *)&loop->before_sleep);
    uv_unref((uv_handle_t *)&loop->after_sleep);
    uv_unref((uv_handle_t *)&loop->nap);
}

struct loop *loop_new(struct err *err)
{
    struct loop *loop = must_alloc(sizeof(*loop));
    int rc;

    rc = uv_loop_init(&loop->uv);
    if (rc == 0) {
        rc = uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
        if (rc != 0)
            (void)uv_loop_close(&loop->uv);
    }
    if (rc != 0) {
        (void)err_set(err, rc, "cannot create the event loop: %s", uv_strerror(rc));
        free(loop);
        return NULL;
    }

    list_init(&loop->deferred);
    list_init(&loop->wall_timers);
    loop->turns.file = -1;
    loop->clocks = clock_sample_take();
    loop->wall_offset = loop->clocks.wall - loop->clocks.monotonic;
    start_own_handles(loop);
    return loop;
}

bool loop_free(struct loop *loop)
{
    if (!loop)
        return true;
    if (!loop->handles_closed) {
        loop->handles_closed = true;
        work_pool_close(loop->workers);
        uv_close((uv_handle_t *)&loop->before_sleep, NULL);
        uv_close((uv_handle_t *)&loop->after_sleep, NULL);
        uv_close((uv_handle_t *)&loop->wakeful, NULL);
        uv_close((uv_handle_t *)&loop->nap, NULL);
    }
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT); /* closes the closing handles, without waiting */
    if (uv_loop_close(&loop->uv) != 0)
        return false;
    free(loop);
    return true;
}
