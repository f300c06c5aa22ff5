#include "io/store/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
                                           .text = "delivered",
                                           .duration = 4711};
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
    assert_true(asked.last.at == row.at && asked.last.duration == 4711);
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

/* --- the chain --- */

enum { SEEN_MAX = 160 };
static struct {
    bool answered;
    size_t count;
    struct history_verdict verdicts[SEEN_MAX];
    char accounts[SEEN_MAX][32];
    unsigned pages;
    char next[32];
} seen;

static void on_checked(void *context, const struct history_verdict *verdicts, size_t count,
                       const char *next, const struct err *err)
{
    (void)context;
    assert_non_null(verdicts);
    assert_int_equal(err->code, 0);
    for (size_t i = 0; i < count; i++) {
        (void)str_copy(seen.accounts[seen.count], sizeof(seen.accounts[0]),
                       verdicts[i].account_key);
        seen.verdicts[seen.count++] = verdicts[i];
    }
    (void)str_copy(seen.next, sizeof(seen.next), next ? next : "");
    seen.pages++;
    seen.answered = true;
}

static bool is_checked(struct store_fixture *fixture)
{
    (void)fixture;
    return seen.answered;
}

/* All pages. */
static void check(struct store_fixture *fixture, char *const *names, size_t count)
{
    memset(&seen, 0, sizeof(seen));
    do {
        seen.answered = false;
        store_check_history(fixture->store, names, count, str_or_null(seen.next), on_checked, NULL);
        assert_false(seen.answered);
        store_fixture_run_until(fixture, is_checked);
    } while (seen.next[0] != '\0');
}

/* What the check says after that was done to a history of five rows of /a and two of /b. */
static void tamper(struct store_fixture *fixture, const char *sql, enum history_fault fault,
                   int64_t number)
{
    static unsigned run;

    if (run++ > 0) {
        store_fixture_tear_down(fixture);
        store_fixture_set_up(fixture);
    }
    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000, 1, 5);
    save_rows(fixture, "/b", 1000, 1, 2);
    store_fixture_close(fixture);
    store_fixture_sql(fixture, sql);
    store_fixture_open(fixture, STORE_OPENED);
    check(fixture, NULL, 0);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.accounts[0], "/a");
    if (seen.verdicts[0].fault != fault || seen.verdicts[0].number != number)
        fail_msg("%s: fault %d of row %d", sql, (int)seen.verdicts[0].fault,
                 (int)seen.verdicts[0].number);
    assert_int_equal(!history_fault_words(fault), fault == HISTORY_WHOLE);
    assert_int_equal(seen.verdicts[1].fault, HISTORY_WHOLE);
    assert_int_equal(seen.verdicts[1].rows, 2);
    save_rows(fixture, "/a", 9000, 6, 1); /* what comes later neither heals it nor fails */
    check(fixture, (char *[]){of_a}, 1);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.verdicts[0].fault != HISTORY_WHOLE, fault != HISTORY_WHOLE);
    store_fixture_close(fixture);
}

static void test_what_was_tampered_with_shows(void **state)
{
    struct store_fixture *fixture = *state;

    tamper(fixture, "SELECT 1", HISTORY_WHOLE, 0);
    tamper(fixture, "UPDATE history SET actor = 'nobody' WHERE id = 3", HISTORY_ALTERED, 3);
    tamper(fixture, "UPDATE history SET at = at + 1 WHERE id = 1", HISTORY_ALTERED, 1);
    tamper(fixture, "UPDATE history SET cycle = 9 WHERE id = 5", HISTORY_ALTERED, 5);
    tamper(fixture, "UPDATE history SET event = 'key.verified' WHERE id = 2", HISTORY_ALTERED, 2);
    tamper(fixture, "UPDATE history SET slot = '' WHERE id = 2", HISTORY_ALTERED, 2);
    tamper(fixture, "UPDATE history SET duration = 5 WHERE id = 2", HISTORY_ALTERED, 2);
    tamper(fixture, "UPDATE history SET target = 'x', reason = 'y' WHERE id = 2", HISTORY_ALTERED,
           2);
    tamper(fixture, "UPDATE history SET id = 100 WHERE id = 5", HISTORY_ALTERED, 100);
    tamper(fixture, "DELETE FROM history WHERE id = 1", HISTORY_ALTERED, 2);
    tamper(fixture, "DELETE FROM history WHERE id = 3", HISTORY_ALTERED, 4);
    tamper(fixture, "DELETE FROM history WHERE id = 5", HISTORY_END_MISSING, 0);
    tamper(fixture, "DELETE FROM history WHERE account = '/a'", HISTORY_END_MISSING, 0);
    tamper(fixture, "UPDATE history SET hash = zeroblob(32) WHERE id = 4", HISTORY_ALTERED, 4);
    tamper(fixture, "UPDATE history SET hash = NULL WHERE id = 4", HISTORY_FOREIGN, 4);
    tamper(fixture, "UPDATE history SET hash = NULL WHERE id = 1", HISTORY_ALTERED, 2);
    tamper(fixture,
           "INSERT INTO history (id, account, at, event, cycle) VALUES (0, '/a', 1, 'x', 1)",
           HISTORY_OLDER_CHANGED, 0);
    tamper(fixture, "UPDATE history_chains SET anchor = head WHERE account = '/a'", HISTORY_ALTERED,
           1);
    tamper(fixture, "DELETE FROM history_chains WHERE account = '/a'", HISTORY_NO_CHAIN, 0);
}

