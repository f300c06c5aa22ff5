#include "io/store/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/str.h"
#include "store_fixture.h"

/* What was read, in short: the numbers of the rows' cycles. */
struct asked {
    bool answered;
    bool failed;
    size_t count;
    uint64_t cycles[STORE_HISTORY_PAGE];
    int64_t next;
    struct history_row last;
    char last_account[64], last_text[64];
};
static struct asked asked;
static char of_a[] = "/a", of_b[] = "/b", of_c[] = "/c", of_d[] = "/d";

static int set_up(void **state)
{
    static struct store_fixture fixture;

    store_fixture_set_up(&fixture);
    asked = (struct asked){0};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    store_fixture_tear_down(*state);
    return 0;
}

static void on_found(void *context, const struct history_page *page, const struct err *err)
{
    (void)context;
    assert_false(asked.answered);
    asked.answered = true;
    asked.failed = !page;
    assert_int_equal(!page, err->code != 0);
    asked.count = page ? page->count : 0;
    asked.next = page ? page->next : 0;
    for (size_t i = 0; i < asked.count; i++) {
        const struct history_entry *entry = &page->entries[i];

        assert_true(i == 0 || entry->id > page->entries[i - 1].id);
        asked.cycles[i] = entry->row.cycle;
        asked.last = entry->row;
        (void)str_copy(asked.last_account, sizeof(asked.last_account), entry->account_key);
        (void)str_copy(asked.last_text, sizeof(asked.last_text),
                       entry->row.text ? entry->row.text : "");
    }
}

static bool is_answered(struct store_fixture *fixture)
{
    (void)fixture;
    return asked.answered;
}

static void ask(struct store_fixture *fixture, const struct history_query *query)
{
    asked = (struct asked){0};
    store_read_history(fixture->store, query, on_found, NULL);
    assert_false(asked.answered);
    store_fixture_run_until(fixture, is_answered);
}

/* Rows of that account with these cycles, one a second, from the second `from` on. */
static void save_rows(struct store_fixture *fixture, const char *account, time_ms from,
                      uint64_t first, size_t count)
{
    struct record record;

    record_randomize(&record, 1);
    for (size_t done = 0; done < count;) {
        struct history_row rows[STORE_HISTORY_PER_SAVE];
        size_t n = 0;

        for (; n < STORE_HISTORY_PER_SAVE && done < count; n++, done++)
            rows[n] = (struct history_row){.at = from + (time_ms)done * MS_SECOND,
                                           .event = "key.delivered",
                                           .cycle = first + done};
        store_fixture_save(fixture, account, &record, rows, n);
        store_fixture_await_saves(fixture);
    }
}

static void test_all_members_come_back(void **state)
{
    static const struct history_row row = {.at = 1700000000123,
                                           .event = "key.delivered",
                                           .cycle = 7,
                                           .slot = "secondary",
                                           .target = "file",
                                           .reason = "none",
                                           .trigger = "command",
                                           .actor = "uid 0 (root)",
                                           .fingerprint = "ab12",
                                           .request_id = "r",
                                           .correlation_id = "c",
                                           .text = "delivered"};
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    ask(fixture, &(struct history_query){.until = TIME_NEVER});
    assert_false(asked.failed);
    assert_int_equal(asked.count, 0);
    assert_int_equal(asked.next, 0);
    store_save_history(fixture->store, "/a", &row, 1);
    save_rows(fixture, "/b", 1000, 1, 1);
    ask(fixture, &(struct history_query){.until = TIME_NEVER});
    assert_int_equal(asked.count, 2);
    assert_int_equal(asked.cycles[0], 7);
    assert_string_equal(asked.last_account, "/b");
    ask(fixture, &(struct history_query){
                     .account_keys = (char *[]){of_a}, .account_count = 1, .until = TIME_NEVER});
    assert_int_equal(asked.count, 1);
    assert_string_equal(asked.last_account, "/a");
    assert_string_equal(asked.last_text, "delivered");
    assert_true(asked.last.at == row.at);
}

