/* The ends of the chains, and rows that are chained when they are written. */
#include "io/store/sqlite/sqlite_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

static bool read_hash(sqlite3_stmt *statement, int column, uint8_t out[SHA256_LENGTH])
{
    const void *hash = sqlite3_column_blob(statement, column);

    if (!hash || sqlite3_column_bytes(statement, column) != SHA256_LENGTH)
        return false;
    memcpy(out, hash, SHA256_LENGTH);
    return true;
}

/* Runs a statement that gives one row at most, which take() reads; without one it is not called. */
static int take_one(const struct binding *binding,
                    void (*take)(sqlite3_stmt *statement, void *context), void *context)
{
    int sqlite_rc = binding->sqlite_rc;

    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = sqlite3_step(binding->statement);
    if (sqlite_rc == SQLITE_ROW)
        take(binding->statement, context);
    (void)sqlite3_reset(binding->statement);
    (void)sqlite3_clear_bindings(binding->statement);
    return sqlite_rc == SQLITE_ROW || sqlite_rc == SQLITE_DONE ? SQLITE_OK : sqlite_rc;
}

static void take_chain(sqlite3_stmt *statement, void *context)
{
    struct history_chain *chain = context;

    (void)read_hash(statement, 0, chain->anchor);
    (void)read_hash(statement, 1, chain->head);
    chain->older = (uint64_t)sqlite3_column_int64(statement, 2);
}

/* All zero where the account has none yet. */
static int read_chain(const struct rows_statements *statements, const char *account_key,
                      struct history_chain *chain)
{
    struct binding binding;

    *chain = (struct history_chain){0};
    bind_start(&binding, statements->of[SELECT_CHAIN]);
    bind_text(&binding, account_key);
    return take_one(&binding, take_chain, chain);
}

static int write_chain(const struct rows_statements *statements, const char *account_key,
                       const struct history_chain *chain)
{
    struct binding binding;

    bind_start(&binding, statements->of[INSERT_CHAIN]);
    bind_text(&binding, account_key);
    bind_bytes(&binding, chain->anchor, SHA256_LENGTH);
    bind_bytes(&binding, chain->head, SHA256_LENGTH);
    bind_number(&binding, (int64_t)chain->older);
    return statement_run(&binding);
}

static void take_presence(sqlite3_stmt *statement, void *context)
{
    (void)statement;
    *(bool *)context = true;
}

/* An attempt that failed may have become durable nevertheless: all of it, or nothing. */
static int is_written(const struct rows_statements *statements, int64_t id, bool *ret_written)
{
    struct binding binding;

    *ret_written = false;
    bind_start(&binding, statements->of[SELECT_HISTORY]);
    bind_number(&binding, id);
    return take_one(&binding, take_presence, ret_written);
}

static int write_row(sqlite3_stmt *statement, const struct history_entry *entry,
                     const uint8_t hash[SHA256_LENGTH])
{
    struct history_row row = entry->row;
    struct binding binding;

    bind_start(&binding, statement);
    bind_number(&binding, entry->id);
    bind_text(&binding, entry->account_key);
    bind_number(&binding, row.at);
    bind_number(&binding, (int64_t)row.cycle);
    bind_bytes(&binding, hash, SHA256_LENGTH);
    for (size_t i = 0; i < HISTORY_ROW_TEXTS; i++)
        bind_text(&binding, *history_row_text(&row, i));
    bind_time(&binding, row.duration != 0 ? row.duration : TIME_NEVER);
    return statement_run(&binding);
}

/* The newest row that has to go, and with it all older ones of its account. */
struct surplus {
    int64_t id; /* 0: there is none */
    bool chained;
    uint8_t hash[SHA256_LENGTH];
    char *account_key; /* NULL: not read */
};

static void take_surplus(sqlite3_stmt *statement, void *context)
{
    struct surplus *surplus = context;

    surplus->id = sqlite3_column_int64(statement, 0);
    surplus->chained = read_hash(statement, 1, surplus->hash);
    if (sqlite3_column_count(statement) > 2)
        surplus->account_key = must_dup((const char *)sqlite3_column_text(statement, 2));
}

/* What is removed leaves its last hash behind, from which the chain goes on. */
static int remove_surplus(const struct rows_statements *statements, const char *account_key,
                          const struct surplus *surplus, struct history_chain *chain)
{
    sqlite3_stmt *statement = statements->of[PRUNE_HISTORY];
    struct binding binding;
    uint64_t removed;
    int sqlite_rc;

    bind_start(&binding, statement);
    bind_text(&binding, account_key);
    bind_number(&binding, surplus->id);
    sqlite_rc = statement_run(&binding);
    if (sqlite_rc != SQLITE_OK)
        return sqlite_rc;
    removed = (uint64_t)sqlite3_changes(sqlite3_db_handle(statement));
    chain->older -= removed < chain->older ? removed : chain->older;
    if (surplus->chained)
        memcpy(chain->anchor, surplus->hash, SHA256_LENGTH);
    return SQLITE_OK;
}

