#include "io/store/store.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store_fixture.h"

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

static bool has_failed(struct store_fixture *fixture)
{
    return store_failing(fixture->store, NULL) != 0;
}

static bool has_recovered(struct store_fixture *fixture)
{
    return store_failing(fixture->store, NULL) == 0;
}

static void save_account(struct store_fixture *fixture, const char *account_key)
{
    const struct history_row row = {.at = 1, .event = "key.delivered"};
    struct record record;

    record_randomize(&record, 1);
    store_fixture_save(fixture, account_key, &record, &row, 1);
}

/* --- the disk --- */

/* A full disk as it looks to this process alone: files cannot grow past `bytes`. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk_heals(void **state)
{
    struct store_fixture *fixture = *state;
    const char *text = NULL;

    store_fixture_open(fixture, STORE_CREATED);
    save_account(fixture, "/before");
    store_fixture_await_saves(fixture);
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_file_size(1024);
    for (unsigned i = 0; i < 40; i++) {
        char name[32];

        snprintf(name, sizeof(name), "/account%u", i);
        save_account(fixture, name);
    }
    store_fixture_run_until(fixture, has_failed);
    store_fixture_run_for(fixture, 1200); /* several attempts */
    assert_true(has_failed(fixture));
    (void)store_failing(fixture->store, &text);
    assert_non_null(strstr(text, "writing"));
    assert_int_equal(fixture->saves_awaited, 40);
    assert_int_equal(fixture->failures_logged, 1);
    assert_int_equal(fixture->recoveries_logged, 0);

    limit_file_size(RLIM_INFINITY);
    store_fixture_await_saves(fixture);
    store_fixture_run_until(fixture, has_recovered);
    assert_int_equal(fixture->failures_logged, 1);
    assert_int_equal(fixture->recoveries_logged, 1);

    limit_file_size(1024); /* another failure is told again */
    save_account(fixture, "/after");
    store_fixture_run_until(fixture, has_failed);
    assert_int_equal(fixture->failures_logged, 2);
    limit_file_size(RLIM_INFINITY);
    store_fixture_await_saves(fixture);
    store_fixture_run_until(fixture, has_recovered);
    assert_int_equal(fixture->recoveries_logged, 2);
    store_fixture_close(fixture);
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT count(*) FROM accounts"), 42);
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT count(*) FROM history"), 42);
}

static void test_closing_ends_on_a_full_disk(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_file_size(1024);
    save_account(fixture, "/account1");
    store_fixture_run_until(fixture, has_failed);
    save_account(fixture, "/account2");
    store_fixture_close(fixture);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(fixture->saves_awaited, 2); /* nobody was told that they are durable */
    assert_int_equal(fixture->failures_logged, 2);
    store_fixture_open(fixture, STORE_OPENED);
}

static void test_file_moved_away_and_back(void **state)
{
    struct store_fixture *fixture = *state;
    char away[FIXTURE_PATH_MAX + 16];

    snprintf(away, sizeof(away), "%s/away", fixture->directory);
    store_fixture_open(fixture, STORE_CREATED);
    save_account(fixture, "/account1");
    store_fixture_await_saves(fixture);
    assert_int_equal(rename(fixture->database, away), 0);
    save_account(fixture, "/account2");
    store_fixture_run_until(fixture, has_failed);
    assert_int_equal(fixture->saves_awaited, 1);
    assert_non_null(strstr(fixture->last_remedy, "put journal.db back"));
    assert_int_not_equal(access(fixture->database, F_OK), 0); /* no new one was made */
    assert_int_equal(rename(away, fixture->database), 0);
    store_fixture_await_saves(fixture);
    store_fixture_close(fixture);
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT count(*) FROM accounts"), 2);
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT count(*) FROM history"), 2);
}

