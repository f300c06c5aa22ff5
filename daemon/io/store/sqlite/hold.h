/*
 * Holds as rows of the table `holds`, and back.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_HOLD_H
#define KEYROTATED_IO_STORE_SQLITE_HOLD_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/err.h"
#include "core/hold.h"

/* The statements that write, prepared once per connection. */
struct hold_statements {
    sqlite3_stmt *insert;
    sqlite3_stmt *delete;
};

/* Returns 0 or the code of store_sqlite_err(); finalize the set also after a failure. */
int hold_statements_prepare(struct hold_statements *statements, sqlite3 *db, struct err *err);
void hold_statements_finalize(struct hold_statements *statements);

/* These run inside the caller's transaction and return SQLITE_OK or SQLite's error. Writing a hold
 * again, or ending an unknown one, changes nothing. */
int store_hold_write(const struct hold_statements *statements, const struct hold *hold);
int store_hold_end(const struct hold_statements *statements, const uint64_t *ids, size_t count);

/* Reads all holds. *ret_last_id: the highest id that was ever given. Returns 0; -EBADMSG: a value
 * that makes no sense (err names the hold); or the code of store_sqlite_err(). */
int store_hold_read_all(sqlite3 *db, void (*found)(void *context, const struct hold *hold),
                        void *context, uint64_t *ret_last_id, struct err *err);

#endif
