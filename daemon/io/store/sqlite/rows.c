#include "io/store/sqlite/sqlite_private.h"

#include <errno.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/str.h"

enum { SQL_MAX = 4096 };

/* --- statements --- */

static void append_names(struct buf *sql, const struct record_table *columns)
{
    for (size_t i = 0; i < columns->count; i++)
        (void)buf_append_format(sql, ", %s", columns->members[i].name);
}

static int prepare_built(sqlite3 *db, struct buf *sql, sqlite3_stmt **ret_statement,
                         struct err *err)
{
    int rc = sql->failed ? err_set(err, sql->failed, "a statement for the journal is too long")
                         : statement_prepare(db, buf_str(sql), ret_statement, err);

    buf_done(sql);
    return rc;
}

static const struct statement_text {
    const char *text;
    const struct record_table *columns; /* go on the list that the text begins; NULL: it is whole */
    size_t values;                      /* of that INSERT, before those of the columns */
} statement_texts[ROWS_STATEMENTS] = {
    [DELETE_ACCOUNT] = {"DELETE FROM accounts WHERE account = ?1"},
    [INSERT_ACCOUNT] = {"INSERT INTO accounts (account", &record_table, 1},
    [INSERT_TARGET] = {"INSERT INTO targets (account, place", &record_target_table, 2},
    [SELECT_HISTORY] = {"SELECT 1 FROM history WHERE id = ?1"},
    [INSERT_HISTORY] =
        {"INSERT INTO history (id, account, at, cycle, hash, event, slot, target, reason, trigger,"
         " actor, fingerprint, request_id, correlation_id, text, duration)"
         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
    [SELECT_SURPLUS] = {"SELECT id, hash FROM history WHERE account = ?1"
                        " ORDER BY id DESC LIMIT 1 OFFSET ?2"},
    /* Of the oldest rows the last one that may go. Ids grow with time. What a clock that was ahead
     * wrote keeps nothing; what one that was behind wrote goes after what stands before it. */
    [SELECT_OLDEST] =
        {"WITH oldest AS (SELECT id, at FROM history ORDER BY id LIMIT ?1)"
         " SELECT max(id) FROM oldest WHERE at < ?2 AND id < coalesce("
         "(SELECT min(id) FROM oldest WHERE at BETWEEN ?2 AND ?3), 9223372036854775807)"},
    [SELECT_LAST_OLD] = {"SELECT id, hash, account FROM history WHERE id <= ?1 AND account ="
                         " (SELECT account FROM history WHERE id <= ?1 ORDER BY id LIMIT 1)"
                         " ORDER BY id DESC LIMIT 1"},
    [PRUNE_HISTORY] = {"DELETE FROM history WHERE account = ?1 AND id <= ?2"},
    [SELECT_CHAIN] = {"SELECT anchor, head, older FROM history_chains WHERE account = ?1"},
    [INSERT_CHAIN] = {"INSERT OR REPLACE INTO history_chains (account, anchor, head, older)"
                      " VALUES (?1, ?2, ?3, ?4)"},
    [INSERT_HOLD] = {"INSERT OR REPLACE INTO holds (id, account, actor, since, until, reason)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
    [DELETE_HOLD] = {"DELETE FROM holds WHERE id = ?1"},
    [INSERT_PLACE] = {"INSERT OR REPLACE INTO places (account, place, abandoned_at, cycle)"
                      " VALUES (?1, ?2, ?3, ?4)"},
    [DELETE_PLACE] = {"DELETE FROM places WHERE account = ?1 AND place = ?2"},
    [INSERT_DISCOVERY] = {"INSERT OR REPLACE INTO discoveries (account, id, identity, rule,"
                          " location, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
    [DELETE_DISCOVERY] = {"DELETE FROM discoveries WHERE account = ?1"},
    [INSERT_OPERATION] = {"INSERT OR REPLACE INTO operations (account, url) VALUES (?1, ?2)"},
    [DELETE_OPERATION] = {"DELETE FROM operations WHERE account = ?1"},
};

static int prepare(sqlite3 *db, const struct statement_text *text, sqlite3_stmt **ret_statement,
                   struct err *err)
{
    struct buf sql;

    buf_init(&sql, SQL_MAX);
    (void)buf_append_str(&sql, text->text);
    if (text->columns) {
        append_names(&sql, text->columns);
        (void)buf_append_str(&sql, ") VALUES (?");
        for (size_t i = 1; i < text->values + text->columns->count; i++)
            (void)buf_append_str(&sql, ", ?");
        (void)buf_append_char(&sql, ')');
    }
    return prepare_built(db, &sql, ret_statement, err);
}

int rows_prepare(struct rows_statements *statements, sqlite3 *db, struct err *err)
{
    int rc = 0;

    *statements = (struct rows_statements){0};
    for (size_t i = 0; rc == 0 && i < ROWS_STATEMENTS; i++)
        rc = prepare(db, &statement_texts[i], &statements->of[i], err);
    return rc;
}

void rows_finalize(struct rows_statements *statements)
{
    for (size_t i = 0; i < ROWS_STATEMENTS; i++)
        (void)sqlite3_finalize(statements->of[i]);
    *statements = (struct rows_statements){0};
}

/* --- records, written --- */

static int write_target(sqlite3_stmt *statement, const char *account_key, int64_t place,
                        const struct target_record *target)
{
    struct binding binding;

    bind_start(&binding, statement);
    bind_text(&binding, account_key);
    bind_number(&binding, place);
    bind_members(&binding, &record_target_table, target);
    return statement_run(&binding);
}

int store_record_write(const struct rows_statements *statements, const char *account_key,
                       const struct record *record)
{
    struct binding binding;
    int sqlite_rc;

    bind_start(&binding, statements->of[DELETE_ACCOUNT]);
    bind_text(&binding, account_key);
    sqlite_rc = statement_run(&binding);
    if (sqlite_rc != SQLITE_OK)
        return sqlite_rc;
    bind_start(&binding, statements->of[INSERT_ACCOUNT]);
    bind_text(&binding, account_key);
    bind_members(&binding, &record_table, record);
    sqlite_rc = statement_run(&binding);
    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < record->target_count && i < TARGETS_MAX; i++)
        sqlite_rc = write_target(statements->of[INSERT_TARGET], account_key, (int64_t)i,
                                 &record->targets[i]);
    return sqlite_rc;
}

/* --- records, read --- */

/* `first`: the index of the first of the columns in the result. */
static int read_members(sqlite3_stmt *statement, int first, const struct record_table *columns,
                        const char *table, const char *account_key, void *row, struct err *err)
{
    for (size_t i = 0; i < columns->count; i++) {
        const int index = first + (int)i;
        const unsigned char *text;

        if (column_read(statement, index, &columns->members[i], row))
            continue;
        text = sqlite3_column_text(statement, index);
        return err_set(err, -EBADMSG, "table %s, row \"%s\": \"%.60s\" is no value for %s", table,
                       account_key, text ? (const char *)text : "NULL", columns->members[i].name);
    }
    return 0;
}

static int read_targets(sqlite3 *db, sqlite3_stmt *statement, const char *account_key,
                        struct record *record, struct err *err)
{
    int sqlite_rc = sqlite3_bind_text(statement, 1, account_key, -1, SQLITE_TRANSIENT);
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
        rc = read_members(statement, 1, &record_target_table, "targets", account_key,
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
                         store_found_record *found, void *context, struct err *err)
{
    int sqlite_rc;

    while ((sqlite_rc = sqlite3_step(accounts)) == SQLITE_ROW) {
        const char *account_key = (const char *)sqlite3_column_text(accounts, 0);
        struct record record;
        int rc;

        if (!account_key)
            fault_out_of_memory();
        record_init(&record);
        rc = read_members(accounts, 1, &record_table, "accounts", account_key, &record, err);
        if (rc == 0)
            rc = read_targets(db, targets, account_key, &record, err);
        if (rc != 0)
            return rc;
        found(context, account_key, &record);
    }
    return sqlite_rc == SQLITE_DONE ? 0 : store_sqlite_err(db, err, "reading the table accounts");
}

/* "SELECT account, columns… FROM rest" */
static int prepare_select(sqlite3 *db, const struct record_table *columns, const char *rest,
                          sqlite3_stmt **ret_statement, struct err *err)
{
    struct buf sql;

    buf_init(&sql, SQL_MAX);
    (void)buf_append_str(&sql, "SELECT account");
    append_names(&sql, columns);
    (void)buf_append_format(&sql, " FROM %s", rest);
    return prepare_built(db, &sql, ret_statement, err);
}

int store_record_read_all(sqlite3 *db, store_found_record *found, void *context, struct err *err)
{
    sqlite3_stmt *accounts = NULL;
    sqlite3_stmt *targets = NULL;
    int rc = prepare_select(db, &record_table, "accounts ORDER BY account", &accounts, err);

    if (rc == 0)
        rc = prepare_select(db, &record_target_table, "targets WHERE account = ?1 ORDER BY place",
                            &targets, err);
    if (rc == 0)
        rc = read_accounts(db, accounts, targets, found, context, err);
    (void)sqlite3_finalize(accounts);
    (void)sqlite3_finalize(targets);
    return rc;
}

/* --- holds --- */

int store_hold_write(const struct rows_statements *statements, const struct hold *hold)
{
    struct binding binding;

    bind_start(&binding, statements->of[INSERT_HOLD]);
    bind_number(&binding, (int64_t)hold->id);
    bind_text(&binding, str_or_null(hold->account));
    bind_text(&binding, hold->actor);
    bind_number(&binding, hold->since);
    bind_time(&binding, hold->until);
    bind_text(&binding, hold->reason);
    return statement_run(&binding);
}

int store_hold_end(const struct rows_statements *statements, const uint64_t *ids, size_t count)
{
    int sqlite_rc = SQLITE_OK;

    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < count; i++) {
        struct binding binding;

        bind_start(&binding, statements->of[DELETE_HOLD]);
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

int store_hold_read_all(sqlite3 *db, store_found_hold *found, void *context, uint64_t *ret_last_id,
                        struct err *err)
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

/* --- places --- */

static int write_place(const struct rows_statements *statements, const struct place *place)
{
    struct binding binding;

    bind_start(&binding, place->gone ? statements->of[DELETE_PLACE] : statements->of[INSERT_PLACE]);
    bind_text(&binding, place->account_key);
    bind_text(&binding, place->text);
    if (!place->gone) {
        bind_number(&binding, place->abandoned_at);
        bind_number(&binding, (int64_t)place->cycle);
    }
    return statement_run(&binding);
}

int store_places_write(const struct rows_statements *statements, const struct place *places,
                       size_t count)
{
    int sqlite_rc = SQLITE_OK;

    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < count; i++)
        sqlite_rc = write_place(statements, &places[i]);
    return sqlite_rc;
}

int store_places_read_all(sqlite3 *db, store_found_place *found, void *context, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int sqlite_rc = sqlite3_prepare_v2(db,
                                       "SELECT account, place, abandoned_at, cycle FROM places"
                                       " ORDER BY account, place",
                                       -1, &statement, NULL);

    while (sqlite_rc == SQLITE_OK || sqlite_rc == SQLITE_ROW) {
        sqlite_rc = sqlite3_step(statement);
        if (sqlite_rc != SQLITE_ROW)
            break;
        found(context, &(struct place){
                           .account_key = (const char *)sqlite3_column_text(statement, 0),
                           .text = (const char *)sqlite3_column_text(statement, 1),
                           .abandoned_at = sqlite3_column_int64(statement, 2),
                           .cycle = (uint64_t)sqlite3_column_int64(statement, 3),
                       });
    }
    (void)sqlite3_finalize(statement);
    return sqlite_rc == SQLITE_DONE ? 0 : store_sqlite_err(db, err, "reading the table places");
}

/* --- discoveries --- */

static int write_discovery(const struct rows_statements *statements,
                           const struct discovery *discovery)
{
    struct binding binding;

    bind_start(&binding, discovery->gone ? statements->of[DELETE_DISCOVERY]
                                         : statements->of[INSERT_DISCOVERY]);
    bind_text(&binding, discovery->account_key);
    if (!discovery->gone) {
        bind_text(&binding, discovery->id);
        bind_text(&binding, discovery->identity);
        bind_text(&binding, discovery->rule);
        bind_text(&binding, discovery->location);
        bind_text(&binding, discovery->tags);
    }
    return statement_run(&binding);
}

int store_discoveries_write(const struct rows_statements *statements,
                            const struct discovery *discoveries, size_t count)
{
    int sqlite_rc = SQLITE_OK;

    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < count; i++)
        sqlite_rc = write_discovery(statements, &discoveries[i]);
    return sqlite_rc;
}

int store_discoveries_read_all(sqlite3 *db, store_found_discovery *found, void *context,
                               struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int sqlite_rc = sqlite3_prepare_v2(db,
                                       "SELECT account, id, identity, rule, location, tags"
                                       " FROM discoveries ORDER BY account",
                                       -1, &statement, NULL);

    while (sqlite_rc == SQLITE_OK || sqlite_rc == SQLITE_ROW) {
        sqlite_rc = sqlite3_step(statement);
        if (sqlite_rc != SQLITE_ROW)
            break;
        found(context, &(struct discovery){
                           .account_key = (const char *)sqlite3_column_text(statement, 0),
                           .id = (const char *)sqlite3_column_text(statement, 1),
                           .identity = (const char *)sqlite3_column_text(statement, 2),
                           .rule = (const char *)sqlite3_column_text(statement, 3),
                           .location = (const char *)sqlite3_column_text(statement, 4),
                           .tags = (const char *)sqlite3_column_text(statement, 5),
                       });
    }
    (void)sqlite3_finalize(statement);
    return sqlite_rc == SQLITE_DONE ? 0
                                    : store_sqlite_err(db, err, "reading the table discoveries");
}

/* --- operations --- */

int store_operation_write(const struct rows_statements *statements, const char *account_key,
                          const char *url)
{
    struct binding binding;

    bind_start(&binding, statements->of[url ? INSERT_OPERATION : DELETE_OPERATION]);
    bind_text(&binding, account_key);
    if (url)
        bind_text(&binding, url);
    return statement_run(&binding);
}

int store_operations_read_all(sqlite3 *db, store_found_operation *found, void *context,
                              struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int sqlite_rc =
        sqlite3_prepare_v2(db, "SELECT account, url FROM operations", -1, &statement, NULL);

    while (sqlite_rc == SQLITE_OK || sqlite_rc == SQLITE_ROW) {
        sqlite_rc = sqlite3_step(statement);
        if (sqlite_rc == SQLITE_ROW)
            found(context, (const char *)sqlite3_column_text(statement, 0),
                  (const char *)sqlite3_column_text(statement, 1));
    }
    (void)sqlite3_finalize(statement);
    return sqlite_rc == SQLITE_DONE ? 0 : store_sqlite_err(db, err, "reading the table operations");
}
