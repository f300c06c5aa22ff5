/* The bounded buffer: its limit, its stickiness, and what it gives away. */
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void empty_buffer_reads_as_empty_string(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 10);
    assert_string_equal(buf_str(&buf), "");
    assert_int_equal(buf.length, 0);
    assert_int_equal(buf_append(&buf, NULL, 0), 0);
    assert_string_equal(buf_str(&buf), "");
    buf_done(&buf);
    buf_done(&buf);
}

static void appends_add_up(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 100);
    assert_int_equal(buf_append_str(&buf, "ab"), 0);
    assert_int_equal(buf_append_char(&buf, 'c'), 0);
    assert_int_equal(buf_append_format(&buf, "%d-%s", 42, "d"), 0);
    assert_int_equal(buf_append(&buf, "e\0f", 3), 0);
    assert_int_equal(buf.length, 10);
    assert_memory_equal(buf.data, "abc42-de\0f", 11);
    buf_done(&buf);
}

static void lower_case_changes_only_what_is_appended(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 100);
    assert_int_equal(buf_append_str(&buf, "AB"), 0);
    assert_int_equal(buf_append_lower(&buf, "CdE9-FG", 6), 0);
    assert_string_equal(buf_str(&buf), "ABcde9-f");
    assert_int_equal(buf_append_lower(&buf, "X", 0), 0);
    assert_int_equal(buf.length, 8);
    buf_done(&buf);
}

static void growth_keeps_the_content(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 100000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf_append_format(&buf, "%04d", i), 0);
    assert_int_equal(buf.length, 40000);
    assert_memory_equal(buf.data + 4 * 1234, "1234", 4);
    assert_memory_equal(buf.data + 4 * 9999, "9999", 5);
    buf_done(&buf);
}

static void limit_is_exact(void **state)
{
    (void)state;
    static const struct {
        size_t maximum, length;
        int code;
    } cases[] = {
        {0, 0, 0},         {0, 1, -EMSGSIZE},   {5, 5, 0},
        {5, 6, -EMSGSIZE}, {64, 64, 0},         {64, 65, -EMSGSIZE},
        {63, 63, 0},       {63, 64, -EMSGSIZE}, {SIZE_MAX, 200, 0},
    };
    static const char bytes[200] = "content";

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf buf;
        buf_init(&buf, cases[i].maximum);
        assert_int_equal(buf_append(&buf, bytes, cases[i].length), cases[i].code);
        assert_int_equal(buf.length, cases[i].code == 0 ? cases[i].length : 0);
        assert_true(buf.capacity <= 512);
        buf_done(&buf);
    }
}

static void failure_is_sticky_until_cleared(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 4);
    buf_append_str(&buf, "abc");
    assert_int_equal(buf_append_str(&buf, "de"), -EMSGSIZE);
    assert_int_equal(buf_append_char(&buf, 'd'), -EMSGSIZE); /* it would fit */
    assert_int_equal(buf_append_format(&buf, "%s", ""), -EMSGSIZE);
    assert_int_equal(buf.failed, -EMSGSIZE);
    assert_string_equal(buf_str(&buf), "abc");
    assert_null(buf_take(&buf));
    assert_string_equal(buf_str(&buf), "abc");

    buf_clear(&buf);
    assert_string_equal(buf_str(&buf), "");
    assert_int_equal(buf_append_str(&buf, "wxyz"), 0);
    assert_string_equal(buf_str(&buf), "wxyz");
    buf_done(&buf);
}

static void formatted_text_obeys_the_limit_too(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 5);
    assert_int_equal(buf_append_format(&buf, "%d", 12345), 0);
    assert_string_equal(buf_str(&buf), "12345");
    buf_clear(&buf);
    assert_int_equal(buf_append_format(&buf, "%d", 123456), -EMSGSIZE);
    assert_string_equal(buf_str(&buf), "");
    buf_done(&buf);
}

static void taken_content_belongs_to_the_caller(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 10);
    buf_append_str(&buf, "mine");
    char *text = buf_take(&buf);
    assert_string_equal(text, "mine");
    free(text);
    assert_int_equal(buf.length, 0);
    assert_int_equal(buf_append_str(&buf, "again"), 0);
    buf_done(&buf);
}

static void empty_buffer_can_be_taken(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 0);
    char *text = buf_take(&buf);
    assert_string_equal(text, "");
    free(text);
    buf_done(&buf);
}

static void given_up_content_is_wiped(void **state)
{
    (void)state;
    struct buf buf;
    char zeros[16] = "";

    buf_init(&buf, 100);
    buf_append_str(&buf, "0123456789");
    buf_truncate(&buf, 4);
    assert_string_equal(buf_str(&buf), "0123");
    assert_memory_equal(buf.data + 4, zeros, 6);
    buf_truncate(&buf, 50); /* never lengthens */
    assert_int_equal(buf.length, 4);
    buf_clear(&buf);
    assert_memory_equal(buf.data, zeros, 10);
    buf_done(&buf);
    assert_null(buf.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_buffer_reads_as_empty_string),
        cmocka_unit_test(appends_add_up),
        cmocka_unit_test(lower_case_changes_only_what_is_appended),
        cmocka_unit_test(growth_keeps_the_content),
        cmocka_unit_test(limit_is_exact),
        cmocka_unit_test(failure_is_sticky_until_cleared),
        cmocka_unit_test(formatted_text_obeys_the_limit_too),
        cmocka_unit_test(taken_content_belongs_to_the_caller),
        cmocka_unit_test(empty_buffer_can_be_taken),
        cmocka_unit_test(given_up_content_is_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
