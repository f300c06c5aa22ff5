/*
 * One member of a record as one column of a table: binds it to a statement, and reads it back with
 * a check of the value.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_COLUMN_H
#define KEYROTATED_IO_STORE_SQLITE_COLUMN_H

#include <stdbool.h>

#include <sqlite3.h>

#include "core/record_table.h"

/* Bind the member of *row, or a text that may be NULL, to a parameter (they count from 1). Return
 * SQLITE_OK or SQLite's error. */
int column_bind(sqlite3_stmt *statement, int index, const struct record_member *member,
                const void *row);
int column_bind_text(sqlite3_stmt *statement, int index, const char *text);

/* Reads a column of the result (they count from 0) into the member of *row. Returns false when the
 * value is invalid. */
bool column_read(sqlite3_stmt *statement, int index, const struct record_member *member, void *row);

#endif
