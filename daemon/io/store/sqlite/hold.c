#include "io/store/sqlite/hold.h"

#include <errno.h>

#include "base/str.h"
#include "io/store/sqlite/column.h"
#include "io/store/sqlite/schema.h"

static int prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret_statement, struct err *err)
{
    if (sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL) !=
        SQLITE_OK)
        return store_sqlite_err(db, err, "preparing a statement");
    return 0;
}

int hold_statements_prepare(struct hold_statements *statements, sqlite3 *db, struct err *err)
{
    int rc;

    *statements = (struct hold_statements){0};
    rc = prepare(db,
                 "INSERT OR REPLACE INTO holds (id, account, actor, since, until, reason)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                 &statements->insert, err);
    if (rc == 0)
        rc = prepare(db, "DELETE FROM holds WHERE id = ?1", &statements->delete, err);
    return rc;
}

void hold_statements_finalize(struct hold_statements *statements)
{
    (void)sqlite3_finalize(statements->insert);
    (void)sqlite3_finalize(statements->delete);
    *statements = (struct hold_statements){0};
}

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

static int bind_time(sqlite3_stmt *statement, int index, time_ms at)
{
    return at == TIME_NEVER ? sqlite3_bind_null(statement, index)
                            : sqlite3_bind_int64(statement, index, at);
}

int store_hold_write(const struct hold_statements *statements, const struct hold *hold)
{
    sqlite3_stmt *insert = statements->insert;
    int sqlite_rc = sqlite3_bind_int64(insert, 1, (sqlite3_int64)hold->id);

    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = column_bind_text(insert, 2, str_or_null(hold->account));
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = column_bind_text(insert, 3, hold->actor);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = sqlite3_bind_int64(insert, 4, hold->since);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = bind_time(insert, 5, hold->until);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = column_bind_text(insert, 6, hold->reason);
    return run(insert, sqlite_rc);
}

int store_hold_end(const struct hold_statements *statements, const uint64_t *ids, size_t count)
{
    int sqlite_rc = SQLITE_OK;

    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < count; i++)
        sqlite_rc = run(statements->delete,
                        sqlite3_bind_int64(statements->delete, 1, (sqlite3_int64)ids[i]));
    return sqlite_rc;
}

static bool read_text(sqlite3_stmt *statement, int index, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(statement, index);

    return text && str_copy(out, size, text);
}

/* The account is NULL where the hold is of all accounts, and never empty. */
static bool read_hold(sqlite3_stmt *statement, struct hold *hold)
{
    const bool of_all = sqlite3_column_type(statement, 1) == SQLITE_NULL;
    const bool forever = sqlite3_column_type(statement, 4) == SQLITE_NULL;

    *hold = (struct hold){
        .id = (uint64_t)sqlite3_column_int64(statement, 0),
        .since = sqlite3_column_int64(statement, 3),
        .until = forever ? TIME_NEVER : sqlite3_column_int64(statement, 4),
    };
    return sqlite3_column_int64(statement, 0) > 0 &&
           (of_all || (read_text(statement, 1, hold->account, sizeof(hold->account)) &&
                       hold->account[0] != '\0')) &&
           read_text(statement, 2, hold->actor, sizeof(hold->actor)) &&
           read_text(statement, 5, hold->reason, sizeof(hold->reason));
}

static int read_last_id(sqlite3 *db, uint64_t *ret_last_id, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;

    *ret_last_id = 0;
    if (sqlite3_prepare_v2(db,
                           "SELECT max(coalesce((SELECT seq FROM sqlite_sequence"
                           " WHERE name = 'holds'), 0), coalesce((SELECT max(id) FROM holds), 0))",
                           -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        *ret_last_id = (uint64_t)sqlite3_column_int64(statement, 0);
    else
        rc = store_sqlite_err(db, err, "reading the table holds");
    (void)sqlite3_finalize(statement);
    return rc;
}

int store_hold_read_all(sqlite3 *db, void (*found)(void *context, const struct hold *hold),
                        void *context, uint64_t *ret_last_id, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = read_last_id(db, ret_last_id, err);
    int sqlite_rc = SQLITE_DONE;

    if (rc == 0)
        rc = prepare(db, "SELECT id, account, actor, since, until, reason FROM holds ORDER BY id",
                     &statement, err);
    while (rc == 0 && (sqlite_rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct hold hold;

        if (read_hold(statement, &hold))
            found(context, &hold);
        else
            rc = err_set(err, -EBADMSG, "table holds, row %lld: a value makes no sense",
                         (long long)sqlite3_column_int64(statement, 0));
    }
    if (rc == 0 && sqlite_rc != SQLITE_DONE)
        rc = store_sqlite_err(db, err, "reading the table holds");
    (void)sqlite3_finalize(statement);
    return rc;
}
