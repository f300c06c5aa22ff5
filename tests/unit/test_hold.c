#include "app/hold_book.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Which of several holds binds an account. */

static void add(struct hold_list *list, uint64_t id, const char *account, time_ms until)
{
    struct hold hold = {.id = id, .until = until};

    snprintf(hold.account, sizeof(hold.account), "%s", account);
    assert_true(hold_book_add(list, &hold));
}

static uint64_t binding(const struct hold_list *list, const char *account, time_ms now)
{
    const struct hold *hold = hold_list_binding(list, account, now);

    return hold ? hold->id : 0;
}

/* Holds by name and of all accounts: the last to end binds, until all have ended. */
static void test_binding(void **state)
{
    struct hold_list list = {0};

    (void)state;
    assert_int_equal(binding(&list, "/a", 1), 0);
    add(&list, 1, "/b", 100);
    add(&list, 2, "/a", 50);
    add(&list, 3, "", 30);
    add(&list, 4, "/a", 50);
    assert_int_equal(binding(&list, "/a", 49), 2);
    assert_int_equal(binding(&list, "/a", 50), 0);
    assert_int_equal(binding(&list, "/b", 99), 1);
    assert_int_equal(binding(&list, "/c", 29), 3);
    assert_int_equal(binding(&list, "/c", 30), 0);
    assert_int_equal(binding(&list, "/", 1), 3);
    assert_true(hold_book_remove(&list, 2));
    assert_false(hold_book_remove(&list, 2));
    assert_int_equal(binding(&list, "/a", 1), 4);
    add(&list, 5, "", TIME_NEVER);
    assert_int_equal(binding(&list, "/a", 1000000), 5);
    hold_book_done(&list);
}

static void test_collect(void **state)
{
    const struct hold *holds[3];
    struct hold_list list = {0};

    (void)state;
    add(&list, 1, "/a", 10);
    add(&list, 2, "", 30);
    add(&list, 3, "/a", 20);
    add(&list, 4, "/a", 40);
    add(&list, 5, "/b", 90);
    assert_int_equal(hold_list_collect(&list, "/a", 1, holds, 3), 3);
    assert_int_equal(holds[0]->id, 4);
    assert_int_equal(holds[1]->id, 2);
    assert_int_equal(holds[2]->id, 3);
    assert_int_equal(hold_list_collect(&list, "/a", 35, holds, 3), 1);
    hold_book_done(&list);
}

static void test_scope(void **state)
{
    struct hold_list list = {0};
    struct hold *const *found;
    size_t count;

    (void)state;
    add(&list, 7, "/a", 10);
    add(&list, 3, "/a", 10);
    add(&list, 4, "/aa", 10);
    add(&list, 5, "", 10);
    found = hold_list_scope(&list, "/a", &count);
    assert_int_equal(count, 2);
    assert_int_equal(found[0]->id, 3);
    assert_int_equal(found[1]->id, 7);
    assert_null(hold_list_scope(&list, "/none", &count));
    assert_int_equal(count, 0);
    assert_int_equal(hold_list_find(&list, 4)->id, 4);
    assert_null(hold_list_find(&list, 6));
    hold_book_done(&list);
}

static void test_expire(void **state)
{
    struct hold_list list = {0};
    uint64_t ids[2];

    (void)state;
    assert_int_equal(hold_book_expire(&list, 1000, ids, 2), 0);
    for (unsigned i = 1; i <= 5; i++)
        add(&list, i, i % 2 ? "/a" : "", 10 * i);
    assert_int_equal(hold_book_expire(&list, 9, ids, 2), 0);
    assert_int_equal(hold_book_expire(&list, 30, ids, 2), 2);
    assert_int_equal(hold_book_expire(&list, 30, ids, 2), 1);
    assert_int_equal(hold_book_expire(&list, 30, ids, 2), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.next_end, 40);
    assert_int_equal(hold_book_expire(&list, 50, ids, 2), 2);
    assert_int_equal(list.count, 0);
    hold_book_done(&list);
}

static void test_bounded(void **state)
{
    struct hold_list list = {0};
    struct hold hold = {.until = 1};

    (void)state;
    for (unsigned i = 0; i < HOLDS_MAX; i++)
        add(&list, i + 1, i % 3 ? "/a" : "", 1);
    hold.id = HOLDS_MAX + 1;
    assert_false(hold_book_add(&list, &hold));
    assert_int_equal(list.count, HOLDS_MAX);
    hold_book_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binding), cmocka_unit_test(test_collect),
        cmocka_unit_test(test_scope),   cmocka_unit_test(test_expire),
        cmocka_unit_test(test_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
