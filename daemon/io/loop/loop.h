/*
 * The event loop: libuv, with timers on the wall clock, work on threads, and completions that are
 * always called from the loop.
 *
 * Instants are wall-clock instants. libuv's timers count time the machine was awake, so a long
 * sleep is cut into naps of at most a minute, and after each one the wall clock is compared with
 * the monotonic one: a step, or a suspend, is noticed within the minute and reported.
 */
#ifndef KEYROTATED_IO_LOOP_LOOP_H
#define KEYROTATED_IO_LOOP_LOOP_H

#include <stdbool.h>

#include <uv.h>

#include "base/err.h"
#include "base/list.h"
#include "base/time.h"

struct loop;

struct loop *loop_new(struct err *err);

/* Frees a loop whose handles are all closed; NULL is fine. Returns false if one was left open (a
 * bug that tests look for: uv_loop_close() said UV_EBUSY); the loop then exists still, and freeing
 * it may be tried again. */
bool loop_free(struct loop *loop);

uv_loop_t *loop_uv(struct loop *loop);

/* Runs until loop_stop(), or until nothing is left to wait for. */
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
/* Fires once after so long on the monotonic clock, whatever the wall clock does: for deadlines. */
void timer_set_delay(struct timer *timer, duration_ms delay);
void timer_stop(struct timer *timer);
/* Closes; closed(timer) (may be NULL) is called when its memory may be freed. Closing twice and
 * setting a closing timer have no effect. */
void timer_close(struct timer *timer, void (*closed)(struct timer *));

/* --- clock jumps --- */
/* jump: how much the wall clock moved more than the monotonic one (negative: back); suspended: how
 * long the machine slept. After a mere sleep both are equal; their difference is by how much the
 * clock was set. All timers have been set anew when it is called. */
typedef void loop_clock_jumped(void *context, duration_ms jump, duration_ms suspended);
enum { CLOCK_JUMP_MIN_MS = 10000 };
void loop_watch_clock(struct loop *loop, loop_clock_jumped *jumped, void *context);

/* --- work on a thread of libuv's pool --- */
struct work {
    uv_work_t request;
    struct loop *loop;
    void (*run)(struct work *work);  /* on the thread: touches only what the work owns */
    void (*done)(struct work *work); /* on the loop */
};
/* The work is its owner's until done() is called. Returns 0 or a negative errno value (then neither
 * is called). */
int loop_work(struct loop *loop, struct work *work, void (*run)(struct work *),
              void (*done)(struct work *));

/* How late the loop's turns have been at worst since the last call, that is, how long the longest
 * turn kept everything else waiting: for the watchdog and the log. */
duration_ms loop_take_lag(struct loop *loop);

#endif