/* Of more than STORE_HISTORY_KEEP rows the oldest ones go. */
static int prune(const struct rows_statements *statements, const char *account_key,
                 struct history_chain *chain)
{
    struct surplus surplus = {.id = 0};
    struct binding binding;
    int sqlite_rc;

    bind_start(&binding, statements->of[SELECT_SURPLUS]);
    bind_text(&binding, account_key);
    bind_number(&binding, STORE_HISTORY_KEEP);
    sqlite_rc = take_one(&binding, take_surplus, &surplus);
    if (sqlite_rc != SQLITE_OK || surplus.id == 0)
        return sqlite_rc;
    return remove_surplus(statements, account_key, &surplus, chain);
}

int store_history_write(const struct rows_statements *statements, const char *account_key,
                        const struct history_row *rows, size_t row_count, int64_t first_id)
{
    struct history_chain chain;
    bool written = false;
    int sqlite_rc;

    if (row_count == 0)
        return SQLITE_OK;
    sqlite_rc = is_written(statements, first_id, &written);
    if (sqlite_rc != SQLITE_OK || written)
        return sqlite_rc;
    sqlite_rc = read_chain(statements, account_key, &chain);
    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < row_count; i++) {
        const struct history_entry entry = {
            .id = first_id + (int64_t)i, .account_key = account_key, .row = rows[i]};

        history_chain_next(chain.head, &entry, chain.head);
        sqlite_rc = write_row(statements->of[INSERT_HISTORY], &entry, chain.head);
    }
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = prune(statements, account_key, &chain);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = write_chain(statements, account_key, &chain);
    return sqlite_rc;
}

/* --- rows that are too old --- */

static void take_id(sqlite3_stmt *statement, void *context)
{
    *(int64_t *)context = sqlite3_column_int64(statement, 0);
}

/* Removes what the account of the oldest row has up to that one. *ret_none: nobody has any. */
static int prune_next(const struct rows_statements *statements, int64_t last, bool *ret_none)
{
    struct surplus surplus = {.id = 0};
    struct history_chain chain;
    struct binding binding;
    int sqlite_rc;

    bind_start(&binding, statements->of[SELECT_LAST_OLD]);
    bind_number(&binding, last);
    sqlite_rc = take_one(&binding, take_surplus, &surplus);
    *ret_none = surplus.id == 0;
    if (sqlite_rc == SQLITE_OK && surplus.id != 0)
        sqlite_rc = read_chain(statements, surplus.account_key, &chain);
    if (sqlite_rc == SQLITE_OK && surplus.id != 0)
        sqlite_rc = remove_surplus(statements, surplus.account_key, &surplus, &chain);
    if (sqlite_rc == SQLITE_OK && surplus.id != 0)
        sqlite_rc = write_chain(statements, surplus.account_key, &chain);
    free(surplus.account_key);
    return sqlite_rc;
}

int store_history_prune_before(const struct rows_statements *statements, time_ms before,
                               time_ms now)
{
    struct binding binding;
    int64_t last = 0;
    bool none = false;
    int sqlite_rc;

    bind_start(&binding, statements->of[SELECT_OLDEST]);
    bind_number(&binding, STORE_PRUNE_PAGE);
    bind_number(&binding, before);
    bind_number(&binding, now);
    sqlite_rc = take_one(&binding, take_id, &last);
    while (sqlite_rc == SQLITE_OK && last != 0 && !none)
        sqlite_rc = prune_next(statements, last, &none);
    return sqlite_rc;
}

/* --- the check --- */

/* Rows after which a page of checked accounts ends. */
enum { CHECKED_MAX = 20000 };

/* The next account, of which there are rows, or the ends of a chain, or both. */
static const char select_next[] =
    "SELECT min(account) FROM (SELECT min(account) AS account FROM history_chains WHERE account > "
    "?1"
    " UNION ALL SELECT min(account) FROM history WHERE account > ?1)";
static const char select_chain[] =
    "SELECT anchor, head, older FROM history_chains WHERE account = ?1";
static const char select_rows[] = "SELECT " HISTORY_COLUMNS
                                  ", hash FROM history WHERE account = ?1"
                                  " ORDER BY id";

