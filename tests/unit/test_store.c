#include "io/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* --- what is saved comes back --- */

struct loaded {
    size_t count;
    struct record records[256]; /* by the number in the account's name */
};

static void account_name(char *out, size_t size, unsigned number)
{
    snprintf(out, size, "/subscriptions/s/resourcegroups/g/providers/microsoft.batch/account%u",
             number);
}

static void on_found(void *context, const char *account_key, const struct record *record)
{
    struct loaded *loaded = context;
    const long number = strtol(strstr(account_key, "/account") + strlen("/account"), NULL, 10);

    assert_in_range(number, 0, 255);
    loaded->records[number] = *record;
    loaded->count++;
}

static struct loaded *load(struct store_fixture *fixture)
{
    static struct loaded loaded;
    struct err err;

    memset(&loaded, 0, sizeof(loaded));
    assert_int_equal(store_load(fixture->store, on_found, &loaded, &err), 0);
    return &loaded;
}

static void save_random(struct store_fixture *fixture, unsigned number, uint64_t seed)
{
    struct record record;
    char name[128];

    record_randomize(&record, seed);
    account_name(name, sizeof(name), number);
    store_fixture_save(fixture, name, &record, NULL, 0);
}

static void test_every_member_survives(void **state)
{
    enum { ACCOUNTS = 200 };
    struct store_fixture *fixture = *state;
    struct loaded *loaded;

    store_fixture_open(fixture, STORE_CREATED);
    for (unsigned i = 0; i < ACCOUNTS; i++)
        save_random(fixture, i, i);
    store_fixture_await_saves(fixture);
    for (unsigned i = 0; i < ACCOUNTS; i += 2) /* half of them a second time */
        save_random(fixture, i, 1000 + i);
    store_fixture_await_saves(fixture);
    store_fixture_close(fixture);

    store_fixture_open(fixture, STORE_OPENED);
    loaded = load(fixture);
    assert_int_equal(loaded->count, ACCOUNTS);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        struct record expected;

        record_randomize(&expected, i % 2 == 0 ? 1000 + i : i);
        assert_records_equal(&loaded->records[i], &expected);
    }
}

static void test_saves_are_grouped(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t before;

    store_fixture_open(fixture, STORE_CREATED);
    before = store_transactions(fixture->store);
    for (unsigned i = 0; i < 250; i++)
        save_random(fixture, i, i);
    store_fixture_await_saves(fixture);
    /* One commit that was under way already, and one with the saves that came meanwhile; slow
     * machines make more. */
    assert_in_range(store_transactions(fixture->store) - before, 1, 25);
}

static void test_closing_writes_what_is_queued(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    for (unsigned i = 0; i < 100; i++)
        save_random(fixture, i, i);
    store_fixture_close(fixture);
    assert_int_equal(fixture->saves_awaited, 0);
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT count(*) FROM accounts"), 100);
}

static void test_history(void **state)
{
    const struct history_row rows[2] = {
        {.at = 1700000000000,
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
         .text = "delivered"},
        {.at = 1700000000001, .event = "rotation.completed"},
    };
    struct store_fixture *fixture = *state;
    struct record record;

    store_fixture_open(fixture, STORE_CREATED);
    record_randomize(&record, 4);
    store_fixture_save(fixture, "/account1", &record, rows, 2);
    store_fixture_close(fixture);
    assert_int_equal(store_fixture_sql_int(
                         fixture,
                         "SELECT count(*) FROM history WHERE account = '/account1'"
                         " AND at = 1700000000000 AND event = 'key.delivered' AND cycle = 7"
                         " AND slot = 'secondary' AND target = 'file' AND reason = 'none'"
                         " AND trigger = 'command' AND actor = 'uid 0 (root)'"
                         " AND fingerprint = 'ab12' AND request_id = 'r' AND correlation_id = 'c'"
                         " AND text = 'delivered'"),
                     1);
    assert_int_equal(store_fixture_sql_int(fixture,
                                           "SELECT count(*) FROM history WHERE slot IS NULL"
                                           " AND event = 'rotation.completed'"),
                     1);
}

