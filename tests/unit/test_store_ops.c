#include "io/store/store_ops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store_fixture.h"

/* A journal backend that writes when the test says so: for what all backends have in common. */

enum { HANDED_MAX = 16 };

struct store_backend {
    struct store_owner owner;
    struct save *handed[HANDED_MAX]; /* and not ended */
    size_t handed_count;
};

static struct store_backend fake;

static enum store_open_result fake_claim(struct loop *loop, const char *place,
                                         const struct store_owner *owner,
                                         struct store_backend **ret_backend, struct err *err)
{
    (void)loop;
    (void)err;
    fake = (struct store_backend){.owner = *owner};
    *ret_backend = &fake;
    return strcmp(place, "taken") == 0 ? STORE_BUSY : STORE_CREATED;
}

static void fake_save(struct store_backend *backend, struct save *save)
{
    assert_in_range(backend->handed_count, 0, HANDED_MAX - 1);
    backend->handed[backend->handed_count++] = save;
}

static void end_first(enum store_outcome outcome)
{
    struct save *save = fake.handed[0];

    assert_in_range(fake.handed_count, 1, HANDED_MAX);
    fake.handed_count--;
    for (size_t i = 0; i < fake.handed_count; i++)
        fake.handed[i] = fake.handed[i + 1];
    fake.owner.ended(fake.owner.context, save, outcome);
}

static void fake_close(struct store_backend *backend)
{
    while (backend->handed_count > 0)
        end_first(STORE_LOST);
    backend->owner.closed(backend->owner.context);
}

static const char *fake_remedy(int code)
{
    (void)code;
    return "none";
}

static const struct store_ops fake_ops = {
    .name = "fake",
    .claim = fake_claim,
    .save = fake_save,
    .close = fake_close,
    .remedy = fake_remedy,
};

/* --- the world of a test --- */

struct test {
    struct store_fixture fixture;
    struct store *store;
    unsigned saved;
    char lost[64];
    bool closed, lost_at_end;
};

static int set_up(void **state)
{
    static struct test test;
    struct err err;

    memset(&test, 0, sizeof(test));
    store_fixture_set_up(&test.fixture);
    assert_int_equal(
        store_open_kind(&fake_ops, test.fixture.loop, &test.fixture.log, "here", &test.store, &err),
        STORE_CREATED);
    *state = &test;
    return 0;
}

static void on_closed(void *context, bool lost)
{
    struct test *test = context;

    test->closed = true;
    test->lost_at_end = lost;
}

static int tear_down(void **state)
{
    struct test *test = *state;

    if (!test->closed)
        store_close(test->store, on_closed, test);
    assert_true(test->closed);
    store_fixture_tear_down(&test->fixture);
    return 0;
}

static void on_saved(void *context)
{
    ((struct test *)context)->saved++;
}

static void on_lost(void *context, const char *account_key)
{
    struct test *test = context;

    snprintf(test->lost, sizeof(test->lost), "%s", account_key);
}

static void save(struct test *test, const char *account, uint64_t cycle, store_saved *saved)
{
    char text[32];
    const struct history_row row = {.event = "test", .cycle = cycle, .text = text};
    struct record record;

    snprintf(text, sizeof(text), "row %u", (unsigned)cycle);
    record_init(&record);
    record.cycle = cycle;
    store_save(test->store, account, &record, &row, 1, saved, test);
}

/* --- at most one save of an account at a time --- */

static void test_later_saves_become_one(void **state)
{
    struct test *test = *state;

    save(test, "a", 1, on_saved);
    for (uint64_t cycle = 2; cycle <= 4; cycle++)
        save(test, "a", cycle, NULL);
    assert_int_equal(fake.handed_count, 1);
    assert_int_equal(fake.handed[0]->record.cycle, 1);
    end_first(STORE_DURABLE);
    assert_int_equal(test->saved, 1);
    assert_int_equal(fake.handed_count, 1);
    assert_int_equal(fake.handed[0]->record.cycle, 4);
    assert_int_equal(fake.handed[0]->row_count, 3);
    assert_string_equal(fake.handed[0]->rows[0].text, "row 2");
    assert_string_equal(fake.handed[0]->rows[2].text, "row 4");
    end_first(STORE_DURABLE);
    assert_int_equal(fake.handed_count, 0);
    assert_int_equal(test->saved, 1);
}

