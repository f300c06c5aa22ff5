/*
 * Records, history, holds and places as rows of their tables, and back.
 *
 * What writes runs inside the caller's transaction, and returns SQLITE_OK or SQLite's error;
 * writing the same again changes nothing. What reads returns 0; -EBADMSG: a value that makes no
 * sense (err names the row), which ends the reading; or the code of store_sqlite_err().
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_ROWS_H
#define KEYROTATED_IO_STORE_SQLITE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/err.h"
#include "core/hold.h"
#include "core/record.h"
#include "io/store/store.h"

enum {
    DELETE_ACCOUNT, /* also deletes its targets */
    INSERT_ACCOUNT,
    INSERT_TARGET,
    INSERT_HISTORY,
    PRUNE_HISTORY,
    INSERT_HOLD,
    DELETE_HOLD,
    INSERT_PLACE,
    DELETE_PLACE,
    ROWS_STATEMENTS
};

/* The statements that write, prepared once per connection. */
struct rows_statements {
    sqlite3_stmt *of[ROWS_STATEMENTS];
};

/* Returns 0 or the code of store_sqlite_err(); finalize the set also after a failure. */
int rows_prepare(struct rows_statements *statements, sqlite3 *db, struct err *err);
void rows_finalize(struct rows_statements *statements);

int store_record_write(const struct rows_statements *statements, const char *account_key,
                       const struct record *record);
/* In the order of their accounts. */
int store_record_read_all(sqlite3 *db, store_found_record *found, void *context, struct err *err);

/* The ids count up from `first_id`. Drops the oldest rows of the account when there are too many.
 */
int store_history_write(const struct rows_statements *statements, const char *account_key,
                        const struct history_row *rows, size_t row_count, sqlite3_int64 first_id);

int store_hold_write(const struct rows_statements *statements, const struct hold *hold);
/* Ending an unknown hold changes nothing. */
int store_hold_end(const struct rows_statements *statements, const uint64_t *ids, size_t count);
/* *ret_last_id: the highest id that was ever given. */
int store_hold_read_all(sqlite3 *db, store_found_hold *found, void *context, uint64_t *ret_last_id,
                        struct err *err);

int store_places_write(const struct rows_statements *statements, const struct place *places,
                       size_t count);
/* Ordered by account and text. */
int store_places_read_all(sqlite3 *db, store_found_place *found, void *context, struct err *err);

#endif