static void copy_file(const char *from, const char *to)
{
    char content[65536];
    FILE *in = fopen(from, "r");
    FILE *out = fopen(to, "w");
    size_t length;

    assert_non_null(in);
    assert_non_null(out);
    while ((length = fread(content, 1, sizeof(content), in)) > 0)
        assert_int_equal(fwrite(content, 1, length, out), length);
    assert_int_equal(fclose(in), 0);
    assert_int_equal(fclose(out), 0);
}

/* An older copy lacks what was saved since: the store must not continue with it. */
static void test_older_copy_put_in_place(void **state)
{
    struct store_fixture *fixture = *state;
    char away[FIXTURE_PATH_MAX + 16];

    snprintf(away, sizeof(away), "%s/away", fixture->directory);
    store_fixture_open(fixture, STORE_CREATED);
    store_fixture_close(fixture);
    copy_file(fixture->database, away);
    store_fixture_open(fixture, STORE_OPENED);
    save_account(fixture, "/account1");
    store_fixture_await_saves(fixture);
    assert_int_equal(rename(away, fixture->database), 0);
    save_account(fixture, "/account2");
    store_fixture_run_until(fixture, has_failed);
    store_fixture_run_for(fixture, 1000);
    assert_true(has_failed(fixture));
    store_fixture_close(fixture);
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT count(*) FROM accounts"), 0);
}

static bool two_are_left(struct store_fixture *fixture)
{
    return fixture->saves_awaited == 2;
}

static void test_refused_save_takes_nothing_along(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    store_fixture_close(fixture);
    store_fixture_sql(fixture,
                      "CREATE TRIGGER refuse BEFORE INSERT ON accounts"
                      " WHEN NEW.account = '/poison'"
                      " BEGIN SELECT RAISE (ABORT, 'this one is refused'); END");
    store_fixture_open(fixture, STORE_OPENED);
    save_account(fixture, "/account1");
    save_account(fixture, "/poison");
    save_account(fixture, "/account2");
    save_account(fixture, "/poison");
    save_account(fixture, "/account3");
    store_fixture_run_until(fixture, two_are_left);
    assert_true(has_failed(fixture));
    assert_non_null(strstr(fixture->last_remedy, "report"));
    save_account(fixture, "/account4"); /* goes through meanwhile, and at once */
    store_fixture_run_until(fixture, two_are_left);
    store_fixture_close(fixture);
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT count(*) FROM accounts"), 4);
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT count(*) FROM history"), 4);
}

/* --- killed in the middle --- */

enum { CRASH_ACCOUNTS = 24, CRASH_ROUNDS = 12 };

struct notice {
    uint16_t account;
    bool durable; /* false: a save with this version was issued */
    uint64_t version;
};

struct writer {
    struct store *store;
    int pipe;
    struct writer_account {
        struct writer *writer;
        uint16_t number;
        uint64_t version;
    } accounts[CRASH_ACCOUNTS];
};

static void tell(struct writer *writer, uint16_t account, bool durable, uint64_t version)
{
    struct notice notice;

    memset(&notice, 0, sizeof(notice));
    notice.account = account;
    notice.durable = durable;
    notice.version = version;
    if (write(writer->pipe, &notice, sizeof(notice)) != (ssize_t)sizeof(notice))
        _exit(1);
}

static void save_next_version(struct writer_account *account);

static void on_version_saved(void *context)
{
    struct writer_account *account = context;

    tell(account->writer, account->number, true, account->version);
    save_next_version(account);
}

/* The whole record follows from the version, so that half a record would show. */
static void save_next_version(struct writer_account *account)
{
    const struct history_row row = {.at = 1, .event = "key.delivered", .cycle = account->version};
    struct record record;
    char name[32];

    account->version++;
    record_randomize(&record, account->version * 1000 + account->number);
    record.cycle = account->version;
    snprintf(name, sizeof(name), "/account%u", account->number);
    tell(account->writer, account->number, false, account->version);
    store_save(account->writer->store, name, &record, &row, 1, on_version_saved, account);
}

