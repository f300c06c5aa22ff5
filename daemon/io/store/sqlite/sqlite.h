/*
 * The journal as one SQLite database, journal.db in a directory: one connection, one thread of its
 * own. A lock in the directory is the claim, held for as long as the process lives.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_SQLITE_H
#define KEYROTATED_IO_STORE_SQLITE_SQLITE_H

#include "io/store/store_ops.h"

extern const struct store_ops sqlite_store_ops;

#endif
