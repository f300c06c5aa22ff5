/* Where regenerates that go on are asked about, in the journal. */
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
    char text[256];
};

static void on_found(void *context, const char *account_key, const char *url)
{
    struct found *found = context;
    size_t length = strlen(found->text);

    (void)snprintf(found->text + length, sizeof(found->text) - length, "%s %.40s %zu;", account_key,
                   url, strlen(url));
}

static void assert_found(struct store_fixture *fixture, const char *expected)
{
    struct found found = {.text = ""};
    struct err err = {0};

    store_fixture_close(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    assert_int_equal(store_load_operations(fixture->store, on_found, &found, &err), 0);
    assert_string_equal(found.text, expected);
}

static void test_kept_changed_and_forgotten(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    store_save_operation(fixture->store, "/a", "https://a.example/1?sig=x");
    store_save_operation(fixture->store, "/b", "https://a.example/2");
    assert_found(fixture, "/a https://a.example/1?sig=x 25;/b https://a.example/2 19;");
    store_save_operation(fixture->store, "/a", NULL);
    store_save_operation(fixture->store, "/b", "https://a.example/3");
    store_save_operation(fixture->store, "/never", NULL);
    assert_found(fixture, "/b https://a.example/3 19;");
}

static void test_the_longest(void **state)
{
    struct store_fixture *fixture = *state;
    char url[OPERATION_URL_MAX];

    memset(url, 'x', sizeof(url));
    url[sizeof(url) - 1] = '\0';
    store_fixture_open(fixture, STORE_CREATED);
    store_save_operation(fixture->store, "/a", url);
    assert_found(fixture, "/a xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 8191;");
}

static void test_a_journal_of_version_4_gets_the_table(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    store_fixture_close(fixture);
    store_fixture_back_to_version_4(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    store_save_operation(fixture->store, "/a", "https://a.example/1");
    assert_found(fixture, "/a https://a.example/1 19;");
    store_fixture_close(fixture);
    assert_int_equal(store_fixture_sql_int(fixture, "PRAGMA user_version"), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept_changed_and_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_longest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_journal_of_version_4_gets_the_table, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