/* Somebody removes the oldest row: the check finds it. */
static void assert_seen_without_oldest(struct store_fixture *fixture, enum history_fault fault)
{
    store_fixture_close(fixture);
    store_fixture_sql(fixture, "DELETE FROM history WHERE id = (SELECT min(id) FROM history)");
    store_fixture_open(fixture, STORE_OPENED);
    check(fixture, NULL, 0);
    assert_int_equal(seen.verdicts[0].fault, fault);
}

/* What is pruned leaves an anchor, also where only some of a save's rows are too many. */
static void test_pruned_history_is_whole(void **state)
{
    struct store_fixture *fixture = *state;
    uint8_t head[SHA256_LENGTH];

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000, 1, STORE_HISTORY_KEEP + 31);
    check(fixture, NULL, 0);
    assert_int_equal(seen.verdicts[0].rows, STORE_HISTORY_KEEP);
    assert_int_equal(seen.verdicts[0].fault, HISTORY_WHOLE);
    memcpy(head, seen.verdicts[0].head, sizeof(head));
    save_rows(fixture, "/a", 1000, 1, 1);
    check(fixture, NULL, 0);
    assert_int_equal(seen.verdicts[0].fault, HISTORY_WHOLE);
    assert_memory_not_equal(seen.verdicts[0].head, head, sizeof(head));
    assert_seen_without_oldest(fixture, HISTORY_ALTERED);
}

static void prune_before(struct store_fixture *fixture, time_ms before)
{
    store_prune_history(fixture->store, before, 50000 * MS_SECOND);
    save_rows(fixture, "/z", 1000000 * MS_SECOND, 1, 1); /* written behind it */
}

static void assert_cycles(struct store_fixture *fixture, char *account, size_t count,
                          uint64_t first)
{
    ask(fixture,
        &(struct history_query){.account_keys = &account, .account_count = 1, .until = TIME_NEVER});
    assert_int_equal(asked.count, count);
    if (count > 0)
        assert_int_equal(asked.cycles[0], first);
    check(fixture, &account, 1);
    assert_int_equal(seen.verdicts[0].rows, count);
    assert_int_equal(seen.verdicts[0].fault, HISTORY_WHOLE);
}

/* Of each account what is too old, also where nothing is written of it any more. */
static void test_old_history_is_forgotten(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000 * MS_SECOND, 1, 3);
    save_rows(fixture, "/b", 1003 * MS_SECOND, 1, 2);
    save_rows(fixture, "/c", 90000 * MS_SECOND, 1, 1); /* the clock was ahead */
    save_rows(fixture, "/a", 2000 * MS_SECOND, 4, 3);
    save_rows(fixture, "/d", 2003 * MS_SECOND, 1, 1);
    prune_before(fixture, 1000 * MS_SECOND);
    assert_cycles(fixture, of_a, 6, 1);
    prune_before(fixture, 2001 * MS_SECOND);
    assert_cycles(fixture, of_a, 2, 5);
    assert_cycles(fixture, of_b, 0, 0);
    assert_cycles(fixture, of_c, 0, 0);
    assert_cycles(fixture, of_d, 1, 1);
    save_rows(fixture, "/c", 1000 * MS_SECOND, 2, 1); /* the clock was behind */
    prune_before(fixture, 2001 * MS_SECOND);
    assert_cycles(fixture, of_a, 2, 5);
    assert_cycles(fixture, of_c, 1, 2);
    save_rows(fixture, "/b", 3000 * MS_SECOND, 3, 1);
    assert_cycles(fixture, of_b, 1, 3);
    assert_seen_without_oldest(fixture, HISTORY_ALTERED);
}

