/* The harness for memory that runs out convicts faulty code, and acquits sound code. */
#include "allocation_hooks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

static void sound(struct result *result, const void *context)
{
    char *first = str_dup("one");
    char *second = str_dup("two");

    (void)context;
    if (!first || !second)
        result_failed(result, -ENOMEM, "there is no memory");
    else
        result_add(result, "%s, %s", first, second);
    free(first);
    free(second);
}

static char *lost;

static void leaks(struct result *result, const void *context)
{
    char *first = str_dup("one");
    char *second = first ? str_dup("two") : NULL;

    (void)context;
    if (!second) {
        result_failed(result, -ENOMEM, "there is no memory");
        lost = first;
        return;
    }
    result_add(result, "%s, %s", first, second);
    free(first);
    free(second);
}

static void tells_half(struct result *result, const void *context)
{
    struct buf text;

    (void)context;
    buf_init(&text, 1000);
    for (int i = 0; i < 100; i++)
        buf_append_str(&text, "another ");
    result_add(result, "%s", buf_str(&text)); /* without a look at text.failed */
    buf_done(&text);
}

static void blames_another(struct result *result, const void *context)
{
    char *name = str_dup("name");

    (void)context;
    if (!name)
        result_failed(result, -EINVAL, "there is no such name");
    else
        result_add(result, "%s", name);
    free(name);
}

static void cries_wolf(struct result *result, const void *context)
{
    (void)context;
    result_failed(result, -ENOMEM, "there is no memory");
}

/* Survives the failure of any one request, but not that of two. */
static void tries_twice(struct result *result, const void *context)
{
    char *text = str_dup("text");

    (void)context;
    if (!text)
        text = str_dup("text");
    result_add_text(result, "text", text);
    free(text);
}

static void assert_convicted(void (*run)(struct result *, const void *), const char *words)
{
    const struct scenario scenario = {"scenario", run, NULL};
    const char *conviction;

    if (!allocation_works())
        skip();
    conviction = allocation_convict(&scenario);
    if (!words) {
        assert_null(conviction);
    } else {
        assert_non_null(conviction);
        assert_non_null(strstr(conviction, words));
    }
}

static void test_sound_work_is_acquitted(void **state)
{
    (void)state;
    assert_convicted(sound, NULL);
}

static void test_a_leak_is_convicted(void **state)
{
    (void)state;
    assert_convicted(leaks, "request 2 failed: 1 blocks were not given back");
    free(lost);
}

static void test_half_a_result_is_convicted(void **state)
{
    (void)state;
    assert_convicted(tells_half, "request 1 failed: it came to something else");
}

static void test_another_cause_is_convicted(void **state)
{
    (void)state;
    assert_convicted(blames_another, "request 1 failed: it came to something else");
}

static void test_out_of_memory_without_need_is_convicted(void **state)
{
    (void)state;
    assert_convicted(cries_wolf, "it says that memory is out, and it is not");
}

static void test_requests_fail_together_too(void **state)
{
    (void)state;
    assert_convicted(tries_twice, "all requests from 1 failed: it came to something else");
}

static void test_requests_are_counted(void **state)
{
    const struct scenario scenario = {"scenario", sound, NULL};

    (void)state;
    if (!allocation_works())
        skip();
    assert_int_equal(allocation_count(&scenario), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_work_is_acquitted),
        cmocka_unit_test(test_a_leak_is_convicted),
        cmocka_unit_test(test_half_a_result_is_convicted),
        cmocka_unit_test(test_another_cause_is_convicted),
        cmocka_unit_test(test_out_of_memory_without_need_is_convicted),
        cmocka_unit_test(test_requests_fail_together_too),
        cmocka_unit_test(test_requests_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
