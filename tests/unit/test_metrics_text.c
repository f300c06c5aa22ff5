/* What Prometheus reads. */
#include "proto/metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct buf out;

    buf_init(&out, 64 * 1024);
    *state = &out;
    return 0;
}

static int tear_down(void **state)
{
    buf_done(*state);
    return 0;
}

static void a_family_has_a_head(void **state)
{
    struct buf *out = *state;

    metric_family(out, "a_total", "counter", "What it is.");
    metric_number(out, "a_total", METRIC_NO_LABELS, UINT64_MAX);
    assert_string_equal(buf_str(out),
                        "# HELP a_total What it is.\n# TYPE a_total counter\n"
                        "a_total 18446744073709551615\n");
}

static void labels_are_escaped_and_empty_ones_left_out(void **state)
{
    static const struct metric_label labels[] = {
        {"one", "a\"b\\c\nd"}, {"two", ""}, {"three", NULL}, {"four", "ü {x}"}};
    struct buf *out = *state;

    metric_number(out, "a", METRIC_LABELS(labels), 1);
    assert_string_equal(buf_str(out), "a{one=\"a\\\"b\\\\c\\nd\",four=\"ü {x}\"} 1\n");
    buf_clear(out);
    metric_number(out, "a", (struct metric_labels){&labels[1], 2}, 1);
    assert_string_equal(buf_str(out), "a 1\n");
}

static void an_instant_is_in_seconds_or_missing(void **state)
{
    struct buf *out = *state;

    metric_time(out, "a", METRIC_NO_LABELS, 1700000000007);
    assert_string_equal(buf_str(out), "a 1700000000.007\n");
    buf_clear(out);
    metric_time(out, "a", METRIC_NO_LABELS, 0);
    metric_time(out, "a", METRIC_NO_LABELS, TIME_NEVER);
    assert_string_equal(buf_str(out), "");
}

static void a_histogram_adds_up(void **state)
{
    static const struct metric_label labels[] = {{"service", "entra"}};
    struct histogram histogram = {.sum_us = 0};
    struct buf *out = *state;

    histogram_add(&histogram, 0);
    histogram_add(&histogram, 1000);
    histogram_add(&histogram, 1001);
    histogram_add(&histogram, 60000000);
    histogram_add(&histogram, 60000001);
    metric_histogram(out, "a", METRIC_LABELS(labels), &histogram);
    assert_non_null(strstr(buf_str(out),
                           "a_bucket{service=\"entra\",le=\"0.001\"} 2\n"
                           "a_bucket{service=\"entra\",le=\"0.005\"} 3\n"));
    assert_non_null(strstr(buf_str(out),
                           "a_bucket{service=\"entra\",le=\"60\"} 4\n"
                           "a_bucket{service=\"entra\",le=\"+Inf\"} 5\n"
                           "a_sum{service=\"entra\"} 120.002002\n"
                           "a_count{service=\"entra\"} 5\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_family_has_a_head),
        TEST(labels_are_escaped_and_empty_ones_left_out),
        TEST(an_instant_is_in_seconds_or_missing),
        TEST(a_histogram_adds_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