static void test_history_is_pruned_per_account(void **state)
{
    struct store_fixture *fixture = *state;
    struct history_row rows[STORE_HISTORY_PER_SAVE];
    struct record record;
    const unsigned saves = STORE_HISTORY_KEEP / STORE_HISTORY_PER_SAVE + 10;

    store_fixture_open(fixture, STORE_CREATED);
    record_randomize(&record, 5);
    for (size_t i = 0; i < STORE_HISTORY_PER_SAVE; i++)
        rows[i] = (struct history_row){.at = (time_ms)i, .event = "key.delivered"};
    store_fixture_save(fixture, "/account2", &record, rows, 3);
    for (unsigned i = 0; i < saves; i++)
        store_fixture_save(fixture, "/account1", &record, rows, STORE_HISTORY_PER_SAVE);
    store_fixture_await_saves(fixture);
    store_fixture_close(fixture);
    assert_int_equal(
        store_fixture_sql_int(fixture, "SELECT count(*) FROM history WHERE account = '/account1'"),
        STORE_HISTORY_KEEP);
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT max(id) FROM history"),
                     3 + saves * STORE_HISTORY_PER_SAVE);
    assert_int_equal(
        store_fixture_sql_int(fixture, "SELECT count(*) FROM history WHERE account = '/account2'"),
        3);
}