_Noreturn static void write_for_ever(struct store_fixture *fixture, int pipe,
                                     const uint64_t *versions)
{
    static struct writer writer;
    struct loop *loop = loop_new(NULL);

    writer.pipe = pipe;
    if (store_open(loop, &fixture->log, fixture->directory, &writer.store, NULL) > STORE_CREATED)
        _exit(2);
    for (uint16_t i = 0; i < CRASH_ACCOUNTS; i++) {
        writer.accounts[i].writer = &writer;
        writer.accounts[i].number = i;
        writer.accounts[i].version = versions[i];
        save_next_version(&writer.accounts[i]);
    }
    loop_run(loop);
    _exit(3);
}

struct crash_state {
    uint64_t issued[CRASH_ACCOUNTS];
    uint64_t durable[CRASH_ACCOUNTS];
    size_t notices;
    bool found[CRASH_ACCOUNTS];
};

/* Reads the writer's notices for `ms` after the first one, kills it, and reads the rest. */
static void listen_to_writer(int pipe, pid_t writer, int ms, struct crash_state *crash)
{
    struct notice notice;
    time_ms kill_at = TIME_NEVER;
    bool killed = false;

    for (;;) {
        struct pollfd ready = {.fd = pipe, .events = POLLIN};

        if (!killed && time_boot() >= kill_at) {
            assert_int_equal(kill(writer, SIGKILL), 0);
            killed = true;
        }
        if (poll(&ready, 1, killed ? -1 : 1) == 0)
            continue;
        if (read(pipe, &notice, sizeof(notice)) != (ssize_t)sizeof(notice))
            break;
        if (kill_at == TIME_NEVER)
            kill_at = time_boot() + ms;
        assert_in_range(notice.account, 0, CRASH_ACCOUNTS - 1);
        crash->notices++;
        if (notice.durable)
            crash->durable[notice.account] = notice.version;
        else
            crash->issued[notice.account] = notice.version;
    }
    assert_true(killed); /* it did not end by itself */
}

static void check_survivor(void *context, const char *account_key, const struct record *record)
{
    struct crash_state *crash = context;
    const long number = strtol(account_key + strlen("/account"), NULL, 10);
    struct record expected;

    assert_in_range(number, 0, CRASH_ACCOUNTS - 1);
    crash->found[number] = true;
    assert_in_range(record->cycle, crash->durable[number], crash->issued[number]);
    record_randomize(&expected, record->cycle * 1000 + (uint64_t)number);
    expected.cycle = record->cycle;
    assert_records_equal(record, &expected);
    crash->issued[number] = crash->durable[number] = record->cycle;
}

static void test_killed_in_the_middle(void **state)
{
    struct store_fixture *fixture = *state;
    struct crash_state crash = {0};

    for (unsigned round = 0; round < CRASH_ROUNDS; round++) {
        struct err err;
        int pipes[2];
        pid_t writer;

        assert_int_equal(pipe(pipes), 0);
        writer = fork();
        assert_true(writer >= 0);
        if (writer == 0)
            write_for_ever(fixture, pipes[1], crash.issued);
        assert_int_equal(close(pipes[1]), 0);
        listen_to_writer(pipes[0], writer, 20 + (int)(round * 37 % 150), &crash);
        assert_int_equal(close(pipes[0]), 0);
        assert_int_equal(waitpid(writer, NULL, 0), writer);

        memset(crash.found, 0, sizeof(crash.found));
        err_clear(&err);
        assert_in_range(
            store_open(fixture->loop, &fixture->log, fixture->directory, &fixture->store, &err),
            STORE_OPENED, STORE_CREATED);
        assert_int_equal(store_load(fixture->store, check_survivor, &crash, &err), 0);
        for (unsigned i = 0; i < CRASH_ACCOUNTS; i++)
            assert_true(crash.found[i] || crash.durable[i] == 0);
        store_fixture_close(fixture);
    }
    assert_in_range(crash.notices, 2 * CRASH_ACCOUNTS, SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_full_disk_heals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closing_ends_on_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_moved_away_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_older_copy_put_in_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_save_takes_nothing_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_in_the_middle, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
