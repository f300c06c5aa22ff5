/* Chains of links with a beginning of every length, which then go round in circles of every length.
 */
#include "app/circle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { LONGEST = 40 };

static void test_circles(void **state)
{
    (void)state;
    for (size_t beginning = 0; beginning < LONGEST; beginning++) {
        for (size_t length = 1; length < LONGEST; length++) {
            struct circle circle = {.steps = 0};
            size_t step = 0;
            bool closed = false;

            for (; !closed; step++) {
                const size_t at = step < beginning ? step : beginning + (step - beginning) % length;
                char text[32];

                (void)snprintf(text, sizeof(text), "page %zu", at);
                closed = circle_closes(&circle, text);
                assert_true(!closed || step >= beginning + length);
                assert_true(step <= 3 * (beginning + length));
            }
            circle_done(&circle);
        }
    }
}

static void test_without(void **state)
{
    struct circle circle = {.steps = 0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char text[32];

        (void)snprintf(text, sizeof(text), "page %d", i);
        assert_false(circle_closes(&circle, text));
    }
    circle_done(&circle);
    assert_false(circle_closes(&circle, "page 511")); /* another chain */
    circle_done(&circle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_circles),
        cmocka_unit_test(test_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
