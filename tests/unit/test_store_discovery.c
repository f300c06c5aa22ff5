/* What rules have found, in the journal. */
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

struct found {
    char text[1024];
};

static void on_found(void *context, const struct discovery *discovery)
{
    struct found *found = context;
    size_t length = strlen(found->text);

    assert_false(discovery->gone);
    (void)snprintf(found->text + length, sizeof(found->text) - length, "%s %s %s %s %s %s;",
                   discovery->account_key, discovery->id, discovery->identity, discovery->rule,
                   discovery->location, discovery->tags);
}

static void assert_found(struct store_fixture *fixture, const char *expected)
{
    struct found found = {.text = ""};
    struct err err = {0};

    store_fixture_close(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    assert_int_equal(store_load_discoveries(fixture->store, on_found, &found, &err), 0);
    assert_string_equal(found.text, expected);
}

static void on_saved(void *context)
{
    unsigned *count = context;

    (*count)++;
}

static void test_kept_changed_and_forgotten(void **state)
{
    static const struct discovery first[] = {
        {"/b", "/B", "ops", "all", "westeurope", "{}", false},
        {"/a", "/A", "ops", "all", "", "{\"env\":\"prod\"}", false},
        {"/c", "/C", "ops", "all", "", "{}", false},
    };
    static const struct discovery then[] = {
        {"/a", "/A", "ops", "new", "northeurope", "{}", false},
        {"/c", "", "", "", "", "", true},
        {"/never", "", "", "", "", "", true},
    };
    struct store_fixture *fixture = *state;
    unsigned saved = 0;

    store_fixture_open(fixture, STORE_CREATED);
    store_save_discoveries(fixture->store, first, 3, on_saved, &saved);
    assert_found(fixture,
                 "/a /A ops all  {\"env\":\"prod\"};/b /B ops all westeurope {};"
                 "/c /C ops all  {};");
    assert_int_equal(saved, 1);
    store_save_discoveries(fixture->store, then, 3, NULL, NULL);
    assert_found(fixture, "/a /A ops new northeurope {};/b /B ops all westeurope {};");
}

static void test_a_journal_of_version_3_gets_the_table(void **state)
{
    struct store_fixture *fixture = *state;
    static const struct discovery discovery = {"/a", "/A", "ops", "all", "x", "{}", false};

    store_fixture_open(fixture, STORE_CREATED);
    store_fixture_close(fixture);
    store_fixture_back_to_version_3(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    store_save_discoveries(fixture->store, &discovery, 1, NULL, NULL);
    assert_found(fixture, "/a /A ops all x {};");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept_changed_and_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_journal_of_version_3_gets_the_table, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
