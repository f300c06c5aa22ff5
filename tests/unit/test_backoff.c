#include "core/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_range_by_attempt(void **state)
{
    static const struct {
        uint32_t attempt;
        duration_ms full;
    } cases[] = {{0, 30000},    {1, 30000},    {2, 60000},           {3, 120000},
                 {7, 1920000},  {8, 3600000},  {9, 3600000},         {62, 3600000},
                 {63, 3600000}, {64, 3600000}, {UINT32_MAX, 3600000}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (uint64_t seed = 0; seed < 200; seed++) {
            duration_ms delay = backoff_delay(30 * MS_SECOND, MS_HOUR, cases[i].attempt, seed, 0);

            assert_in_range(delay, cases[i].full / 2, cases[i].full);
        }
    }
}

static void test_same_seed_same_wait(void **state)
{
    (void)state;
    assert_int_equal(backoff_delay(1000, 60000, 3, 42, 0), backoff_delay(1000, 60000, 3, 42, 0));
}

static void test_seeds_spread_a_fleet(void **state)
{
    unsigned tenths[10] = {0};

    (void)state;
    for (uint64_t seed = 0; seed < 10000; seed++)
        tenths[(backoff_delay(20000, 20000, 1, seed, 0) - 10000) * 10 / 10001]++;
    for (size_t i = 0; i < 10; i++)
        assert_in_range(tenths[i], 850, 1150);
}

static void test_server_asked(void **state)
{
    static const struct {
        duration_ms asked, least, most;
    } cases[] = {{0, 500, 1000},
                 {100, 500, 1000},
                 {1000, 1000, 1000},
                 {7200000, 7200000, 7200000},
                 {2 * MS_DAY, MS_DAY, MS_DAY},
                 {INT64_MAX, MS_DAY, MS_DAY},
                 {-5, 500, 1000}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_in_range(backoff_delay(1000, 3000, 1, 7, cases[i].asked), cases[i].least,
                        cases[i].most);
}

static void test_extreme_settings(void **state)
{
    (void)state;
    assert_in_range(backoff_delay(0, 0, 5, 1, 0), 1, 1);
    assert_in_range(backoff_delay(-1, -1, 5, 1, 0), 1, 1);
    assert_in_range(backoff_delay(MS_HOUR, MS_SECOND, 1, 1, 0), MS_SECOND / 2, MS_SECOND);
    assert_true(backoff_delay(INT64_MAX, INT64_MAX, UINT32_MAX, 1, 0) > INT64_MAX / 2 - 2);
    assert_true(backoff_delay(3, INT64_MAX, UINT32_MAX, UINT64_MAX, 0) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_range_by_attempt),     cmocka_unit_test(test_same_seed_same_wait),
        cmocka_unit_test(test_seeds_spread_a_fleet), cmocka_unit_test(test_server_asked),
        cmocka_unit_test(test_extreme_settings),
    };

    return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
