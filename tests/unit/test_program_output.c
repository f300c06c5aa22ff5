/* Output of programs as a line: which part, how lines are joined, and what is redacted. */
#include "proto/program_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY                                                                                        \
    "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtYb2Ns8g=="

static struct secret *key;

static int set_up(void **state)
{
    (void)state;
    key = secret_new(KEY, strlen(KEY));
    return key ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    secret_clear(&key);
    return 0;
}

static void joins_lines(void **state)
{
    static const struct {
        const char *bytes, *text, *last;
    } cases[] = {
        {"", "", ""},
        {"\n \r\n\t", "", ""},
        {"one", "one", "one"},
        {"one\ntwo\n", "one | two", "two"},
        {"\n\none\n\n  two  \n\n", "one | two", "two"},
        {"one\r\ntwo\r\n", "one  | two", "two"},
        {"a\033[31mb\n\xff\n", "a [31mb | ?", "?"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *bytes = cases[i].bytes;

        assert_string_equal(program_output_text(bytes, strlen(bytes), key, out, sizeof(out)),
                            cases[i].text);
        assert_string_equal(program_output_last_line(bytes, strlen(bytes), NULL, out, sizeof(out)),
                            cases[i].last);
    }
    assert_string_equal(program_output_text("a\0b", 3, key, out, sizeof(out)), "a b");
    assert_string_equal(program_output_text(NULL, 0, key, out, sizeof(out)), "");
}

static void keeps_the_end(void **state)
{
    char *bytes = malloc(100000);
    char out[32];

    (void)state;
    memset(bytes, '.', 100000);
    memcpy(bytes + 100000 - 14, "\nthe last line", 14);
    assert_string_equal(program_output_text(bytes, 100000, key, out, sizeof(out)),
                        "... ........... | the last line");
    assert_string_equal(program_output_last_line(bytes, 100000, key, out, sizeof(out)),
                        "the last line");
    assert_string_equal(program_output_text("ääääääää", 16, key, out, 12), "... äää");
    free(bytes);
}

static void hides_every_part_of_the_key(void **state)
{
    char bytes[512], out[512];

    (void)state;
    (void)snprintf(bytes, sizeof(bytes), "key=%s;", KEY);
    program_output_text(bytes, strlen(bytes), key, out, sizeof(out));
    assert_memory_equal(out, "key=*****", 9);
    assert_int_equal(strspn(out + 4, "*"), strlen(KEY));
    assert_string_equal(out + 4 + strlen(KEY), ";");

    /* Folded, and with the escapes of JSON. */
    (void)snprintf(bytes, sizeof(bytes), "%.20s\n%.20s\\/%.12s", KEY, KEY + 20, KEY + 40);
    program_output_text(bytes, strlen(bytes), key, out, sizeof(out));
    assert_string_equal(out, "******************** | ********************\\/************");

    /* One that is cut by the beginning of the text. */
    (void)snprintf(bytes, sizeof(bytes), "%s %s", KEY, "and more");
    program_output_text(bytes, strlen(bytes), key, out, 30);
    assert_string_equal(out, "... **************** and more");

    /* The other key looks like one. */
    (void)snprintf(bytes, sizeof(bytes), "old %s",
                   "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDREVGR0hJSk"
                   "tMTU5PUA==");
    program_output_last_line(bytes, strlen(bytes), key, out, sizeof(out));
    assert_int_equal(strspn(out + 4, "*"), 88);
    /* Words are not. */
    assert_string_equal(program_output_text("qWK7l3w", 7, key, out, sizeof(out)), "qWK7l3w");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_lines),
        cmocka_unit_test(keeps_the_end),
        cmocka_unit_test(hides_every_part_of_the_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
