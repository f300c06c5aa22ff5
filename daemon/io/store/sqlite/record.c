#include "io/store/sqlite/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "io/store/sqlite/column.h"
#include "io/store/sqlite/schema.h"

/*
 * One table says for every member of a record which column it is and how it is written there; both
 * directions and the SQL follow from it.
 */
#define MEMBER(of, kind_, member, name_)                                                           \
    {                                                                                              \
        .name = (name_), .kind = COLUMN_##kind_, .offset = offsetof(struct of, member),            \
        .size = sizeof(((struct of *)0)->member)                                                   \
    }
#define RECORD(kind, member)             MEMBER(record, kind, member, #member)
#define RECORD_NAMED(kind, member, name) MEMBER(record, kind, member, name)
#define TARGET(kind, member)             MEMBER(target_record, kind, member, #member)

static const struct column account_columns[] = {
    RECORD(POSITION, position),
    RECORD(BOOL, adopted),
    RECORD(SLOT, active),
    RECORD(SLOT, goal),
    RECORD_NAMED(FINGERPRINT, live[SLOT_PRIMARY], "live_primary"),
    RECORD_NAMED(FINGERPRINT, live[SLOT_SECONDARY], "live_secondary"),
    RECORD_NAMED(TIME, born[SLOT_PRIMARY], "born_primary"),
    RECORD_NAMED(TIME, born[SLOT_SECONDARY], "born_secondary"),
    RECORD(REPLACED, replaced),
    RECORD(U64, cycle),
    RECORD(TRIGGER, trigger),
    RECORD(TEXT, actor),
    RECORD(TEXT, correlation),
    RECORD(TIME, started_at),
    RECORD(TIME, completed_at),
    RECORD_NAMED(BOOL, intent.open, "intent_open"),
    RECORD_NAMED(SLOT, intent.slot, "intent_slot"),
    RECORD_NAMED(FINGERPRINT, intent.before[SLOT_PRIMARY], "intent_primary"),
    RECORD_NAMED(FINGERPRINT, intent.before[SLOT_SECONDARY], "intent_secondary"),
    RECORD_NAMED(TIME, intent.written_at, "intent_written_at"),
    RECORD_NAMED(U32, intent.attempts, "intent_attempts"),
    RECORD(TIME, verify_since),
    RECORD(BOOL, verified),
    RECORD(BOOL, refused),
    RECORD(TIME, regenerate_after),
    RECORD(TEXT, endpoint),
    RECORD(TEXT, location),
    RECORD(TIME, overlap_from),
    RECORD(TIME, foreign_change_at),
    RECORD(TIME, both_changed_at),
    RECORD(BOOL, another_rotator),
    RECORD(TIME, looked_at),
    RECORD_NAMED(BOOL, surprise.pending, "surprise_pending"),
    RECORD_NAMED(FINGERPRINT, surprise.live[SLOT_PRIMARY], "surprise_primary"),
    RECORD_NAMED(FINGERPRINT, surprise.live[SLOT_SECONDARY], "surprise_secondary"),
    RECORD_NAMED(FINGERPRINT, surprise.targets, "surprise_targets"),
    RECORD_NAMED(TIME, surprise.seen_at, "surprise_seen_at"),
    RECORD_NAMED(BOOL, surprise.standby_in_use, "surprise_standby_in_use"),
    RECORD_NAMED(BOOL, surprise.proven, "surprise_proven"),
    RECORD(DRIFT, repairing),
    RECORD(BOOL, consumers_at_risk),
    RECORD(TIME, adopted_at),
    RECORD(TIME, planned_at),
    RECORD(TIME, due_at),
    RECORD(TIME, planned_with),
    RECORD(BOOL, catching_up),
    RECORD(BOOL, window_missed_reported),
    RECORD(TIME, overdue_reported_at),
    RECORD(TIME, check_at),
    RECORD(BOOL, requested),
    RECORD(REASON, blocked),
    RECORD(TIME, blocked_at),
    RECORD(TIME, blocked_reported_at),
    RECORD(REASON, trouble),
    RECORD(TIME, trouble_since),
    RECORD(U32, attempts),
    RECORD(TIME, retry_at),
    RECORD(U64, hold_id),
    RECORD(TIME, hold_until),
    RECORD(BOOL, adopt_told),
    RECORD(SLOT, adopt_slot),
};
enum { ACCOUNT_COLUMNS = sizeof(account_columns) / sizeof(account_columns[0]) };

static const struct column target_columns[] = {
    MEMBER(target_record, TARGET_ID, id, "target"),
    TARGET(BOOL, required),
    TARGET(BOOL, acknowledged),
    TARGET(FINGERPRINT, fingerprint),
    TARGET(TIME, acknowledged_at),
    TARGET(BOOL, offered),
    TARGET(TIME, unsettled_until),
    TARGET(U32, attempts),
    TARGET(TIME, retry_at),
    TARGET(REASON, reason),
    TARGET(TIME, failing_since),
    TARGET(TIME, dead_since),
    TARGET(BOOL, early),
};
enum { TARGET_COLUMNS = sizeof(target_columns) / sizeof(target_columns[0]) };

