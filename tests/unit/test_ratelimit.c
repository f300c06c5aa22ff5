#include "core/ratelimit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static unsigned take_all(struct ratelimit *limit, duration_ms now)
{
    unsigned taken = 0;

    while (ratelimit_take(limit, now) == 0)
        taken++;
    return taken;
}

static void test_burst_then_steady(void **state)
{
    struct ratelimit limit;

    (void)state;
    ratelimit_init(&limit, 200, 10, 1000);
    assert_int_equal(take_all(&limit, 1000), 200);
    assert_int_equal(ratelimit_take(&limit, 1000), 100);
    assert_int_equal(ratelimit_take(&limit, 1099), 1);
    assert_int_equal(ratelimit_wait(&limit, 1100), 0); /* which takes nothing */
    assert_int_equal(ratelimit_take(&limit, 1100), 0);
    assert_int_equal(ratelimit_take(&limit, 1100), 100);
    assert_int_equal(take_all(&limit, 2100), 10);
    assert_int_equal(take_all(&limit, 2100 + MS_DAY), 200);
}

static void test_clock_backwards(void **state)
{
    struct ratelimit limit;

    (void)state;
    ratelimit_init(&limit, 5, 1, 100000);
    assert_int_equal(take_all(&limit, 100000), 5);
    assert_true(ratelimit_take(&limit, 50000) > 0);
    assert_int_equal(take_all(&limit, 52000), 2);
}

static void test_server_remaining(void **state)
{
    static const struct {
        int64_t remaining;
        unsigned expected;
    } cases[] = {{-1, 20}, {INT64_MIN, 20}, {0, 0}, {7, 7}, {20, 20}, {500, 20}, {INT64_MAX, 20}};
    struct ratelimit limit;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ratelimit_init(&limit, 20, 1, 0);
        ratelimit_server_remaining(&limit, cases[i].remaining, 0);
        assert_int_equal(take_all(&limit, 0), cases[i].expected);
    }
}

static void test_server_refused(void **state)
{
    struct ratelimit limit;

    (void)state;
    ratelimit_init(&limit, 20, 10, 0);
    ratelimit_server_refused(&limit, 3000, 1000);
    assert_int_equal(ratelimit_take(&limit, 1000), 3100);
    assert_int_equal(ratelimit_take(&limit, 3999), 101);
    assert_int_equal(ratelimit_take(&limit, 4000), 100);
    assert_int_equal(ratelimit_take(&limit, 4100), 0);
    /* an earlier end of the pause does not shorten a later one */
    ratelimit_server_refused(&limit, 10000, 5000);
    ratelimit_server_refused(&limit, 1000, 5000);
    assert_int_equal(ratelimit_take(&limit, 5000), 10100);
    /* no pause at all: just empty */
    ratelimit_server_refused(&limit, 0, 20000);
    assert_int_equal(ratelimit_take(&limit, 20000), 100);
}

static void test_extremes(void **state)
{
    struct ratelimit limit;

    (void)state;
    ratelimit_init(&limit, INT64_MAX, INT64_MAX, 0);
    assert_int_equal(ratelimit_take(&limit, 0), 0);
    ratelimit_server_refused(&limit, INT64_MAX, INT64_MAX - 5);
    assert_true(ratelimit_take(&limit, INT64_MAX - 4) > 0);
    ratelimit_init(&limit, 0, 0, 0);
    assert_int_equal(take_all(&limit, 0), 1);
    assert_int_equal(take_all(&limit, INT64_MAX), 1);
    ratelimit_init(&limit, -3, -3, 0);
    assert_int_equal(take_all(&limit, 0), 1);
    assert_int_equal(ratelimit_take(&limit, 0), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_then_steady), cmocka_unit_test(test_clock_backwards),
        cmocka_unit_test(test_server_remaining),  cmocka_unit_test(test_server_refused),
        cmocka_unit_test(test_extremes),
    };

    return cmocka_run_group_tests_name("ratelimit", tests, NULL, NULL);
}
