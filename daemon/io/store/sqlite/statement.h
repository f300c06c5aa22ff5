/*
 * A prepared statement: its parameters, bound one after the other, and a column of its result.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_STATEMENT_H
#define KEYROTATED_IO_STORE_SQLITE_STATEMENT_H

#include <stdbool.h>

#include <sqlite3.h>

#include "base/err.h"
#include "core/record_table.h"

/* Prepares a statement for many uses. Returns 0 or the code of store_sqlite_err(). */
int statement_prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret_statement, struct err *err);

/* Binds the parameters of a statement in their order. An error is kept until statement_run(). */
struct binding {
    sqlite3_stmt *statement;
    int count;     /* of the parameters that are bound */
    int sqlite_rc; /* the first error; SQLITE_OK: none */
};

void bind_start(struct binding *binding, sqlite3_stmt *statement);
void bind_text(struct binding *binding, const char *text); /* NULL: NULL */
void bind_number(struct binding *binding, int64_t number);
void bind_time(struct binding *binding, time_ms at); /* TIME_NEVER: NULL */
/* All members of *row, by the table. */
void bind_members(struct binding *binding, const struct record_table *table, const void *row);

/* Runs a statement that gives no rows, and makes it ready for the next time. Returns SQLITE_OK or
 * the first error. */
int statement_run(const struct binding *binding);

/* Reads a column of the result (they count from 0) into the member of *row. Returns false when the
 * value is invalid. */
bool column_read(sqlite3_stmt *statement, int index, const struct record_member *member, void *row);

#endif
