#include "core/record_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record_members.h"
#include "store_fixture.h"

/* --- the table is whole --- */

static size_t size_of_rows(const struct record_table *table)
{
    size_t size = 0;

    for (size_t i = 0; i < table->count; i++)
        size += table->members[i].size;
    return size;
}

static void test_has_a_row_for_every_member(void **state)
{
    (void)state;
    assert_int_equal(size_of_rows(&record_table), record_members_size);
    assert_int_equal(size_of_rows(&record_target_table), record_target_members_size);
}

static void has_no_twins(const struct record_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct record_member *a = &table->members[i];
            const struct record_member *b = &table->members[j];

            assert_string_not_equal(a->name, b->name);
            assert_true(a->offset >= b->offset + b->size || b->offset >= a->offset + a->size);
        }
}

static void test_no_member_has_two_rows(void **state)
{
    (void)state;
    has_no_twins(&record_table);
    has_no_twins(&record_target_table);
}

/* --- comparing --- */

static void test_a_change_of_any_member_shows(void **state)
{
    (void)state;
    for (size_t i = 0; i < record_table.count; i++) {
        const struct record_member *member = &record_table.members[i];
        struct record a, b;

        record_randomize(&a, i);
        b = a;
        assert_true(member_equal(member, &a, &b));
        ((char *)&b)[member->offset] ^= 1;
        assert_false(member_equal(member, &a, &b));
    }
}

static void test_what_stands_behind_a_text_is_no_change(void **state)
{
    struct record a, b;

    (void)state;
    record_init(&a);
    b = a;
    memset(b.actor + 1, 'x', sizeof(b.actor) - 2);
    for (size_t i = 0; i < record_table.count; i++)
        assert_true(member_equal(&record_table.members[i], &a, &b));
}

static void test_nothing_is_none_but_zero(void **state)
{
    (void)state;
    for (size_t i = 0; i < record_table.count; i++) {
        const struct record_member *member = &record_table.members[i];
        struct record record;

        memset(&record, 0, sizeof(record));
        assert_true(member_is_none(member, &record));
        ((char *)&record)[member->offset + member->size - 1] = 1;
        assert_false(member_is_none(member, &record));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_has_a_row_for_every_member),
        cmocka_unit_test(test_no_member_has_two_rows),
        cmocka_unit_test(test_a_change_of_any_member_shows),
        cmocka_unit_test(test_what_stands_behind_a_text_is_no_change),
        cmocka_unit_test(test_nothing_is_none_but_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