/* A page at a time, so that the saves of accounts wait for no more. */
static void test_much_old_history(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000 * MS_SECOND, 1, 10);
    save_rows(fixture, "/b", 2000 * MS_SECOND, 1, STORE_PRUNE_PAGE);
    prune_before(fixture, 9000 * MS_SECOND);
    assert_cycles(fixture, of_a, 0, 0);
    assert_cycles(fixture, of_b, 10, STORE_PRUNE_PAGE - 9);
    prune_before(fixture, 9000 * MS_SECOND);
    assert_cycles(fixture, of_b, 0, 0);
}

/* The same of rows without a hash. */
static void test_old_rows_are_forgotten(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000 * MS_SECOND, 1, 5);
    store_fixture_close(fixture);
    store_fixture_back_to_version_7(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    save_rows(fixture, "/a", 2000 * MS_SECOND, 6, 5);
    prune_before(fixture, 1002 * MS_SECOND);
    check(fixture, (char *[]){of_a}, 1);
    assert_int_equal(seen.verdicts[0].older, 3);
    assert_int_equal(seen.verdicts[0].fault, HISTORY_WHOLE);
    prune_before(fixture, 2001 * MS_SECOND);
    assert_cycles(fixture, of_a, 4, 7);
}

/* Rows of a journal of version 7 have no hash: they are counted, and the chain begins behind them.
 */
static void test_older_rows(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000, 1, STORE_HISTORY_KEEP - 10);
    store_fixture_close(fixture);
    store_fixture_back_to_version_7(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    save_rows(fixture, "/a", 9000, 1, 15);
    check(fixture, NULL, 0);
    assert_int_equal(seen.verdicts[0].fault, HISTORY_WHOLE);
    assert_int_equal(seen.verdicts[0].rows, 15);
    assert_int_equal(seen.verdicts[0].older, STORE_HISTORY_KEEP - 15); /* five were pruned */
    assert_seen_without_oldest(fixture, HISTORY_OLDER_CHANGED);
}

/* Rows of version 8 have a hash and no duration. */
static void test_rows_without_duration(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    save_rows(fixture, "/a", 1000, 1, 3);
    store_fixture_close(fixture);
    store_fixture_back_to_version_8(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    save_rows(fixture, "/a", 9000, 1, 3);
    check(fixture, NULL, 0);
    assert_int_equal(seen.verdicts[0].fault, HISTORY_WHOLE);
    assert_int_equal(seen.verdicts[0].rows, 6);
}

static void test_many_accounts_are_checked(void **state)
{
    struct store_fixture *fixture = *state;
    struct record record;

    store_fixture_open(fixture, STORE_CREATED);
    record_randomize(&record, 1);
    for (unsigned i = 0; i < 2 * STORE_CHECK_PAGE + 3; i++) {
        const struct history_row row = {.at = 1, .event = "key.delivered"};
        char name[32];

        snprintf(name, sizeof(name), "/account%03u", i);
        store_fixture_save(fixture, name, &record, &row, 1);
    }
    store_fixture_await_saves(fixture);
    check(fixture, NULL, 0);
    assert_int_equal(seen.count, 2 * STORE_CHECK_PAGE + 3);
    assert_int_equal(seen.pages, 3);
    for (unsigned i = 0; i < seen.count; i++) {
        assert_int_equal(seen.verdicts[i].fault, HISTORY_WHOLE);
        assert_int_equal(strtol(seen.accounts[i] + strlen("/account"), NULL, 10), i);
    }
    check(fixture, (char *[]){of_d}, 1); /* there is no history of it */
    assert_int_equal(seen.count, 0);
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
    check(fixture, NULL, 0); /* the attempts that failed are not in the chain */
    assert_int_equal(seen.verdicts[0].fault, HISTORY_WHOLE);
    assert_int_equal(seen.verdicts[0].rows, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_all_members_come_back),
        TEST(test_what_is_asked_for),
        TEST(test_pages),
        TEST(test_stretches_without_rows),
        TEST(test_closing_answers),
        TEST(test_full_disk),
        TEST(test_what_was_tampered_with_shows),
        TEST(test_pruned_history_is_whole),
        TEST(test_old_history_is_forgotten),
        TEST(test_much_old_history),
        TEST(test_old_rows_are_forgotten),
        TEST(test_older_rows),
        TEST(test_rows_without_duration),
        TEST(test_many_accounts_are_checked),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