static void test_who_waits_is_called_when_his_record_is_durable(void **state)
{
    struct test *test = *state;

    save(test, "a", 1, NULL);
    save(test, "a", 2, NULL);
    save(test, "a", 3, on_saved); /* joins 2 */
    save(test, "a", 4, NULL);     /* does not join what somebody waits for */
    end_first(STORE_DURABLE);
    assert_int_equal(fake.handed[0]->record.cycle, 3);
    assert_int_equal(test->saved, 0);
    end_first(STORE_DURABLE);
    assert_int_equal(test->saved, 1);
    assert_int_equal(fake.handed[0]->record.cycle, 4);
    end_first(STORE_DURABLE);
    assert_int_equal(fake.handed_count, 0);
}

static void test_accounts_do_not_wait_for_each_other(void **state)
{
    struct test *test = *state;

    save(test, "a", 1, NULL);
    save(test, "b", 2, NULL);
    save(test, "a", 3, NULL);
    assert_int_equal(fake.handed_count, 2);
    end_first(STORE_DURABLE);
    assert_int_equal(fake.handed_count, 2);
    assert_string_equal(fake.handed[0]->account_key, "b");
    assert_int_equal(fake.handed[1]->record.cycle, 3);
}

/* A disk that is full for days does not take more memory every day. */
static void test_history_that_waits_is_bounded(void **state)
{
    struct test *test = *state;
    const struct err full = {.code = -28, .text = "full"};
    const struct err well = {0};

    save(test, "a", 1, NULL);
    fake.owner.attempted(fake.owner.context, &full);
    for (uint64_t cycle = 2; cycle <= 100; cycle++)
        save(test, "a", cycle, NULL);
    assert_int_equal(store_failing(test->store, NULL) != 0, true);
    fake.owner.attempted(fake.owner.context, &well);
    end_first(STORE_DURABLE);
    assert_int_equal(fake.handed_count, 1);
    assert_int_equal(fake.handed[0]->record.cycle, 100);
    assert_int_equal(fake.handed[0]->row_count, STORE_HISTORY_PER_SAVE);
    assert_int_equal(fake.handed[0]->rows_dropped, 99 - STORE_HISTORY_PER_SAVE);
    assert_string_equal(fake.handed[0]->rows[STORE_HISTORY_PER_SAVE - 1].text, "row 100");
    assert_int_equal(test->fixture.recoveries_logged, 1);
}

/* --- what is lost --- */

static void test_a_lost_save_is_no_saved_one(void **state)
{
    struct test *test = *state;

    store_on_lost(test->store, on_lost, test);
    save(test, "a", 1, on_saved);
    end_first(STORE_LOST);
    assert_int_equal(test->saved, 0);
    assert_string_equal(test->lost, "a");
}

static void test_closing_hands_over_what_waits(void **state)
{
    struct test *test = *state;

    store_on_lost(test->store, on_lost, test);
    save(test, "a", 1, on_saved);
    save(test, "a", 2, NULL);
    save(test, "b", 3, NULL);
    store_close(test->store, on_closed, test);
    assert_true(test->closed);
    assert_true(test->lost_at_end);
    assert_int_equal(test->saved, 0);
    assert_string_equal(test->lost, ""); /* nobody took over: the process ends */
    assert_int_equal(test->fixture.failures_logged, 1);
}

static void test_closing_with_nothing_left_loses_nothing(void **state)
{
    struct test *test = *state;

    save(test, "a", 1, on_saved);
    end_first(STORE_DURABLE);
    store_close(test->store, on_closed, test);
    assert_true(test->closed);
    assert_false(test->lost_at_end);
}

static void test_a_claim_that_another_holds_opens_nothing(void **state)
{
    struct test *test = *state;
    struct store *other;
    struct err err;

    assert_int_equal(
        store_open_kind(&fake_ops, test->fixture.loop, &test->fixture.log, "taken", &other, &err),
        STORE_BUSY);
    assert_null(other);
    fake.owner.context = test->store;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_later_saves_become_one),
        TEST(test_who_waits_is_called_when_his_record_is_durable),
        TEST(test_accounts_do_not_wait_for_each_other),
        TEST(test_history_that_waits_is_bounded),
        TEST(test_a_lost_save_is_no_saved_one),
        TEST(test_closing_hands_over_what_waits),
        TEST(test_closing_with_nothing_left_loses_nothing),
        TEST(test_a_claim_that_another_holds_opens_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
