/*
 * The journal on disk: opening, checking, writing a batch. Independent of threads.
 *
 * After a disk error the connection is closed and opened again before the next attempt, so that a
 * repair (space, a remount, a file put back) takes effect.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_JOURNAL_H
#define KEYROTATED_IO_STORE_SQLITE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/list.h"
#include "core/record.h"
#include "io/store/save.h"
#include "io/store/sqlite/rows.h"
#include "io/store/sqlite/schema.h"

struct journal {
    char *path; /* of the database */
    int lock_fd;
    sqlite3 *db; /* NULL: closed after trouble */
    struct rows_statements statements;
    uint8_t salt[STORE_SALT_LENGTH];
    char session[UUID_TEXT_MAX]; /* written when the daemon starts: tells this file from a copy */
    bool doubted;                /* the error was damage: check the file before the next write */
    sqlite3_int64 next_history_id;
    uint64_t transactions; /* committed so far */
};

/* See store_open(). journal_close() whatever the result. */
enum store_open_result journal_open(struct journal *journal, const char *directory,
                                    struct err *err);
void journal_close(struct journal *journal);

/*
 * Writes the saves of the list in one transaction, in order, and marks those `written` that are
 * durable now. A save whose content is refused does not delay the others; *refused then says why,
 * and later saves of the same account wait behind it. Returns 0, or the error that keeps the whole
 * batch from disk; then none is `written`.
 */
int journal_write(struct journal *journal, struct list *batch, struct err *err,
                  struct err *refused);

/* The remedy for an error code of this module. */
const char *journal_remedy(int code);

#endif