enum { SQL_MAX = 4096 };

/* --- writing --- */

/* Runs a statement that gives no rows, and makes it ready for the next time. */
static int run(sqlite3_stmt *statement, int bound)
{
    int sqlite_rc = bound;

    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return sqlite_rc == SQLITE_DONE ? SQLITE_OK : sqlite_rc;
}

static int write_target(sqlite3_stmt *statement, const char *account_key, int place,
                        const struct target_record *target)
{
    int sqlite_rc = column_bind_text(statement, 1, account_key);

    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = sqlite3_bind_int(statement, 2, place);
    for (int i = 0; sqlite_rc == SQLITE_OK && i < TARGET_COLUMNS; i++)
        sqlite_rc = column_bind(statement, i + 3, &target_columns[i], target);
    return run(statement, sqlite_rc);
}

static int delete_record(const struct record_statements *statements, const char *account_key)
{
    return run(statements->delete_account,
               column_bind_text(statements->delete_account, 1, account_key));
}

int store_record_write(const struct record_statements *statements, const char *account_key,
                       const struct record *record)
{
    sqlite3_stmt *insert = statements->insert_account;
    int sqlite_rc = delete_record(statements, account_key);

    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = column_bind_text(insert, 1, account_key);
    for (int i = 0; sqlite_rc == SQLITE_OK && i < ACCOUNT_COLUMNS; i++)
        sqlite_rc = column_bind(insert, i + 2, &account_columns[i], record);
    sqlite_rc = run(insert, sqlite_rc);
    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < record->target_count && i < TARGETS_MAX; i++)
        sqlite_rc =
            write_target(statements->insert_target, account_key, (int)i, &record->targets[i]);
    return sqlite_rc;
}

static int write_history_row(sqlite3_stmt *statement, const char *account_key,
                             const struct history_row *row, sqlite3_int64 id)
{
    const char *const texts[] = {row->slot,       row->target,         row->reason,
                                 row->trigger,    row->actor,          row->fingerprint,
                                 row->request_id, row->correlation_id, row->text};
    int sqlite_rc = sqlite3_bind_int64(statement, 1, id);

    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = column_bind_text(statement, 2, account_key);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = sqlite3_bind_int64(statement, 3, row->at);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = column_bind_text(statement, 4, row->event);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = sqlite3_bind_int64(statement, 5, (sqlite3_int64)row->cycle);
    for (int i = 0; sqlite_rc == SQLITE_OK && i < (int)(sizeof(texts) / sizeof(texts[0])); i++)
        sqlite_rc = column_bind_text(statement, 6 + i, texts[i]);
    return run(statement, sqlite_rc);
}

int store_history_write(const struct record_statements *statements, const char *account_key,
                        const struct history_row *rows, size_t row_count, sqlite3_int64 first_id)
{
    sqlite3_stmt *prune = statements->prune_history;
    int sqlite_rc = SQLITE_OK;

    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < row_count; i++)
        sqlite_rc = write_history_row(statements->insert_history, account_key, &rows[i],
                                      first_id + (sqlite3_int64)i);
    if (sqlite_rc == SQLITE_OK && row_count > 0) {
        sqlite_rc = column_bind_text(prune, 1, account_key);
        if (sqlite_rc == SQLITE_OK)
            sqlite_rc = sqlite3_bind_int(prune, 2, STORE_HISTORY_KEEP);
        sqlite_rc = run(prune, sqlite_rc);
    }
    return sqlite_rc;
}

/* --- SQL --- */

static void append_names(struct buf *sql, const struct column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)buf_append_format(sql, ", %s", columns[i].name);
}

static int prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret_statement, struct err *err)
{
    if (sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL) !=
        SQLITE_OK)
        return store_sqlite_err(db, err, "preparing a statement");
    return 0;
}

/* "INSERT INTO table (keys, columns…) VALUES (?, …)" */
static int prepare_insert(sqlite3 *db, const char *table, const char *keys, size_t key_count,
                          const struct column *columns, size_t count, sqlite3_stmt **ret_statement,
                          struct err *err)
{
    struct buf sql;
    int rc;

    buf_init(&sql, SQL_MAX);
    (void)buf_append_format(&sql, "INSERT INTO %s (%s", table, keys);
    append_names(&sql, columns, count);
    (void)buf_append_str(&sql, ") VALUES (?");
    for (size_t i = 1; i < key_count + count; i++)
        (void)buf_append_str(&sql, ", ?");
    (void)buf_append_char(&sql, ')');
    rc = sql.failed ? err_set(err, sql.failed, "a statement for the journal is too long")
                    : prepare(db, buf_str(&sql), ret_statement, err);
    buf_done(&sql);
    return rc;
}

