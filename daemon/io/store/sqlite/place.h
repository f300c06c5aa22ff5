/*
 * Places as rows of the table `places`, and back.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_PLACE_H
#define KEYROTATED_IO_STORE_SQLITE_PLACE_H

#include <sqlite3.h>

#include "base/err.h"
#include "io/store/store.h"

/* Runs inside the caller's transaction; returns SQLITE_OK or SQLite's error. Writing the same again
 * changes nothing. */
int store_places_write(sqlite3 *db, const struct place *places, size_t count);

/* Reads all places, ordered by account and text. Returns 0 or the code of store_sqlite_err(). */
int store_places_read_all(sqlite3 *db, void (*found)(void *context, const struct place *place),
                          void *context, struct err *err);

#endif