static int check_rows(sqlite3 *db, const char *account_key, struct history_check *check)
{
    sqlite3_stmt *statement = NULL;
    struct binding binding;
    int sqlite_rc = sqlite3_prepare_v2(db, select_rows, -1, &statement, NULL);

    if (sqlite_rc == SQLITE_OK) {
        bind_start(&binding, statement);
        bind_text(&binding, account_key);
        sqlite_rc = binding.sqlite_rc;
    }
    while (sqlite_rc == SQLITE_OK || sqlite_rc == SQLITE_ROW) {
        struct history_entry entry;
        uint8_t hash[SHA256_LENGTH];
        bool chained;

        sqlite_rc = sqlite3_step(statement);
        if (sqlite_rc != SQLITE_ROW)
            break;
        store_history_entry(statement, &entry);
        chained = read_hash(statement, HISTORY_COLUMN_COUNT, hash);
        history_check_row(check, &entry, chained ? hash : NULL);
    }
    (void)sqlite3_finalize(statement);
    return sqlite_rc;
}

struct known_chain {
    struct history_chain chain;
    bool known;
};

static void take_known(sqlite3_stmt *statement, void *context)
{
    struct known_chain *known = context;

    known->known = true;
    take_chain(statement, &known->chain);
}

/* Returns SQLITE_DONE, or SQLite's error. */
static int check_account(sqlite3 *db, const char *account_key, struct history_read *read,
                         uint64_t *rows)
{
    struct known_chain known = {.known = false};
    sqlite3_stmt *statement = NULL;
    struct history_check check;
    struct binding binding;
    int sqlite_rc = sqlite3_prepare_v2(db, select_chain, -1, &statement, NULL);

    if (sqlite_rc == SQLITE_OK) {
        bind_start(&binding, statement);
        bind_text(&binding, account_key);
        sqlite_rc = take_one(&binding, take_known, &known);
    }
    (void)sqlite3_finalize(statement);
    if (sqlite_rc != SQLITE_OK)
        return sqlite_rc;
    history_check_begin(&check, known.known ? &known.chain : NULL);
    sqlite_rc = check_rows(db, account_key, &check);
    if (sqlite_rc != SQLITE_DONE)
        return sqlite_rc;
    *rows += check.rows + check.older;
    if (known.known || check.rows + check.older > 0) {
        history_check_end(&check);
        history_read_add_verdict(read, account_key, &check);
    }
    return sqlite_rc;
}

static bool page_is_full(const struct history_read *read, uint64_t rows)
{
    return read->verdict_count == STORE_CHECK_PAGE || rows >= CHECKED_MAX;
}

static int check_named(sqlite3 *db, struct history_read *read)
{
    int sqlite_rc = SQLITE_DONE;
    uint64_t rows = 0;
    size_t i = 0;

    while (read->after_key && i < read->account_count &&
           strcmp(read->account_keys[i], read->after_key) != 0)
        i++;
    i += read->after_key ? 1 : 0;
    for (; sqlite_rc == SQLITE_DONE && i < read->account_count && !page_is_full(read, rows); i++)
        sqlite_rc = check_account(db, read->account_keys[i], read, &rows);
    if (i < read->account_count)
        read->next_key = must_dup(read->account_keys[i - 1]);
    return sqlite_rc;
}

/* Returns false where there is none behind `after`, or after an error. */
static bool find_next(sqlite3_stmt *statement, const char *after, char **ret_key, int *sqlite_rc)
{
    struct binding binding;
    const char *key = NULL;

    bind_start(&binding, statement);
    bind_text(&binding, after);
    *sqlite_rc = binding.sqlite_rc;
    if (*sqlite_rc == SQLITE_OK)
        *sqlite_rc = sqlite3_step(statement);
    if (*sqlite_rc == SQLITE_ROW)
        key = (const char *)sqlite3_column_text(statement, 0);
    *ret_key = key ? must_dup(key) : NULL;
    (void)sqlite3_reset(statement);
    *sqlite_rc = *sqlite_rc == SQLITE_ROW ? SQLITE_DONE : *sqlite_rc;
    return *ret_key;
}

static int check_all(sqlite3 *db, struct history_read *read)
{
    sqlite3_stmt *statement = NULL;
    char *key = NULL, *last = must_dup(read->after_key ? read->after_key : "");
    uint64_t rows = 0;
    int sqlite_rc = sqlite3_prepare_v2(db, select_next, -1, &statement, NULL);

    sqlite_rc = sqlite_rc == SQLITE_OK ? SQLITE_DONE : sqlite_rc;
    while (sqlite_rc == SQLITE_DONE && find_next(statement, last, &key, &sqlite_rc)) {
        if (page_is_full(read, rows)) {
            read->next_key = last;
            free(key);
            last = NULL;
            break;
        }
        sqlite_rc = check_account(db, key, read, &rows);
        free(last);
        last = key;
    }
    free(last);
    (void)sqlite3_finalize(statement);
    return sqlite_rc;
}

int store_history_check(sqlite3 *db, struct history_read *read)
{
    const int sqlite_rc = read->account_count > 0 ? check_named(db, read) : check_all(db, read);

    return sqlite_rc == SQLITE_DONE ? 0 : store_sqlite_err(db, &read->err, "checking the history");
}
