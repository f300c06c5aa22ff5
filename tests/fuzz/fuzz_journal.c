/*
 * Rows of a journal that somebody else wrote, or a disk spoiled: lines "COLUMN=VALUE" are put into
 * the row of an account (after "-", into those of its target). A row that is read is written and
 * read again as it was; one that is not is named, and nothing of it is given out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "fuzz.h"
#include "io/store/sqlite/sqlite_private.h"

enum { COLUMNS_MAX = 128, DUMP_MAX = 1024 * 1024 };

struct table {
    const char *name;
    char *columns[COLUMNS_MAX];
    size_t count;
};

static sqlite3 *db;
static struct rows_statements statements;
static struct table tables[] = {{.name = "accounts"}, {.name = "targets"}};

static void execute(const char *sql)
{
    MUST(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void learn_columns(struct table *table)
{
    sqlite3_stmt *statement;

    MUST(sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info(?1)", -1, &statement, NULL) ==
         SQLITE_OK);
    MUST(sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC) == SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW && table->count < COLUMNS_MAX)
        table->columns[table->count++] = strdup((const char *)sqlite3_column_text(statement, 0));
    (void)sqlite3_finalize(statement);
    MUST(table->count > 0);
}

static void close_journal(void)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        while (tables[i].count > 0)
            free(tables[i].columns[--tables[i].count]);
    rows_finalize(&statements);
    (void)sqlite3_close(db);
}

static void open_journal(void)
{
    struct err err;

    MUST(atexit(close_journal) == 0);

    MUST(sqlite3_open(":memory:", &db) == SQLITE_OK);
    MUST(store_schema_migrate(db, &err) == 0);
    MUST(rows_prepare(&statements, db, &err) == 0);
    execute("PRAGMA foreign_keys = ON");
    execute("PRAGMA ignore_check_constraints = ON");
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        learn_columns(&tables[i]);
}

/* The column that the name begins with; any text names one, so that no input is wasted. */
static const char *column_named(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->columns[i], name) == 0)
            return table->columns[i];
    }
    return table->columns[(unsigned char)name[0] % table->count];
}

/* Column types are strict: text goes where text may be, and the same for numbers. */
static void spoil(const struct table *table, const char *column, const char *value)
{
    sqlite3_stmt *statement;
    char *sql = sqlite3_mprintf("UPDATE %w SET %w = ?1", table->name, column);

    MUST(sql && sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK);
    MUST(sqlite3_bind_text(statement, 1, value, -1, SQLITE_STATIC) == SQLITE_OK);
    (void)sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
    sqlite3_free(sql);
}

static void write_record(const char *key, const struct record *record)
{
    if (store_record_write(&statements, key, record) != SQLITE_OK)
        fuzz_broken(__FILE__, __LINE__, sqlite3_errmsg(db));
}

static void spoil_rows(struct fuzz_input *input)
{
    struct table *table = &tables[0];

    while (input->left > 0) {
        char *line = fuzz_take_line(input);
        char *value = strchr(line, '=');

        if (strcmp(line, "-") == 0) {
            table = &tables[1];
        } else if (value) {
            *value = '\0';
            spoil(table, column_named(table, line), value + 1);
        }
        free(line);
    }
}

struct reading {
    size_t count;
    char key[512];
    struct record record;
};

static void take(void *context, const char *account_key, const struct record *record)
{
    struct reading *reading = context;

    reading->count++;
    (void)snprintf(reading->key, sizeof(reading->key), "%s", account_key);
    reading->record = *record;
}

static void dump(struct buf *out)
{
    buf_init(out, DUMP_MAX);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        sqlite3_stmt *statement;
        char *sql = sqlite3_mprintf("SELECT * FROM %w ORDER BY 1, 2", tables[i].name);

        MUST(sql && sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            for (int c = 1; c < sqlite3_column_count(statement); c++) {
                const char *text = (const char *)sqlite3_column_text(statement, c);

                buf_append_str(out, text ? text : "(null)");
                buf_append_char(out, '\n');
            }
        }
        (void)sqlite3_finalize(statement);
        sqlite3_free(sql);
    }
    MUST(out->failed == 0);
}

static void read_and_write_again(void)
{
    struct reading first = {.count = 0}, second = {.count = 0};
    struct err err = {.code = 0};
    struct buf before, after;

    if (store_record_read_all(db, take, &first, &err) != 0) {
        MUST(first.count == 0 && err.code < 0 && err.text[0] != '\0');
        return;
    }
    if (first.count == 0)
        return;
    MUST(first.record.target_count <= TARGETS_MAX && first.record.position < POSITION_COUNT);
    MUST((unsigned)first.record.active < SLOT_COUNT);
    MUST((unsigned)first.record.delivering < SLOT_COUNT);
    MUST(first.record.blocked < REASON_COUNT && first.record.retry_reason < REASON_COUNT);
    execute("DELETE FROM accounts");
    write_record("account", &first.record);
    dump(&before);
    MUST(store_record_read_all(db, take, &second, &err) == 0 && second.count == 1);
    write_record("account", &second.record);
    dump(&after);
    MUST(before.length == after.length && memcmp(before.data, after.data, before.length) == 0);
    buf_done(&before);
    buf_done(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    struct record record;

    if (!db)
        open_journal();
    record_init(&record);
    record.target_count = 1;
    memset(&record.targets[0], 0, sizeof(record.targets[0]));
    record.targets[0].id.bytes[0] = 1;
    execute("BEGIN");
    write_record("account", &record);
    spoil_rows(&input);
    read_and_write_again();
    execute("ROLLBACK");
    return 0;
}
