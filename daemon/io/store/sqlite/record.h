/*
 * Records and history rows as rows of tables, and back.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_RECORD_H
#define KEYROTATED_IO_STORE_SQLITE_RECORD_H

#include <stddef.h>

#include <sqlite3.h>

#include "base/err.h"
#include "core/record.h"
#include "io/store/store.h"

/* The statements that write, prepared once per connection. */
struct record_statements {
    sqlite3_stmt *delete_account; /* also deletes its targets */
    sqlite3_stmt *insert_account;
    sqlite3_stmt *insert_target;
    sqlite3_stmt *insert_history;
    sqlite3_stmt *prune_history;
};

/* Returns 0 or the code of store_sqlite_err(); finalize the set also after a failure. */
int record_statements_prepare(struct record_statements *statements, sqlite3 *db, struct err *err);
void record_statements_finalize(struct record_statements *statements);

/* These run inside the caller's transaction and return SQLITE_OK or SQLite's error. */
int store_record_write(const struct record_statements *statements, const char *account_key,
                       const struct record *record);
/* The ids count up from `first_id`: writing the same rows again changes nothing. Drops the oldest
 * rows of the account when there are too many. */
int store_history_write(const struct record_statements *statements, const char *account_key,
                        const struct history_row *rows, size_t row_count, sqlite3_int64 first_id);

/* Reads all records, in the order of their accounts. Returns 0; -EBADMSG: an invalid value (err
 * names row and column), which ends the reading; or the code of store_sqlite_err(). */
int store_record_read_all(sqlite3 *db,
                          void (*found)(void *context, const char *account_key,
                                        const struct record *record),
                          void *context, struct err *err);

#endif
