/*
 * One member of a structure as one column of a table: how it is bound to a statement, and read back
 * with a check that the value makes sense.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_COLUMN_H
#define KEYROTATED_IO_STORE_SQLITE_COLUMN_H

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

enum column_kind {
    COLUMN_BOOL,
    COLUMN_U32,
    COLUMN_U64,
    COLUMN_TIME, /* instants and durations: NULL is TIME_NEVER; from here on: text */
    COLUMN_TEXT,
    COLUMN_FINGERPRINT, /* hex; "" is none */
    COLUMN_TARGET_ID,
    COLUMN_REPLACED, /* REPLACED_MAX fingerprints, separated by blanks */
    COLUMN_SLOT,     /* from here on: names of an enum */
    COLUMN_POSITION,
    COLUMN_TRIGGER,
    COLUMN_DRIFT,
    COLUMN_REASON
};

struct column {
    const char *name;
    enum column_kind kind;
    size_t offset; /* of the member in its structure */
    size_t size;   /* of the member */
};

/* Bind the member of *row, or a text that may be NULL, to a parameter (they count from 1). Return
 * SQLITE_OK or SQLite's error. */
int column_bind(sqlite3_stmt *statement, int index, const struct column *column, const void *row);
int column_bind_text(sqlite3_stmt *statement, int index, const char *text);

/* Reads a column of the result (they count from 0) into the member of *row. False: the value makes
 * no sense there. */
bool column_read(sqlite3_stmt *statement, int index, const struct column *column, void *row);

#endif
