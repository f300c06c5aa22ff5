/*
 * The event loop: libuv, with timers on the wall clock, work on threads, and completions that are
 * always called from the loop.
 *
 * Instants are wall-clock instants. libuv's timers count only the time for which the machine is
 * awake, so the loop sleeps for at most a minute at a time and then compares the wall clock with
 * the monotonic one: it reports a step or a suspend within a minute.
 */
#ifndef KEYROTATED_IO_LOOP_LOOP_H
#define KEYROTATED_IO_LOOP_LOOP_H

#include <stdbool.h>

#include <uv.h>

#include "base/err.h"
#include "base/histogram.h"
#include "base/list.h"
#include "base/time.h"

struct loop;
struct work_pool;

struct loop *loop_new(struct err *err);

/* Frees a loop whose handles are all closed; NULL is fine. Returns false if a handle is open
 * (uv_loop_close() returned UV_EBUSY; tests look for this bug); the loop then still exists, and
 * loop_free() may be called again. */
bool loop_free(struct loop *loop);

uv_loop_t *loop_uv(struct loop *loop);

/* Runs until loop_stop() is called, or until no active handle is left. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* The wall clock as sampled for the present turn of the loop: one "now" per turn. Outside
 * loop_run() it is the clock itself. */
time_ms loop_now(struct loop *loop);

/* --- deferred calls: run from the loop, in order, before it sleeps again --- */
struct deferred {
    struct list link;
    void (*run)(struct deferred *deferred);
};
void deferred_init(struct deferred *deferred, void (*run)(struct deferred *));
void loop_defer(struct loop *loop, struct deferred *deferred); /* again while waiting: no effect */
void loop_defer_cancel(struct deferred *deferred);

/* --- timers: embedded, one-shot, closed asynchronously by the loop itself --- */
struct timer {
    uv_timer_t handle;
    struct loop *loop;
    struct list link; /* among the loop's wall-clock timers while one of them */
    time_ms at;       /* TIME_NEVER unless set by timer_set() and waiting */
    void (*fired)(struct timer *timer);
    void (*closed)(struct timer *timer);
    bool closing;
};
void timer_init(struct loop *loop, struct timer *timer, void (*fired)(struct timer *));
/* Fires once at or after the wall-clock instant `at`, or not at all for TIME_NEVER. Replaces an
 * earlier setting. Never fires from inside this call. */
void timer_set(struct timer *timer, time_ms at);
/* Fires once after `delay` on the monotonic clock, independent of the wall clock: for deadlines. */
void timer_set_delay(struct timer *timer, duration_ms delay);
void timer_stop(struct timer *timer);
/* Closes the timer; closed(timer) (may be NULL) is called when its memory may be freed. Closing it
 * again, or setting it, has no effect. */
void timer_close(struct timer *timer, void (*closed)(struct timer *));

/* --- clock jumps --- */
/* jump: how much the wall clock moved more than the monotonic one (negative: back); suspended: how
 * long the machine slept. After a suspend alone both are equal; their difference is the step by
 * which the clock was set. All timers have been set again before the call. */
typedef void loop_clock_jumped(void *context, duration_ms jump, duration_ms suspended);
enum { CLOCK_JUMP_MIN_MS = 10000 };
void loop_watch_clock(struct loop *loop, loop_clock_jumped *jumped, void *context);

/* The threads for what may block, with which work_start() of io/loop/work.h begins. */
struct work_pool *loop_workers(struct loop *loop);

/* The loop's longest turn since the last call, during which everything else waited: for the log. */
struct loop_lag {
    duration_ms longest;
    duration_ms longest_own; /* without the time in which the thread waited for a processor */
};
struct loop_lag loop_take_lag(struct loop *loop);
/* How long all turns since the start took; borrowed. */
const struct histogram *loop_turns(const struct loop *loop);

#endif
