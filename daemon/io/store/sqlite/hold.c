#include "io/store/sqlite/hold.h"

#include <errno.h>

#include "base/str.h"
#include "io/store/sqlite/statement.h"
#include "io/store/sqlite/schema.h"

int hold_statements_prepare(struct hold_statements *statements, sqlite3 *db, struct err *err)
{
    int rc;

    *statements = (struct hold_statements){0};
    rc = statement_prepare(db,
                           "INSERT OR REPLACE INTO holds (id, account, actor, since, until, reason)"
                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                           &statements->insert, err);
    if (rc == 0)
        rc = statement_prepare(db, "DELETE FROM holds WHERE id = ?1", &statements->delete, err);
    return rc;
}

void hold_statements_finalize(struct hold_statements *statements)
{
    (void)sqlite3_finalize(statements->insert);
    (void)sqlite3_finalize(statements->delete);
    *statements = (struct hold_statements){0};
}

int store_hold_write(const struct hold_statements *statements, const struct hold *hold)
{
    struct binding binding;

    bind_start(&binding, statements->insert);
    bind_number(&binding, (int64_t)hold->id);
    bind_text(&binding, str_or_null(hold->account));
    bind_text(&binding, hold->actor);
    bind_number(&binding, hold->since);
    bind_time(&binding, hold->until);
    bind_text(&binding, hold->reason);
    return statement_run(&binding);
}

int store_hold_end(const struct hold_statements *statements, const uint64_t *ids, size_t count)
{
    int sqlite_rc = SQLITE_OK;

    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < count; i++) {
        struct binding binding;

        bind_start(&binding, statements->delete);
        bind_number(&binding, (int64_t)ids[i]);
        sqlite_rc = statement_run(&binding);
    }
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

int store_hold_read_all(sqlite3 *db, void (*found)(void *context, const struct hold *hold),
                        void *context, uint64_t *ret_last_id, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int64_t last_id = 0;
    int rc =
        store_read_integer(db,
                           "SELECT max(coalesce((SELECT seq FROM sqlite_sequence"
                           " WHERE name = 'holds'), 0), coalesce((SELECT max(id) FROM holds), 0))",
                           &last_id, err);
    int sqlite_rc = SQLITE_DONE;

    *ret_last_id = (uint64_t)last_id;

    if (rc == 0)
        rc = statement_prepare(
            db, "SELECT id, account, actor, since, until, reason FROM holds ORDER BY id",
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
