#include "store_fixture.h"

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
#include <sqlite3.h>

#include "base/str.h"

static void count_line(void *context, const struct log_line *line)
{
    struct store_fixture *fixture = context;

    if (strcmp(line->event, "journal.failed") != 0)
        return;
    if (line->level == LEVEL_ERROR)
        fixture->failures_logged++;
    else if (line->level == LEVEL_NOTICE)
        fixture->recoveries_logged++;
    for (size_t i = 0; i < line->field_count; i++)
        if (strcmp(line->fields[i].name, "remedy") == 0)
            (void)str_copy(fixture->last_remedy, sizeof(fixture->last_remedy),
                           line->fields[i].text);
}

static void take_line(void *context, const struct log_line *line)
{
    log_troubles_take(((struct store_fixture *)context)->troubles, line);
}

static void take_end(void *context, time_ms now, const char *event, const char *subject, bool quiet)
{
    log_troubles_end(((struct store_fixture *)context)->troubles, now, event, subject, quiet);
}

void store_fixture_set_up(struct store_fixture *fixture)
{
    struct err err;

    memset(fixture, 0, sizeof(*fixture));
    (void)str_copy(fixture->directory, sizeof(fixture->directory), "/tmp/test-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->database, sizeof(fixture->database), "%.200s/journal.db", fixture->directory);
    fixture->log = (struct log){
        .level = LEVEL_DEBUG, .write = take_line, .ended = take_end, .context = fixture};
    fixture->troubles = log_troubles_new(count_line, fixture);
    assert_non_null(fixture->troubles);
    fixture->loop = loop_new(&err);
    assert_non_null(fixture->loop);
}

void store_fixture_tear_down(struct store_fixture *fixture)
{
    static const char *const names[] = {"journal.db", "journal.db-journal", "away"};

    store_fixture_close(fixture);
    assert_true(loop_free(fixture->loop));
    log_troubles_free(fixture->troubles);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[FIXTURE_PATH_MAX + 32];

        snprintf(path, sizeof(path), "%s/%s", fixture->directory, names[i]);
        (void)unlink(path);
    }
    (void)chmod(fixture->directory, 0700);
    assert_int_equal(rmdir(fixture->directory), 0);
}

void store_fixture_open(struct store_fixture *fixture, enum store_open_result expected)
{
    struct err err;
    enum store_open_result result;

    err_clear(&err);
    result = store_open(fixture->loop, &fixture->log, fixture->directory, &fixture->store, &err);
    if (result != expected)
        print_error("%s\n", err.text);
    assert_int_equal(result, expected);
    assert_non_null(fixture->store);
}

void store_fixture_open_refused(struct store_fixture *fixture, enum store_open_result expected,
                                const char *message_part)
{
    struct store *store;
    struct err err;

    err_clear(&err);
    assert_int_equal(store_open(fixture->loop, &fixture->log, fixture->directory, &store, &err),
                     expected);
    assert_null(store);
    if (!strstr(err.text, message_part))
        print_error("\"%s\" is not in \"%s\"\n", message_part, err.text);
    assert_non_null(strstr(err.text, message_part));
}

static void on_closed(void *context, bool lost)
{
    struct store_fixture *fixture = context;

    (void)lost;
    fixture->closed = true;
}

static bool is_closed(struct store_fixture *fixture)
{
    return fixture->closed;
}

void store_fixture_close(struct store_fixture *fixture)
{
    if (!fixture->store)
        return;
    fixture->closed = false;
    store_close(fixture->store, on_closed, fixture);
    fixture->store = NULL;
    store_fixture_run_until(fixture, is_closed);
}

static void on_saved(void *context)
{
    struct store_fixture *fixture = context;

    fixture->saves_awaited--;
}

void store_fixture_save(struct store_fixture *fixture, const char *account_key,
                        const struct record *record, const struct history_row *rows,
                        size_t row_count)
{
    fixture->saves_awaited++;
    store_save(fixture->store, account_key, record, rows, row_count, on_saved, fixture);
}

static bool all_saved(struct store_fixture *fixture)
{
    return fixture->saves_awaited == 0;
}

void store_fixture_await_saves(struct store_fixture *fixture)
{
    store_fixture_run_until(fixture, all_saved);
}

/* --- running the loop: looks at the condition every few milliseconds --- */

struct wait {
    struct timer timer;
    struct store_fixture *fixture;
    bool (*condition)(struct store_fixture *fixture);
    duration_ms left;
    bool freed;
};

static void on_wait_closed(struct timer *timer)
{
    struct wait *wait = container_of(timer, struct wait, timer);

    wait->freed = true;
    loop_stop(wait->fixture->loop);
}

