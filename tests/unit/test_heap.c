/* The heap, held against a walk over all of its items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"

enum { ITEMS = 200, ROUNDS = 20000 };

static time_ms earliest(const struct heap_item items[ITEMS])
{
    time_ms at = TIME_NEVER;

    for (size_t i = 0; i < ITEMS; i++)
        at = items[i].at < at ? items[i].at : at;
    return at;
}

static void assert_first(const struct heap *heap, time_ms at)
{
    const struct heap_item *first = heap_first(heap);

    assert_true(first ? first->at == at : at == TIME_NEVER);
}

static void test_the_first_is_the_earliest(void **state)
{
    struct heap_item items[ITEMS] = {0};
    struct heap heap = {0};

    (void)state;
    srandom(1);
    for (size_t i = 0; i < ITEMS; i++)
        items[i].at = TIME_NEVER;
    for (int round = 0; round < ROUNDS; round++) {
        struct heap_item *item = &items[random() % ITEMS];

        /* Few different instants, so that many are equal; every fourth call removes the item. */
        assert_int_equal(heap_set(&heap, item, random() % 4 ? random() % 100 : TIME_NEVER), 0);
        assert_first(&heap, earliest(items));
    }
    for (size_t i = 0; i < ITEMS; i++)
        assert_int_equal(heap_set(&heap, &items[i], TIME_NEVER), 0);
    assert_first(&heap, TIME_NEVER);
    heap_done(&heap);
}

static void test_an_item_that_is_in_no_heap_is_removed(void **state)
{
    struct heap_item item = {0};
    struct heap heap = {0};

    (void)state;
    assert_int_equal(heap_set(&heap, &item, TIME_NEVER), 0);
    assert_null(heap_first(&heap));
    assert_int_equal(heap_set(&heap, &item, 5), 0);
    assert_ptr_equal(heap_first(&heap), &item);
    heap_done(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_is_the_earliest),
        cmocka_unit_test(test_an_item_that_is_in_no_heap_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
