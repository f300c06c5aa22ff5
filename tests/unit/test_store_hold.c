#include "io/store/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_fixture.h"

/* Holds in the journal: what is saved comes back, and what was there before they had a table. */

static int set_up(void **state)
{
    static struct store_fixture fixture;

    store_fixture_set_up(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    store_fixture_tear_down(*state);
    return 0;
}

static void save_random(struct store_fixture *fixture, unsigned number)
{
    struct record record;
    char name[16];

    record_randomize(&record, number);
    snprintf(name, sizeof(name), "/account%u", number);
    store_fixture_save(fixture, name, &record, NULL, 0);
}

static void on_record_found(void *context, const char *account_key, const struct record *record)
{
    struct record *records = context;

    records[account_key[strlen("/account")] - '0'] = *record;
}

struct found_holds {
    struct hold holds[4];
    size_t count;
    uint64_t last_id;
};

static void on_hold_found(void *context, const struct hold *hold)
{
    struct found_holds *found = context;

    assert_true(found->count < 4);
    found->holds[found->count++] = *hold;
}

static void load_holds(struct store_fixture *fixture, struct found_holds *found)
{
    struct err err;

    *found = (struct found_holds){.count = 0};
    assert_int_equal(store_load_holds(fixture->store, on_hold_found, found, &found->last_id, &err),
                     0);
}

static void reopen(struct store_fixture *fixture)
{
    store_fixture_close(fixture);
    store_fixture_open(fixture, STORE_OPENED);
}

static void assert_holds_equal(const struct hold *a, const struct hold *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->since, b->since);
    assert_int_equal(a->until, b->until);
    assert_string_equal(a->actor, b->actor);
    assert_string_equal(a->reason, b->reason);
    assert_string_equal(a->account, b->account);
}

/* The id of a hold that has ended is never used again: the journal knows the highest. */
static void test_holds(void **state)
{
    static const struct hold holds[] = {
        {.id = 1, .since = 5, .until = 9, .actor = "uid 0 (root)", .reason = "r", .account = "/a"},
        {.id = 2, .since = 6, .until = TIME_NEVER, .actor = "", .reason = ""},
        {.id = 7, .since = 7, .until = 8, .actor = "uid 1", .reason = "\xc3\xbc", .account = "/b"},
    };
    static const uint64_t ended[] = {1, 7, 99};
    struct store_fixture *fixture = *state;
    struct found_holds found;

    store_fixture_open(fixture, STORE_CREATED);
    load_holds(fixture, &found);
    assert_int_equal(found.count, 0);
    assert_int_equal(found.last_id, 0);
    for (size_t i = 0; i < 3; i++)
        store_save_hold(fixture->store, &holds[i], NULL, NULL);
    reopen(fixture);
    load_holds(fixture, &found);
    assert_int_equal(found.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_holds_equal(&found.holds[i], &holds[i]);
    store_end_holds(fixture->store, ended, 3, NULL, NULL);
    reopen(fixture);
    load_holds(fixture, &found);
    assert_int_equal(found.count, 1);
    assert_holds_equal(&found.holds[0], &holds[1]);
    assert_int_equal(found.last_id, 7);
}

/* A hold from the time before ids still holds its account, and counts as reported. */
static void test_old_hold_becomes_one_with_an_id(void **state)
{
    struct store_fixture *fixture = *state;
    struct found_holds found;
    struct record records[3];
    struct err err;

    store_fixture_open(fixture, STORE_CREATED);
    for (unsigned i = 0; i < 3; i++)
        save_random(fixture, i);
    store_fixture_await_saves(fixture);
    store_fixture_close(fixture);
    store_fixture_back_to_version_2(fixture);
    store_fixture_sql(fixture,
                      "UPDATE accounts SET held = 1, held_until = 1900000000000,"
                      " hold_reason = 'release week' WHERE account LIKE '%1'");
    store_fixture_sql(fixture,
                      "UPDATE accounts SET held = 1, held_until = NULL"
                      " WHERE account LIKE '%2'");
    store_fixture_open(fixture, STORE_OPENED);
    load_holds(fixture, &found);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.last_id, 2);
    assert_int_equal(found.holds[0].id, 1);
    assert_int_equal(found.holds[0].since, 0);
    assert_int_equal(found.holds[0].until, 1900000000000);
    assert_string_equal(found.holds[0].actor, "");
    assert_string_equal(found.holds[0].reason, "release week");
    assert_non_null(strchr(found.holds[0].account, '1'));
    assert_int_equal(found.holds[1].until, TIME_NEVER);
    assert_int_equal(store_load(fixture->store, on_record_found, records, &err), 0);
    assert_int_equal(records[0].hold_id, 0);
    assert_int_equal(records[1].hold_id, 1);
    assert_int_equal(records[1].hold_until, 1900000000000);
    assert_int_equal(records[2].hold_id, 2);
    assert_int_equal(records[2].hold_until, TIME_NEVER);
}

static void test_damaged_hold(void **state)
{
    static const struct hold hold = {.id = 3, .until = 9, .reason = "r", .account = "/a"};
    struct store_fixture *fixture = *state;
    struct found_holds found = {.count = 0};
    struct err err;

    store_fixture_open(fixture, STORE_CREATED);
    store_save_hold(fixture->store, &hold, NULL, NULL);
    store_fixture_close(fixture);
    store_fixture_sql(fixture, "UPDATE holds SET reason = printf('%200s', 'x')");
    store_fixture_open(fixture, STORE_OPENED);
    assert_int_equal(store_load_holds(fixture->store, on_hold_found, &found, &found.last_id, &err),
                     -EBADMSG);
    assert_non_null(strstr(err.text, "table holds, row 3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_hold_becomes_one_with_an_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_hold, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
