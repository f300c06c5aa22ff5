#include "io/loop/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/loop/clock_watch.h"

/* --- clocks that can be set: this program's own clock_gettime() is the one that everything in it,
 * shared libraries included, calls --- */

static _Atomic int64_t wall_shift_ms;
static _Atomic int64_t monotonic_shift_ms;
static _Atomic int64_t boot_shift_ms;

int clock_gettime(clockid_t clock, struct timespec *at)
{
    const long result = syscall(SYS_clock_gettime, clock, at);
    int64_t shift = 0;

    if (clock == CLOCK_REALTIME)
        shift = wall_shift_ms;
    else if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)
        shift = monotonic_shift_ms;
    else if (clock == CLOCK_BOOTTIME)
        shift = boot_shift_ms;
    at->tv_sec += shift / 1000;
    at->tv_nsec += shift % 1000 * 1000000;
    if (at->tv_nsec >= 1000000000) {
        at->tv_nsec -= 1000000000;
        at->tv_sec++;
    }
    return (int)result;
}

static void pass_time(int64_t ms)
{
    wall_shift_ms += ms;
    monotonic_shift_ms += ms;
    boot_shift_ms += ms;
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static int new_loop(void **state)
{
    *state = loop_new(NULL);
    return *state ? 0 : -1;
}

static int free_loop(void **state)
{
    return loop_free(*state) ? 0 : -1;
}

/* --- the decision about clock changes --- */

static void test_clock_change(void **state)
{
    static const struct {
        struct clock_sample after; /* before: 1000, 100, 100 */
        duration_ms jump, suspended;
        bool matters;
    } cases[] = {
        {{1000, 100, 100}, 0, 0, false},
        {{61000, 60100, 60100}, 0, 0, false},
        {{61003, 60100, 60099}, 3, 0, false},
        {{70999, 60100, 60100}, 9999, 0, false},
        {{71000, 60100, 60100}, 10000, 0, true},
        {{51001, 60100, 60100}, -9999, 0, false},
        {{51000, 60100, 60100}, -10000, 0, true},
        {{3661000, 60100, 3660100}, 3600000, 3600000, true}, /* slept an hour */
        {{61000, 60100, 3660100}, 0, 3600000, true},         /* slept, and set back by as much */
        {{-86339000, 60100, 60100}, -86400000, 0, true},     /* set back by a day */
        {{70999, 60100, 70099}, 9999, 9999, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct clock_sample before = {1000, 100, 100};
        const struct clock_change change = clock_change_between(&before, &cases[i].after);

        assert_int_equal(change.jump, cases[i].jump);
        assert_int_equal(change.suspended, cases[i].suspended);
        assert_int_equal(clock_change_matters(&change), cases[i].matters);
    }
}

/* --- timers --- */

struct probe {
    struct timer timer;
    int fired;
    time_ms now_when_fired;
    bool stop;
    struct timer *other; /* closed when this fires */
    bool closed;
};

static void on_closed(struct timer *timer)
{
    container_of(timer, struct probe, timer)->closed = true;
}

static void on_fired(struct timer *timer)
{
    struct probe *probe = container_of(timer, struct probe, timer);

    probe->fired++;
    probe->now_when_fired = loop_now(timer->loop);
    if (probe->other)
        timer_close(probe->other, on_closed);
    if (probe->stop)
        loop_stop(timer->loop);
}

static void close_and_run(struct loop *loop, struct probe *probe)
{
    timer_close(&probe->timer, on_closed);
    timer_close(&probe->timer, NULL); /* closing twice changes nothing */
    timer_set_delay(&probe->timer, 1);
    timer_set(&probe->timer, 0);
    assert_false(probe->closed);
    loop_run(loop);
    assert_true(probe->closed);
}

static void test_timer_fires_at_or_after(void **state)
{
    struct loop *loop = *state;
    struct probe probe = {0};
    const time_ms start = loop_now(loop);

    timer_init(loop, &probe.timer, on_fired);
    timer_set(&probe.timer, start + 5000);
    timer_set(&probe.timer, start + 30); /* replaces */
    loop_run(loop);
    assert_int_equal(probe.fired, 1);
    assert_true(probe.now_when_fired >= start + 30);
    assert_true(probe.now_when_fired < start + 1000);

    timer_set(&probe.timer, start - 5000); /* long past: soon, but not from inside the call */
    assert_int_equal(probe.fired, 1);
    loop_run(loop);
    assert_int_equal(probe.fired, 2);

    timer_set(&probe.timer, INT64_MIN);
    loop_run(loop);
    assert_int_equal(probe.fired, 3);

    timer_set(&probe.timer, TIME_NEVER);
    loop_run(loop); /* nothing to wait for */
    timer_set_delay(&probe.timer, 0);
    assert_int_equal(probe.fired, 3);
    timer_stop(&probe.timer);
    loop_run(loop);
    assert_int_equal(probe.fired, 3);
    close_and_run(loop, &probe);
}

static void test_timer_closes_another(void **state)
{
    struct loop *loop = *state;
    struct probe first = {0};
    struct probe second = {0};

    timer_init(loop, &first.timer, on_fired);
    timer_init(loop, &second.timer, on_fired);
    first.other = &second.timer;
    timer_set_delay(&first.timer, 5);
    timer_set_delay(&second.timer, 5);
    loop_run(loop);
    assert_int_equal(first.fired, 1);
    assert_int_equal(second.fired, 0);
    assert_true(second.closed);
    close_and_run(loop, &first);
}

static void again_at_once(struct timer *timer)
{
    struct probe *probe = container_of(timer, struct probe, timer);

    if (++probe->fired < 1000000)
        timer_set_delay(timer, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    loop_stop(poll->data);
    uv_poll_stop(poll);
}

/* libuv 1.44 never polls again once a timer callback sets its timer to 0. */
static void test_timers_do_not_starve_sockets(void **state)
{
    struct loop *loop = *state;
    struct probe probe = {0};
    uv_poll_t poll;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(uv_poll_init(loop_uv(loop), &poll, ends[0]), 0);
    poll.data = loop;
    timer_init(loop, &probe.timer, again_at_once);
    timer_set_delay(&probe.timer, 0);
    assert_int_equal(uv_poll_start(&poll, UV_READABLE, on_readable), 0);
    loop_run(loop);
    assert_true(probe.fired < 100);
    uv_close((uv_handle_t *)&poll, NULL);
    close_and_run(loop, &probe);
    close(ends[0]);
    close(ends[1]);
}

static void busy_then_set(struct deferred *deferred);

struct busy {
    struct deferred deferred;
    struct probe probe;
    uint64_t set_at;
};

static void busy_then_set(struct deferred *deferred)
{
    struct busy *busy = container_of(deferred, struct busy, deferred);

    sleep_ms(60);
    busy->set_at = uv_hrtime();
    timer_set_delay(&busy->probe.timer, 40);
}

/* The loop's own time is stale after a long callback; the delay counts from the call. */
static void test_delay_counts_from_the_call(void **state)
{
    struct loop *loop = *state;
    struct busy busy = {0};

    deferred_init(&busy.deferred, busy_then_set);
    timer_init(loop, &busy.probe.timer, on_fired);
    loop_defer(loop, &busy.deferred);
    loop_run(loop);
    assert_int_equal(busy.probe.fired, 1);
    assert_true((uv_hrtime() - busy.set_at) / 1000000 >= 39);
    assert_true(loop_take_lag(loop).longest >= 60);
    close_and_run(loop, &busy.probe);
}

/* --- clock jumps as the loop sees them --- */

struct jumps {
    struct loop *loop;
    int count;
    duration_ms jump, suspended;
};

static void on_jump(void *context, duration_ms jump, duration_ms suspended)
{
    struct jumps *jumps = context;

    jumps->count++;
    jumps->jump = jump;
    jumps->suspended = suspended;
}

/* Lets the loop make a few turns. */
static void turn(struct loop *loop)
{
    struct probe ticker = {.stop = true};

    timer_init(loop, &ticker.timer, on_fired);
    for (int i = 0; i < 3; i++) {
        timer_set_delay(&ticker.timer, 2);
        loop_run(loop);
    }
    timer_close(&ticker.timer, on_closed);
    while (!ticker.closed)
        uv_run(loop_uv(loop), UV_RUN_NOWAIT);
}

static void test_clock_jumps(void **state)
{
    struct loop *loop = *state;
    struct jumps jumps = {.loop = loop};
    struct probe hour = {0};

    loop_watch_clock(loop, on_jump, &jumps);
    timer_init(loop, &hour.timer, on_fired);
    timer_set(&hour.timer, loop_now(loop) + MS_HOUR);
    turn(loop);
    assert_int_equal(jumps.count, 0);

    wall_shift_ms += 30 * MS_MINUTE; /* the clock is set */
    turn(loop);
    assert_int_equal(jumps.count, 1);
    assert_in_range(jumps.jump, 30 * MS_MINUTE - 50, 30 * MS_MINUTE + 50);
    assert_in_range(jumps.suspended, 0, 50);
    assert_int_equal(hour.fired, 0);

    wall_shift_ms -= 10 * MS_MINUTE; /* and back */
    turn(loop);
    assert_int_equal(jumps.count, 2);
    assert_in_range(-jumps.jump, 10 * MS_MINUTE - 50, 10 * MS_MINUTE + 50);
    assert_int_equal(hour.fired, 0);

    wall_shift_ms += 5 * MS_SECOND; /* too little for a report */
    turn(loop);
    assert_int_equal(jumps.count, 2);

    wall_shift_ms += 41 * MS_MINUTE; /* a suspend past the timer's instant */
    boot_shift_ms += 41 * MS_MINUTE;
    turn(loop);
    assert_int_equal(jumps.count, 3);
    assert_in_range(jumps.suspended, 41 * MS_MINUTE - 50, 41 * MS_MINUTE + 50);
    assert_int_equal(hour.fired, 1);
    close_and_run(loop, &hour);
}

static void test_passing_time_is_no_jump(void **state)
{
    struct loop *loop = *state;
    struct jumps jumps = {.loop = loop};
    struct probe hour = {0};

    loop_watch_clock(loop, on_jump, &jumps);
    timer_init(loop, &hour.timer, on_fired);
    timer_set(&hour.timer, loop_now(loop) + MS_HOUR);
    pass_time(59 * MS_MINUTE);
    turn(loop);
    assert_int_equal(hour.fired, 0);
    pass_time(MS_MINUTE);
    turn(loop);
    assert_int_equal(hour.fired, 1);
    assert_int_equal(jumps.count, 0);
    close_and_run(loop, &hour);
}

/* Set forward and back within the naps: a timer that wakes up too early goes back to sleep. */
static void test_timer_waits_when_clock_goes_back(void **state)
{
    struct loop *loop = *state;
    struct probe probe = {0};
    const time_ms at = loop_now(loop) + MS_MINUTE;

    timer_init(loop, &probe.timer, on_fired);
    timer_set(&probe.timer, at);
    pass_time(MS_MINUTE);
    wall_shift_ms -= 800; /* too little for the timers to be set anew */
    turn(loop);
    assert_int_equal(probe.fired, 0);
    loop_run(loop);
    assert_int_equal(probe.fired, 1);
    assert_true(probe.now_when_fired >= at);
    close_and_run(loop, &probe);
}

/* --- one now per turn --- */

struct now_probe {
    struct deferred deferred;
    struct loop *loop;
    time_ms first, second;
    struct deferred later;
    time_ms next_turn;
};

static void sample_next_turn(struct deferred *deferred)
{
    struct now_probe *probe = container_of(deferred, struct now_probe, later);

    probe->next_turn = loop_now(probe->loop);
}

static void sample_now(struct deferred *deferred)
{
    struct now_probe *probe = container_of(deferred, struct now_probe, deferred);

    probe->first = loop_now(probe->loop);
    sleep_ms(20);
    probe->second = loop_now(probe->loop);
    loop_defer(probe->loop, &probe->later);
}

static void test_one_now_per_turn(void **state)
{
    struct loop *loop = *state;
    struct now_probe probe = {.loop = loop};
    const time_ms before = loop_now(loop);

    deferred_init(&probe.deferred, sample_now);
    deferred_init(&probe.later, sample_next_turn);
    loop_defer(loop, &probe.deferred);
    loop_run(loop);
    assert_true(probe.first >= before);
    assert_true(probe.first == probe.second);
    assert_true(probe.next_turn >= probe.first + 19);
    assert_true(loop_now(loop) >= probe.next_turn);
}

/* --- deferred calls --- */

struct step {
    struct deferred deferred;
    struct loop *loop;
    char name;
    int repeats;
    struct step *cancels;
};

static char order[64];

static void run_step(struct deferred *deferred)
{
    struct step *step = container_of(deferred, struct step, deferred);

    strncat(order, &step->name, 1);
    if (step->repeats-- > 0)
        loop_defer(step->loop, deferred);
    if (step->cancels)
        loop_defer_cancel(&step->cancels->deferred);
}

static void test_deferred_order(void **state)
{
    struct loop *loop = *state;
    struct step c = {.loop = loop, .name = 'c'};
    struct step a = {.loop = loop, .name = 'a', .repeats = 2};
    struct step b = {.loop = loop, .name = 'b', .cancels = &c};
    struct step d = {.loop = loop, .name = 'd'};
    struct step *const steps[] = {&a, &b, &c, &d};

    order[0] = '\0';
    for (size_t i = 0; i < 4; i++) {
        deferred_init(&steps[i]->deferred, run_step);
        loop_defer(loop, &steps[i]->deferred);
        loop_defer(loop, &steps[i]->deferred); /* no effect */
    }
    assert_string_equal(order, "");
    loop_run(loop);
    assert_string_equal(order, "abdaa");
    loop_defer_cancel(&c.deferred); /* it is not waiting */
}

static void stop_loop(struct timer *timer)
{
    loop_stop(timer->loop);
}

/* A call that defers itself for ever leaves room for timers. */
static void test_deferred_does_not_starve_timers(void **state)
{
    struct loop *loop = *state;
    struct step endless = {.loop = loop, .name = '\0', .repeats = INT32_MAX};
    struct probe probe = {0};

    deferred_init(&endless.deferred, run_step);
    loop_defer(loop, &endless.deferred);
    timer_init(loop, &probe.timer, stop_loop);
    timer_set_delay(&probe.timer, 10);
    loop_run(loop);
    loop_defer_cancel(&endless.deferred);
    close_and_run(loop, &probe);
}

/* --- the end --- */

static void test_open_handle_is_found(void **state)
{
    struct loop *loop = loop_new(NULL);
    struct probe probe = {0};

    (void)state;
    assert_non_null(loop);
    timer_init(loop, &probe.timer, on_fired);
    timer_set_delay(&probe.timer, MS_HOUR);
    assert_false(loop_free(loop));
    timer_close(&probe.timer, on_closed);
    assert_true(loop_free(loop));
    assert_true(probe.closed);
    assert_true(loop_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_change),
        cmocka_unit_test_setup_teardown(test_timer_fires_at_or_after, new_loop, free_loop),
        cmocka_unit_test_setup_teardown(test_timer_closes_another, new_loop, free_loop),
        cmocka_unit_test_setup_teardown(test_timers_do_not_starve_sockets, new_loop, free_loop),
        cmocka_unit_test_setup_teardown(test_delay_counts_from_the_call, new_loop, free_loop),
        cmocka_unit_test_setup_teardown(test_clock_jumps, new_loop, free_loop),
        cmocka_unit_test_setup_teardown(test_passing_time_is_no_jump, new_loop, free_loop),
        cmocka_unit_test_setup_teardown(test_timer_waits_when_clock_goes_back, new_loop, free_loop),
        cmocka_unit_test_setup_teardown(test_one_now_per_turn, new_loop, free_loop),
        cmocka_unit_test_setup_teardown(test_deferred_order, new_loop, free_loop),
        cmocka_unit_test_setup_teardown(test_deferred_does_not_starve_timers, new_loop, free_loop),
        cmocka_unit_test(test_open_handle_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
