#include "io/store/sqlite/sqlite_private.h"

#include "base/buf.h"
#include "base/must.h"

/*
 * A page of the history of all accounts goes through this many ids at most, so that saves do not
 * wait long for it. The history of some accounts is found by the index, and is short.
 */
enum { SCANNED_MAX = 20000, SQL_MAX = 4096 };

static int prepare(sqlite3 *db, const struct history_read *read, sqlite3_stmt **ret_statement)
{
    struct buf sql;
    int sqlite_rc;

    buf_init(&sql, SQL_MAX);
    (void)buf_append_str(&sql, "SELECT " HISTORY_COLUMNS
                               " FROM history"
                               " WHERE id > ?1 AND id <= ?2 AND at >= ?3 AND at < ?4");
    for (size_t i = 0; i < read->account_count; i++)
        (void)buf_append_str(&sql, i == 0 ? " AND account IN (?" : ", ?");
    (void)buf_append_str(&sql,
                         read->account_count > 0 ? ") ORDER BY id LIMIT " : " ORDER BY id LIMIT ");
    (void)buf_append_format(&sql, "%d", STORE_HISTORY_PAGE);
    if (sql.failed)
        fault_out_of_memory();
    sqlite_rc = sqlite3_prepare_v2(db, buf_str(&sql), -1, ret_statement, NULL);
    buf_done(&sql);
    return sqlite_rc;
}

void store_history_entry(sqlite3_stmt *statement, struct history_entry *entry)
{
    const char *texts[HISTORY_COLUMN_COUNT];

    for (int i = 0; i < HISTORY_COLUMN_COUNT; i++)
        texts[i] = (const char *)sqlite3_column_text(statement, i);
    if (!texts[1] || !texts[3])
        fault_out_of_memory();
    *entry = (struct history_entry){
        .id = sqlite3_column_int64(statement, 0),
        .account_key = texts[1],
        .row =
            {
                .at = sqlite3_column_int64(statement, 2),
                .event = texts[3],
                .cycle = (uint64_t)sqlite3_column_int64(statement, 4),
                .slot = texts[5],
                .target = texts[6],
                .reason = texts[7],
                .trigger = texts[8],
                .actor = texts[9],
                .fingerprint = texts[10],
                .request_id = texts[11],
                .correlation_id = texts[12],
                .text = texts[13],
                .duration = sqlite3_column_int64(statement, 14),
            },
    };
}

/* Where the next page begins, or 0. `last`: the highest id of the table. */
static int64_t next_of(const struct history_read *read, int64_t scanned_to, int64_t last)
{
    if (read->page.count == STORE_HISTORY_PAGE)
        return read->entries[read->page.count - 1].id;
    return scanned_to < last ? scanned_to : 0;
}

static int bind_query(sqlite3_stmt *statement, const struct history_read *read, int64_t scanned_to)
{
    struct binding binding;

    bind_start(&binding, statement);
    bind_number(&binding, read->after);
    bind_number(&binding, scanned_to);
    bind_number(&binding, read->since);
    bind_number(&binding, read->until);
    for (size_t i = 0; i < read->account_count; i++)
        bind_text(&binding, read->account_keys[i]);
    return binding.sqlite_rc;
}

int store_history_read(sqlite3 *db, struct history_read *read)
{
    sqlite3_stmt *statement = NULL;
    int64_t last = 0, scanned_to;
    int rc = store_read_integer(db, "SELECT coalesce(max(id), 0) FROM history", &last, &read->err);
    int sqlite_rc;

    if (rc != 0)
        return rc;
    scanned_to = read->account_count > 0 || last - read->after <= SCANNED_MAX
                     ? last
                     : read->after + SCANNED_MAX;
    sqlite_rc = prepare(db, read, &statement);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = bind_query(statement, read, scanned_to);
    while (sqlite_rc == SQLITE_OK || sqlite_rc == SQLITE_ROW) {
        struct history_entry entry;

        sqlite_rc = sqlite3_step(statement);
        if (sqlite_rc != SQLITE_ROW)
            break;
        store_history_entry(statement, &entry);
        history_read_add(read, &entry);
    }
    if (sqlite_rc != SQLITE_DONE)
        rc = store_sqlite_err(db, &read->err, "reading the table history");
    else
        read->page.next = next_of(read, scanned_to, last);
    (void)sqlite3_finalize(statement);
    return rc;
}