static void test_fingerprints_stay(void **state)
{
    struct store_fixture *fixture = *state;
    struct fingerprint first, other, again;

    store_fixture_open(fixture, STORE_CREATED);
    first = store_fingerprint(fixture->store, "key", 3);
    other = store_fingerprint(fixture->store, "kez", 3);
    store_fixture_close(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    again = store_fingerprint(fixture->store, "key", 3);
    assert_true(fingerprint_equal(&first, &again));
    assert_false(fingerprint_equal(&first, &other));
    assert_false(fingerprint_is_none(&first));
}

/* --- who may open it --- */

static void write_file(const char *path, const char *content, size_t length)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static void test_second_opener_is_busy(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    store_fixture_open_refused(fixture, STORE_BUSY, "another process holds the journal");
    store_fixture_close(fixture);
    store_fixture_open(fixture, STORE_OPENED);
}

static void test_files_are_private_and_alone(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat status;

    store_fixture_open(fixture, STORE_CREATED);
    save_random(fixture, 1, 1);
    store_fixture_await_saves(fixture);
    assert_int_equal(stat(fixture->database, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    store_fixture_close(fixture);
    assert_int_equal(chmod(fixture->database, 0644), 0);
    store_fixture_open(fixture, STORE_OPENED);
    assert_int_equal(stat(fixture->database, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    store_fixture_close(fixture);
    assert_int_equal(unlink(fixture->database), 0);
    assert_int_equal(rmdir(fixture->directory), 0); /* nothing else was left in it */
    store_fixture_open(fixture, STORE_CREATED);     /* makes the directory */
    assert_int_equal(stat(fixture->directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
}

static void test_open_directory_is_made_private(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat status;

    assert_int_equal(chmod(fixture->directory, 0751), 0);
    store_fixture_open(fixture, STORE_CREATED);
    assert_int_equal(stat(fixture->directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
}

static void test_directory_of_others_is_left_alone(void **state)
{
    struct store_fixture *fixture = *state;
    char path[FIXTURE_PATH_MAX + 16];
    struct stat status;

    snprintf(path, sizeof(path), "%s/away", fixture->directory);
    write_file(path, "", 0);
    assert_int_equal(chmod(fixture->directory, 0755), 0);
    store_fixture_open_refused(fixture, STORE_UNUSABLE, "holds more than the journal");
    assert_int_equal(stat(fixture->directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    assert_int_equal(chmod(fixture->directory, 0700), 0); /* private: may hold more */
    store_fixture_open(fixture, STORE_CREATED);
}

/* --- a file that is no journal of ours is left unchanged --- */

static void test_garbage(void **state)
{
    struct store_fixture *fixture = *state;
    char garbage[8192], after[8192];
    FILE *file;

    memset(garbage, 'x', sizeof(garbage));
    write_file(fixture->database, garbage, sizeof(garbage));
    store_fixture_open_refused(fixture, STORE_UNUSABLE, "put back a good copy");
    file = fopen(fixture->database, "r");
    assert_non_null(file);
    assert_int_equal(fread(after, 1, sizeof(after), file), sizeof(after));
    assert_int_equal(fclose(file), 0);
    assert_memory_equal(garbage, after, sizeof(after));
}

static void test_other_databases(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_sql(fixture, "CREATE TABLE recipes (name TEXT)");
    store_fixture_open_refused(fixture, STORE_UNUSABLE, "not a journal of keyrotated");
    assert_int_equal(store_fixture_sql_int(fixture, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void test_newer_version(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, STORE_CREATED);
    store_fixture_close(fixture);
    store_fixture_sql(fixture, "PRAGMA user_version = 1000");
    store_fixture_open_refused(fixture, STORE_UNUSABLE, "newer keyrotated");
    assert_int_equal(store_fixture_sql_int(fixture, "PRAGMA user_version"), 1000);
}

static void forget_replaced_times(struct record *record)
{
    memset(record->replaced_slot, 0, sizeof(record->replaced_slot));
    memset(record->replaced_at, 0, sizeof(record->replaced_at));
}

static void forget_key_times(struct record *record)
{
    forget_replaced_times(record);
    memset(record->made, 0, sizeof(record->made));
    memset(record->unconfirmed.made, 0, sizeof(record->unconfirmed.made));
}

/* A journal as version 1 wrote it. */
static void test_older_version(void **state)
{
    struct store_fixture *fixture = *state;
    struct record saved, *found;

    store_fixture_open(fixture, STORE_CREATED);
    save_random(fixture, 0, 7);
    store_fixture_await_saves(fixture);
    store_fixture_close(fixture);
    store_fixture_back_to_version_2(fixture);
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN refused");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN catching_up");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN surprise_standby_in_use");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN another_rotator");
    store_fixture_sql(fixture, "PRAGMA user_version = 1");

    store_fixture_open(fixture, STORE_OPENED);
    found = &load(fixture)->records[0];
    record_randomize(&saved, 7);
    saved.refused = false;
    saved.catching_up = false;
    saved.unconfirmed.standby_in_use = false;
    saved.another_rotator = saved.blocked == REASON_ANOTHER_ROTATOR;
    saved.hold_id = 0;
    saved.hold_until = 0;
    saved.both_changed_at = 0;
    for (size_t i = 0; i < saved.target_count; i++) {
        struct target_record *target = &saved.targets[i];

        target->early = false;
        target->dead_since =
            saved.consumers_at_risk && target->required && !record_target_satisfied(&saved, target)
                ? saved.looked_at
                : 0;
    }
    saved.presumed = false;
    forget_key_times(&saved);
    saved.regenerate_after = 0;
    saved.intent.operation = (struct fingerprint){0};
    saved.intent.ended = false;
    saved.intent.settles_at = 0;
    saved.intent.poll_at = 0;
    saved.intent.poll_failures = 0;
    saved.endpoint[0] = '\0';
    saved.location[0] = '\0';
    assert_records_equal(found, &saved);
    store_fixture_close(fixture);
    store_fixture_open(fixture, STORE_OPENED);
}

/* A journal as version 5 wrote it: Azure has told nothing of its keys. */
static void test_version_5(void **state)
{
    struct store_fixture *fixture = *state;
    struct record saved;

    store_fixture_open(fixture, STORE_CREATED);
    save_random(fixture, 0, 11);
    store_fixture_await_saves(fixture);
    store_fixture_close(fixture);
    store_fixture_back_to_version_5(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    record_randomize(&saved, 11);
    forget_key_times(&saved);
    assert_records_equal(&load(fixture)->records[0], &saved);
    store_fixture_close(fixture);
    assert_int_equal(store_fixture_sql_int(fixture, "PRAGMA user_version"), 9);
    store_fixture_open(fixture, STORE_OPENED);
}

/* A journal as version 6 wrote it: the keys that were replaced are known, but neither when nor
 * where they stood. */
static void test_version_6(void **state)
{
    struct store_fixture *fixture = *state;
    struct record saved;

    store_fixture_open(fixture, STORE_CREATED);
    save_random(fixture, 0, 13);
    store_fixture_await_saves(fixture);
    store_fixture_close(fixture);
    store_fixture_back_to_version_6(fixture);
    store_fixture_open(fixture, STORE_OPENED);
    record_randomize(&saved, 13);
    forget_replaced_times(&saved);
    assert_records_equal(&load(fixture)->records[0], &saved);
    store_fixture_close(fixture);
    assert_int_equal(store_fixture_sql_int(fixture, "PRAGMA user_version"), 9);
    store_fixture_open(fixture, STORE_OPENED);
}

static void test_truncated(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat status;

    store_fixture_open(fixture, STORE_CREATED);
    for (unsigned i = 0; i < 100; i++)
        save_random(fixture, i, i);
    store_fixture_close(fixture);
    assert_int_equal(stat(fixture->database, &status), 0);
    assert_int_equal(truncate(fixture->database, status.st_size / 2), 0);
    store_fixture_open_refused(fixture, STORE_UNUSABLE, "put back a good copy");
}

static void test_emptied_file_is_a_new_journal(void **state)
{
    struct store_fixture *fixture = *state;

    write_file(fixture->database, "", 0);
    store_fixture_open(fixture, STORE_CREATED);
}

static void test_rollback_journal_without_database(void **state)
{
    struct store_fixture *fixture = *state;
    char path[FIXTURE_PATH_MAX + 16];

    snprintf(path, sizeof(path), "%s-journal", fixture->database);
    write_file(path, "half a transaction", 18);
    store_fixture_open_refused(fixture, STORE_UNUSABLE, "put that back");
}

static void test_symbolic_link(void **state)
{
    struct store_fixture *fixture = *state;

    assert_int_equal(symlink("/dev/null", fixture->database), 0);
    store_fixture_open_refused(fixture, STORE_UNUSABLE, "not a regular file");
}

static void ignore_found(void *context, const char *account_key, const struct record *record)
{
    (void)context;
    (void)account_key;
    (void)record;
}

static void test_values_that_make_no_sense(void **state)
{
    static const struct {
        const char *sql;
        const char *message_part;
    } cases[] = {
        {"UPDATE accounts SET position = 'nowhere'", "\"nowhere\" is no value for position"},
        {"UPDATE accounts SET cycle = 9", NULL},
        {"UPDATE accounts SET blocked = 'boredom'", "row \"/account7\""},
        {"UPDATE accounts SET live_primary = 'zz'", "live_primary"},
        {"UPDATE accounts SET replaced = '0 1 2 3 4 5 6 7 8 9'", "replaced"},
        {"UPDATE accounts SET attempts = -1", "\"-1\" is no value for attempts"},
        {"PRAGMA ignore_check_constraints = 1; UPDATE accounts SET verified = 2", "verified"},
        {"PRAGMA ignore_check_constraints = 1; UPDATE accounts SET active = 'third'", NULL},
        {"UPDATE accounts SET actor = printf('%200s', 'x')", "actor"},
        {"UPDATE targets SET reason = 'what'", "table targets"},
        {"UPDATE targets SET target = '123'", "no value for target"},
    };
    struct store_fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum store_open_result result;
        struct record record;
        struct err err;
        int rc;

        store_fixture_open(fixture, i == 0 ? STORE_CREATED : STORE_OPENED);
        record_randomize(&record, 11);
        record.target_count = 1;
        store_fixture_save(fixture, "/account7", &record, NULL, 0);
        store_fixture_close(fixture);
        store_fixture_sql(fixture, cases[i].sql);

        err_clear(&err);
        result =
            store_open(fixture->loop, &fixture->log, fixture->directory, &fixture->store, &err);
        if (result == STORE_UNUSABLE) { /* quick_check has seen that a CHECK does not hold */
            assert_non_null(strstr(err.text, "CHECK constraint failed"));
            store_fixture_sql(fixture,
                              "PRAGMA ignore_check_constraints = 1;"
                              "UPDATE accounts SET verified = 0, active = 'primary'");
            continue;
        }
        rc = store_load(fixture->store, ignore_found, NULL, &err);
        if (cases[i].message_part) {
            assert_int_equal(rc, -EBADMSG);
            if (!strstr(err.text, cases[i].message_part))
                print_error("%s\n", err.text);
            assert_non_null(strstr(err.text, cases[i].message_part));
        } else {
            assert_int_equal(rc, 0);
        }
        store_fixture_close(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_member_survives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_saves_are_grouped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closing_writes_what_is_queued, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_history, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_history_is_pruned_per_account, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fingerprints_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_second_opener_is_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_are_private_and_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open_directory_is_made_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_of_others_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_garbage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_databases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newer_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_older_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_version_5, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_version_6, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_truncated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_emptied_file_is_a_new_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rollback_journal_without_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_symbolic_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values_that_make_no_sense, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