static void test_what_is_asked_for(void **state)
{
    struct store_fixture *fixture = *state;
    char *both[] = {of_a, of_c};

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000, 1, 3);
    save_rows(fixture, "/b", 1000, 11, 3);
    save_rows(fixture, "/c", 1000, 21, 3);
    ask(fixture, &(struct history_query){.since = 2000, .until = 3000});
    assert_int_equal(asked.count, 3);
    assert_int_equal(asked.cycles[0], 2);
    assert_int_equal(asked.cycles[2], 22);
    ask(fixture,
        &(struct history_query){.account_keys = both, .account_count = 2, .until = TIME_NEVER});
    assert_int_equal(asked.count, 6);
    assert_int_equal(asked.cycles[3], 21);
    ask(fixture, &(struct history_query){
                     .account_keys = both, .account_count = 2, .since = 3000, .until = TIME_NEVER});
    assert_int_equal(asked.count, 2);
    ask(fixture, &(struct history_query){
                     .account_keys = (char *[]){of_d}, .account_count = 1, .until = TIME_NEVER});
    assert_false(asked.failed);
    assert_int_equal(asked.count, 0);
}

static void test_pages(void **state)
{
    struct store_fixture *fixture = *state;
    const size_t rows = 2 * STORE_HISTORY_PAGE + 7;
    struct history_query query = {.until = TIME_NEVER};
    size_t seen = 0;
    unsigned pages = 0;

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000, 0, rows);
    do {
        ask(fixture, &query);
        for (size_t i = 0; i < asked.count; i++)
            assert_int_equal(asked.cycles[i], seen++);
        query.after = asked.next;
        pages++;
    } while (asked.next != 0);
    assert_int_equal(seen, rows);
    assert_int_equal(pages, 3);
    ask(fixture, &(struct history_query){.after = INT64_MAX, .until = TIME_NEVER});
    assert_int_equal(asked.count, 0);
    assert_int_equal(asked.next, 0);
}

/* A page ends after a long stretch in which nothing was found, and the next one goes on. */
static void test_stretches_without_rows(void **state)
{
    struct store_fixture *fixture = *state;
    struct history_query query = {.since = 500000, .until = TIME_NEVER};
    unsigned pages = 0;

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000, 1, 2);
    store_fixture_close(fixture);
    store_fixture_sql(fixture,
                      "INSERT INTO history (id, account, at, event, cycle)"
                      " VALUES (50000, '/b', 600000, 'window.missed', 9)");
    store_fixture_open(fixture, STORE_OPENED);
    do {
        ask(fixture, &query);
        query.after = asked.next;
        pages++;
    } while (asked.next != 0);
    assert_int_equal(pages, 3);
    assert_int_equal(asked.count, 1);
    assert_int_equal(asked.cycles[0], 9);
    query = (struct history_query){
        .account_keys = (char *[]){of_b}, .account_count = 1, .until = TIME_NEVER};
    ask(fixture, &query); /* the index finds it */
    assert_int_equal(asked.count, 1);
    assert_int_equal(asked.next, 0);
}

static void test_closing_answers(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000, 1, 2);
    store_read_history(fixture->store, &(struct history_query){.until = TIME_NEVER}, on_found,
                       NULL);
    store_fixture_close(fixture);
    assert_true(asked.answered);
}

static bool is_failing(struct store_fixture *fixture)
{
    return store_failing(fixture->store, NULL) != 0;
}

static bool is_well(struct store_fixture *fixture)
{
    return !is_failing(fixture);
}

/* While nothing can be written, who asks gets an answer at once: before the pause is over. */
static void test_full_disk(void **state)
{
    const struct history_row row = {.at = 5, .event = "key.delivered", .cycle = 3};
    struct store_fixture *fixture = *state;
    struct rlimit limit;

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000, 1, 2);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    store_save_history(fixture->store, "/a", &row, 1);
    store_fixture_run_until(fixture, is_failing);
    ask(fixture, &(struct history_query){.until = TIME_NEVER});
    assert_true(asked.failed);
    limit.rlim_cur = RLIM_INFINITY;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    store_fixture_run_until(fixture, is_well);
    ask(fixture, &(struct history_query){.until = TIME_NEVER});
    assert_int_equal(asked.count, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_all_members_come_back),  TEST(test_what_is_asked_for), TEST(test_pages),
        TEST(test_stretches_without_rows), TEST(test_closing_answers),   TEST(test_full_disk),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