int record_statements_prepare(struct record_statements *statements, sqlite3 *db, struct err *err)
{
    int rc;

    *statements = (struct record_statements){0};
    rc = prepare(db, "DELETE FROM accounts WHERE account = ?1", &statements->delete_account, err);
    if (rc == 0)
        rc = prepare_insert(db, "accounts", "account", 1, account_columns, ACCOUNT_COLUMNS,
                            &statements->insert_account, err);
    if (rc == 0)
        rc = prepare_insert(db, "targets", "account, place", 2, target_columns, TARGET_COLUMNS,
                            &statements->insert_target, err);
    if (rc == 0)
        rc = prepare(db,
                     "INSERT OR REPLACE INTO history (id, account, at, event, cycle, slot, target,"
                     " reason, trigger, actor, fingerprint, request_id, correlation_id, text)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     &statements->insert_history, err);
    if (rc == 0)
        rc = prepare(db,
                     "DELETE FROM history WHERE account = ?1 AND id <= (SELECT id FROM history"
                     " WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                     &statements->prune_history, err);
    return rc;
}

void record_statements_finalize(struct record_statements *statements)
{
    (void)sqlite3_finalize(statements->delete_account);
    (void)sqlite3_finalize(statements->insert_account);
    (void)sqlite3_finalize(statements->insert_target);
    (void)sqlite3_finalize(statements->insert_history);
    (void)sqlite3_finalize(statements->prune_history);
    *statements = (struct record_statements){0};
}

/* --- reading --- */

/* `first`: the index of the first of the columns in the result. */
static int read_members(sqlite3_stmt *statement, int first, const struct column *columns, int count,
                        const char *table, const char *account_key, void *row, struct err *err)
{
    for (int i = 0; i < count; i++) {
        const unsigned char *text;

        if (column_read(statement, first + i, &columns[i], row))
            continue;
        text = sqlite3_column_text(statement, first + i);
        return err_set(err, -EBADMSG, "table %s, row \"%s\": \"%.60s\" is no value for %s", table,
                       account_key, text ? (const char *)text : "NULL", columns[i].name);
    }
    return 0;
}

static int read_targets(sqlite3 *db, sqlite3_stmt *statement, const char *account_key,
                        struct record *record, struct err *err)
{
    int sqlite_rc = column_bind_text(statement, 1, account_key);
    int rc = 0;

    while (sqlite_rc == SQLITE_OK || sqlite_rc == SQLITE_ROW) {
        sqlite_rc = sqlite3_step(statement);
        if (sqlite_rc != SQLITE_ROW)
            break;
        if (record->target_count == TARGETS_MAX) {
            rc = err_set(err, -EBADMSG, "table targets: more than %d rows for \"%s\"",
                         (int)TARGETS_MAX, account_key);
            break;
        }
        rc = read_members(statement, 0, target_columns, TARGET_COLUMNS, "targets", account_key,
                          &record->targets[record->target_count++], err);
        if (rc != 0)
            break;
    }
    if (rc == 0 && sqlite_rc != SQLITE_DONE)
        rc = store_sqlite_err(db, err, "reading the table targets");
    (void)sqlite3_reset(statement);
    return rc;
}

static int read_accounts(sqlite3 *db, sqlite3_stmt *accounts, sqlite3_stmt *targets,
                         void (*found)(void *, const char *, const struct record *), void *context,
                         struct err *err)
{
    int sqlite_rc;

    while ((sqlite_rc = sqlite3_step(accounts)) == SQLITE_ROW) {
        const char *account_key = (const char *)sqlite3_column_text(accounts, 0);
        struct record record;
        int rc;

        if (!account_key)
            return err_set(err, -ENOMEM, "no memory to read the journal");
        record_init(&record);
        rc = read_members(accounts, 1, account_columns, ACCOUNT_COLUMNS, "accounts", account_key,
                          &record, err);
        if (rc == 0)
            rc = read_targets(db, targets, account_key, &record, err);
        if (rc != 0)
            return rc;
        found(context, account_key, &record);
    }
    return sqlite_rc == SQLITE_DONE ? 0 : store_sqlite_err(db, err, "reading the table accounts");
}

static int prepare_select(sqlite3 *db, const char *first, const struct column *columns,
                          size_t count, const char *rest, sqlite3_stmt **ret_statement,
                          struct err *err)
{
    struct buf sql;
    int rc;

    buf_init(&sql, SQL_MAX);
    (void)buf_append_format(&sql, "SELECT %s", first);
    append_names(&sql, columns, count);
    (void)buf_append_format(&sql, " FROM %s", rest);
    rc = sql.failed ? err_set(err, sql.failed, "a statement for the journal is too long")
                    : prepare(db, buf_str(&sql), ret_statement, err);
    buf_done(&sql);
    return rc;
}

int store_record_read_all(sqlite3 *db,
                          void (*found)(void *context, const char *account_key,
                                        const struct record *record),
                          void *context, struct err *err)
{
    sqlite3_stmt *accounts = NULL;
    sqlite3_stmt *targets = NULL;
    int rc = prepare_select(db, "account", account_columns, ACCOUNT_COLUMNS,
                            "accounts ORDER BY account", &accounts, err);

    if (rc == 0)
        rc = prepare_select(db, target_columns[0].name, target_columns + 1, TARGET_COLUMNS - 1,
                            "targets WHERE account = ?1 ORDER BY place", &targets, err);
    if (rc == 0)
        rc = read_accounts(db, accounts, targets, found, context, err);
    (void)sqlite3_finalize(accounts);
    (void)sqlite3_finalize(targets);
    return rc;
}