static void on_wait_tick(struct timer *timer)
{
    struct wait *wait = container_of(timer, struct wait, timer);

    wait->left -= 5;
    if (wait->left > 0 && !(wait->condition && wait->condition(wait->fixture)))
        timer_set_delay(timer, 5);
    else
        timer_close(timer, on_wait_closed);
}

static void run(struct store_fixture *fixture, bool (*condition)(struct store_fixture *),
                duration_ms longest)
{
    struct wait wait = {.fixture = fixture, .condition = condition, .left = longest};

    timer_init(fixture->loop, &wait.timer, on_wait_tick);
    timer_set_delay(&wait.timer, 1);
    while (!wait.freed)
        loop_run(fixture->loop);
}

void store_fixture_run_until(struct store_fixture *fixture,
                             bool (*condition)(struct store_fixture *))
{
    run(fixture, condition, 20 * MS_SECOND);
    assert_true(condition(fixture));
}

void store_fixture_run_for(struct store_fixture *fixture, duration_ms duration)
{
    run(fixture, NULL, duration);
}

/* --- the database from outside --- */

void store_fixture_sql(struct store_fixture *fixture, const char *sql)
{
    sqlite3 *db;
    char *message = NULL;

    assert_int_equal(sqlite3_open(fixture->database, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int store_fixture_sql_int(struct store_fixture *fixture, const char *sql)
{
    sqlite3_stmt *statement;
    sqlite3 *db;
    int value;

    assert_int_equal(sqlite3_open(fixture->database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    value = sqlite3_column_int(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

void store_fixture_back_to_version_8(struct store_fixture *fixture)
{
    store_fixture_sql(fixture, "ALTER TABLE history DROP COLUMN duration");
    store_fixture_sql(fixture, "PRAGMA user_version = 8");
}

void store_fixture_back_to_version_7(struct store_fixture *fixture)
{
    store_fixture_back_to_version_8(fixture);
    store_fixture_sql(fixture, "ALTER TABLE history DROP COLUMN hash");
    store_fixture_sql(fixture, "DROP TABLE history_chains");
    store_fixture_sql(fixture, "PRAGMA user_version = 7");
}

void store_fixture_back_to_version_6(struct store_fixture *fixture)
{
    store_fixture_back_to_version_7(fixture);
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN replaced_slots");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN replaced_at");
    store_fixture_sql(fixture, "PRAGMA user_version = 6");
}

void store_fixture_back_to_version_5(struct store_fixture *fixture)
{
    store_fixture_back_to_version_6(fixture);
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN made_primary");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN made_secondary");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN surprise_made_primary");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN surprise_made_secondary");
    store_fixture_sql(fixture, "PRAGMA user_version = 5");
}

void store_fixture_back_to_version_4(struct store_fixture *fixture)
{
    store_fixture_back_to_version_5(fixture);
    store_fixture_sql(fixture, "DROP TABLE operations");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN intent_operation");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN intent_ended");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN intent_settles_at");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN intent_poll_at");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN intent_poll_failures");
    store_fixture_sql(fixture, "PRAGMA user_version = 4");
}

void store_fixture_back_to_version_3(struct store_fixture *fixture)
{
    store_fixture_back_to_version_4(fixture);
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN presumed");
    store_fixture_sql(fixture, "DROP TABLE discoveries");
    store_fixture_sql(fixture, "PRAGMA user_version = 3");
}

void store_fixture_back_to_version_2(struct store_fixture *fixture)
{
    store_fixture_back_to_version_3(fixture);
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN regenerate_after");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN endpoint");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN location");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN both_changed_at");
    store_fixture_sql(fixture, "ALTER TABLE targets DROP COLUMN dead_since");
    store_fixture_sql(fixture, "ALTER TABLE targets DROP COLUMN early");
    store_fixture_sql(fixture, "DROP TABLE holds");
    store_fixture_sql(fixture, "DROP TABLE places");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN hold_id");
    store_fixture_sql(fixture, "ALTER TABLE accounts DROP COLUMN hold_until");
    store_fixture_sql(fixture,
                      "ALTER TABLE accounts ADD COLUMN held INTEGER NOT NULL DEFAULT 0"
                      " CHECK (held IN (0, 1))");
    store_fixture_sql(fixture, "ALTER TABLE accounts ADD COLUMN held_until INTEGER DEFAULT 0");
    store_fixture_sql(fixture,
                      "ALTER TABLE accounts ADD COLUMN hold_reason TEXT NOT NULL DEFAULT ''");
    store_fixture_sql(fixture, "PRAGMA user_version = 2");
}
