/*
 * An event loop whose time is virtual: it defines what io/loop/loop.h declares, as far as the
 * modules under test use it. To be included once in a test program, which then links without
 * io/loop/loop.c.
 */
#ifndef KEYROTATED_TESTS_FAKE_LOOP_H
#define KEYROTATED_TESTS_FAKE_LOOP_H

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "io/loop/loop.h"
#include "io/loop/work.h"

struct loop {
    struct list deferred;
    struct list timers;
    bool work_is_refused; /* as where too much hangs already */
    char work_place[128]; /* of the last one */
    bool work_hangs;      /* it is neither run nor reported before fake_loop_release_work() */
    struct list hung_work;
    duration_ms now; /* monotonic; the wall clock runs beside it */
};

#define FAKE_WALL_START ((time_ms)1795348800000) /* 2026-11-22T12:00:00Z */

static struct loop fake_loop;

static void fake_loop_reset(void)
{
    list_init(&fake_loop.deferred);
    list_init(&fake_loop.timers);
    list_init(&fake_loop.hung_work);
    fake_loop.work_hangs = false;
    fake_loop.work_is_refused = false;
    fake_loop.now = 5000;
}

static inline duration_ms fake_clock(void)
{
    return fake_loop.now;
}

time_ms loop_now(struct loop *loop)
{
    return FAKE_WALL_START + loop->now;
}

/* For programs and threads, which these tests do without. */
uv_loop_t *loop_uv(struct loop *loop)
{
    (void)loop;
    abort();
}

void deferred_init(struct deferred *deferred, void (*run)(struct deferred *))
{
    list_init(&deferred->link);
    deferred->run = run;
}

void loop_defer(struct loop *loop, struct deferred *deferred)
{
    if (list_empty(&deferred->link))
        list_append(&loop->deferred, &deferred->link);
}

void loop_defer_cancel(struct deferred *deferred)
{
    list_remove(&deferred->link);
}

struct fake_work {
    struct list link;
    struct deferred deferred;
    struct work *work;
};

static void fake_loop_run_work(struct deferred *deferred)
{
    struct fake_work *fake = container_of(deferred, struct fake_work, deferred);
    struct work *work = fake->work;

    free(fake);
    work->run(work);
    work->done(work);
}

/* The pool is the loop itself. */
struct work_pool *loop_workers(struct loop *loop)
{
    return (struct work_pool *)loop;
}

int work_start(struct work_pool *pool, struct work *work, const char *place,
               void (*run)(struct work *), void (*done)(struct work *), struct failure *failure)
{
    struct loop *loop = (struct loop *)pool;
    struct fake_work *fake;

    (void)str_copy(loop->work_place, sizeof(loop->work_place), place);
    if (loop->work_is_refused) {
        failure_set_text(failure, "%s: not tried, because much hangs", place);
        failure_set_remedy(failure, "make it answer");
        return -EAGAIN;
    }
    fake = calloc(1, sizeof(*fake));
    work->run = run;
    work->done = done;
    fake->work = work;
    deferred_init(&fake->deferred, fake_loop_run_work);
    list_init(&fake->link);
    if (loop->work_hangs)
        list_append(&loop->hung_work, &fake->link);
    else
        loop_defer(loop, &fake->deferred);
    return 0;
}

bool work_abandon(struct work_pool *pool, struct work *work)
{
    (void)pool;
    (void)work;
    return false; /* a thread has it */
}

void work_explain_hang(struct work_pool *pool, const char *doing, const char *path,
                       duration_ms patience, struct failure *failure)
{
    (void)pool;
    (void)patience;
    failure_set_text(failure, "%s %s hangs", doing, path);
}

static inline void fake_loop_release_work(void)
{
    struct list *link;

    fake_loop.work_hangs = false;
    while ((link = list_pop(&fake_loop.hung_work)))
        loop_defer(&fake_loop, &container_of(link, struct fake_work, link)->deferred);
}

void timer_init(struct loop *loop, struct timer *timer, void (*fired)(struct timer *))
{
    timer->loop = loop;
    timer->fired = fired;
    timer->closed = NULL;
    timer->closing = false;
    list_init(&timer->link);
}

void timer_set_delay(struct timer *timer, duration_ms delay)
{
    list_remove(&timer->link);
    if (timer->closing)
        return;
    timer->at = timer->loop->now + (delay > 0 ? delay : 1);
    list_append(&timer->loop->timers, &timer->link);
}

void timer_stop(struct timer *timer)
{
    list_remove(&timer->link);
}

void timer_close(struct timer *timer, void (*closed)(struct timer *))
{
    timer->closing = true;
    timer->closed = closed;
    timer->at = timer->loop->now;
    list_remove(&timer->link);
    list_append(&timer->loop->timers, &timer->link);
}

/* The timer that is due first, at or before `until`. */
static struct timer *fake_loop_next(duration_ms until)
{
    struct timer *next = NULL;

    list_for_each (link, &fake_loop.timers) {
        struct timer *timer = container_of(link, struct timer, link);

        if (timer->at <= until && (!next || timer->at < next->at))
            next = timer;
    }
    return next;
}

/* Runs everything that is due within so much virtual time. */
static void fake_loop_run(duration_ms duration)
{
    duration_ms until = fake_loop.now + duration;

    for (;;) {
        struct list *link = list_pop(&fake_loop.deferred);
        struct timer *timer = !link ? fake_loop_next(until) : NULL;

        if (link) {
            struct deferred *deferred = container_of(link, struct deferred, link);

            deferred->run(deferred);
        } else if (timer) {
            if (timer->at > fake_loop.now)
                fake_loop.now = timer->at;
            list_remove(&timer->link);
            if (!timer->closing)
                timer->fired(timer);
            else if (timer->closed)
                timer->closed(timer);
        } else {
            break;
        }
    }
    fake_loop.now = until;
}

#endif
