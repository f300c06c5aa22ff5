/*
 * The tables of the journal, and the migration of older ones.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_SCHEMA_H
#define KEYROTATED_IO_STORE_SQLITE_SCHEMA_H

#include <stdbool.h>

#include <sqlite3.h>

#include "base/err.h"
#include "io/store/store.h"

/* "KRot": marks the file as ours (SQLite's application_id; `file` shows it). */
#define STORE_APPLICATION_ID 0x4B526F74

enum { STORE_SALT_TEXT_MAX = 2 * STORE_SALT_LENGTH + 1 };

/*
 * Checks that this program can use the journal. *ret_empty: the database is still empty. Returns 0;
 * -EMEDIUMTYPE: some other program's database; -EPROTONOSUPPORT: of a newer version; or the code of
 * store_sqlite_err().
 */
int store_schema_check(sqlite3 *db, bool *ret_empty, struct err *err);

/* Makes the tables, or brings older ones up to date, inside the caller's transaction. */
int store_schema_migrate(sqlite3 *db, struct err *err);

/* A value of the table `meta`: fills `out` with at most `size` bytes. Returns 0, -ENODATA where
 * there is none (or it is too long), or the code of store_sqlite_err(). */
int store_meta_read(sqlite3 *db, const char *name, char *out, int size, struct err *err);
int store_meta_write(sqlite3 *db, const char *name, const char *value, struct err *err);

/* Turns SQLite's last error on this connection (NULL: out of memory) into a sentence and one of
 * -EBADMSG (damaged, not a database), -ENOSPC, -EROFS, -EBUSY, -EIO. */
int store_sqlite_err(sqlite3 *db, struct err *err, const char *doing);

/* One statement without parameters and results. Returns 0 or the code of store_sqlite_err(). */
int store_execute(sqlite3 *db, const char *sql, const char *doing, struct err *err);
/* One statement with one integer as result. */
int store_read_integer(sqlite3 *db, const char *sql, int64_t *ret_value, struct err *err);

#endif
