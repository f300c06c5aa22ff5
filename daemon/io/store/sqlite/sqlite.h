/*
 * The journal as one SQLite database, journal.db in a directory: one connection, on its own thread.
 * A lock on the directory is the claim; it is held until the process ends.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_SQLITE_H
#define KEYROTATED_IO_STORE_SQLITE_SQLITE_H

#include "io/store/store_ops.h"

extern const struct store_ops sqlite_store_ops;

#endif
