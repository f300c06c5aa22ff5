/* How long a turn of the loop takes, and how much of it is its own doing. */
#include "io/loop/loop.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/loop/turn_meter.h"

static int new_loop(void **state)
{
    *state = loop_new(NULL);
    assert_non_null(*state);
    return 0;
}

static int free_loop(void **state)
{
    assert_true(loop_free(*state));
    return 0;
}

static void on_fired(struct timer *timer)
{
    timer_close(timer, NULL);
}

static void test_wait_in_schedstat(void **state)
{
    (void)state;
    assert_int_equal(turn_meter_wait_in("767571 1153826 2\n"), 1153826);
    assert_int_equal(turn_meter_wait_in("767571 18446744073709551615 2\n"), UINT64_MAX);
    assert_int_equal(turn_meter_wait_in(""), 0);
    assert_int_equal(turn_meter_wait_in("767571"), 0);
    assert_int_equal(turn_meter_wait_in("nothing 12"), 0);
}

static void test_sleeping_is_no_lag(void **state)
{
    struct loop *loop = *state;
    struct timer timer;

    timer_init(loop, &timer, on_fired);
    timer_set_delay(&timer, 300);
    loop_run(loop);
    assert_true(loop_take_lag(loop).longest_own < 50);
}

static void block(struct deferred *deferred)
{
    (void)deferred;
    usleep(60000);
}

static void test_blocking_is_lag(void **state)
{
    struct loop *loop = *state;
    struct timer timer;
    struct deferred blocking;
    struct loop_lag lag;

    deferred_init(&blocking, block);
    loop_defer(loop, &blocking);
    timer_init(loop, &timer, on_fired);
    timer_set_delay(&timer, 1);
    loop_run(loop);
    lag = loop_take_lag(loop);
    assert_in_range(lag.longest_own, 55, lag.longest);
    lag = loop_take_lag(loop);
    assert_int_equal(lag.longest + lag.longest_own, 0);
}

static atomic_bool crowded;

static void *crowd(void *argument)
{
    while (crowded)
        continue;
    return argument;
}

static void compute(struct deferred *deferred)
{
    const uint64_t end = uv_hrtime() + UINT64_C(300000000);

    (void)deferred;
    while (uv_hrtime() < end)
        continue;
}

/* Somebody else computes on the only processor. */
static void test_a_busy_machine_is_not_the_loops_lag(void **state)
{
    struct loop *loop = *state;
    struct timer timer;
    struct deferred computing;
    struct loop_lag lag;
    cpu_set_t all, one;
    pthread_t other;

    if (access("/proc/thread-self/schedstat", R_OK) != 0)
        skip(); /* a kernel that does not say */
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; CPU_COUNT(&one) == 0; i++) {
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    }
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    crowded = true;
    assert_int_equal(pthread_create(&other, NULL, crowd, NULL), 0);
    deferred_init(&computing, compute);
    loop_defer(loop, &computing);
    timer_init(loop, &timer, on_fired);
    timer_set_delay(&timer, 1);
    loop_run(loop);
    crowded = false;
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
    lag = loop_take_lag(loop);
    assert_true(lag.longest >= 300);
    assert_true(lag.longest_own < lag.longest - 20);
}

int main(void)
{
#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, new_loop, free_loop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_in_schedstat),
        WITH_LOOP(test_sleeping_is_no_lag),
        WITH_LOOP(test_blocking_is_lag),
        WITH_LOOP(test_a_busy_machine_is_not_the_loops_lag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
