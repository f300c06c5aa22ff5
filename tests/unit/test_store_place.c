/* Places in the journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store_fixture.h"

static int set_up(void **state)
{
    struct store_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    store_fixture_set_up(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    store_fixture_tear_down(*state);
    free(*state);
    return 0;
}

/* What was found, as text: "ACCOUNT PLACE ABANDONED_AT CYCLE;" and so on. */
struct found {
    char text[512];
};

static void on_found(void *context, const struct place *place)
{
    struct found *found = context;
    size_t length = strlen(found->text);

    assert_false(place->gone);
    (void)snprintf(found->text + length, sizeof(found->text) - length, "%s %s %lld %llu;",
                   place->account_key, place->text, (long long)place->abandoned_at,
                   (unsigned long long)place->cycle);
}

static void assert_places(struct store_fixture *fixture, const char *expected)
{
    struct found found = {.text = ""};
    struct err err = {0};

    store_fixture_close(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    assert_int_equal(store_load_places(fixture->store, on_found, &found, &err), 0);
    assert_string_equal(found.text, expected);
}

static void test_kept_changed_and_forgotten(void **state)
{
    static const struct place first[] = {
        {.account_key = "/b", .text = "file /2"},
        {.account_key = "/a", .text = "file /3"},
        {.account_key = "/a", .text = "file /1"},
    };
    static const struct place then[] = {
        {.account_key = "/a", .text = "file /1", .abandoned_at = 17, .cycle = 4},
        {.account_key = "/a", .text = "file /3", .gone = true},
        {.account_key = "/a", .text = "file /never", .gone = true},
    };
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    store_save_places(fixture->store, first, 3);
    assert_places(fixture, "/a file /1 0 0;/a file /3 0 0;/b file /2 0 0;");
    store_save_places(fixture->store, then, 3);
    assert_places(fixture, "/a file /1 17 4;/b file /2 0 0;");
}

static void test_a_journal_without_places_gets_the_table(void **state)
{
    struct store_fixture *fixture = *state;
    static const struct place place = {.account_key = "/a", .text = "file /1"};

    store_fixture_open(fixture, STORE_CREATED);
    store_fixture_close(fixture);
    store_fixture_back_to_version_2(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    store_save_places(fixture->store, &place, 1);
    assert_places(fixture, "/a file /1 0 0;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept_changed_and_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_journal_without_places_gets_the_table, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
