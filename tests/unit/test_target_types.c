/* The two tables of target types: what the configuration takes, io/target can carry out. */
#include "io/target/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"
#include "conf/target_type.h"

static void test_every_type_has_its_row(void **state)
{
    char text[64], expected[64];
    size_t types = 0;

    (void)state;
    for (size_t i = 0; schema_target_types[i]; i++) {
        struct destination destination = {.name = "x", .place = "/y"};

        destination.type = container_of(schema_target_types[i], struct target_type, variant);
        (void)target_is_readable(&destination); /* ends the process where there is no row */
        target_describe(&destination, NULL, text, sizeof(text));
        (void)snprintf(expected, sizeof(expected), "%s /y", schema_target_types[i]->name);
        assert_string_equal(text, expected);
        types++;
    }
    assert_int_not_equal(types, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_type_has_its_row)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
