/*
 * What the files of the journal in SQLite do for each other. Private to io/store/sqlite/.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_SQLITE_PRIVATE_H
#define KEYROTATED_IO_STORE_SQLITE_SQLITE_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/list.h"
#include "core/hold.h"
#include "core/record.h"
#include "core/record_table.h"
#include "io/store/store_ops.h"

/*
 * --- schema.c ---
 *
 * The tables of the journal, and the migration of older ones.
 */

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

/*
 * --- statement.c ---
 *
 * A prepared statement: its parameters, bound one after the other, and a column of its result.
 */

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
void bind_bytes(struct binding *binding, const void *bytes, size_t length);
/* All members of *row, by the table. */
void bind_members(struct binding *binding, const struct record_table *table, const void *row);

/* Runs a statement that gives no rows, and makes it ready for the next time. Returns SQLITE_OK or
 * the first error. */
int statement_run(const struct binding *binding);

/* Reads a column of the result (they count from 0) into the member of *row. Returns false when the
 * value is invalid. */
bool column_read(sqlite3_stmt *statement, int index, const struct record_member *member, void *row);

/*
 * --- rows.c ---
 *
 * Records, holds, places, discoveries and operations as rows of their tables, and back.
 *
 * What writes runs inside the caller's transaction, and returns SQLITE_OK or SQLite's error;
 * writing the same again changes nothing. What reads returns 0; -EBADMSG: a value that makes no
 * sense (err names the row), which ends the reading; or the code of store_sqlite_err().
 */

enum {
    DELETE_ACCOUNT, /* also deletes its targets */
    INSERT_ACCOUNT,
    INSERT_TARGET,
    SELECT_HISTORY,
    INSERT_HISTORY,
    SELECT_SURPLUS,
    SELECT_OLDEST,
    SELECT_LAST_OLD,
    PRUNE_HISTORY,
    SELECT_CHAIN,
    INSERT_CHAIN,
    INSERT_HOLD,
    DELETE_HOLD,
    INSERT_PLACE,
    DELETE_PLACE,
    INSERT_DISCOVERY,
    DELETE_DISCOVERY,
    INSERT_OPERATION,
    DELETE_OPERATION,
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

int store_discoveries_write(const struct rows_statements *statements,
                            const struct discovery *discoveries, size_t count);
/* Ordered by account. */
int store_discoveries_read_all(sqlite3 *db, store_found_discovery *found, void *context,
                               struct err *err);

/* NULL: forgets it. */
int store_operation_write(const struct rows_statements *statements, const char *account_key,
                          const char *url);
int store_operations_read_all(sqlite3 *db, store_found_operation *found, void *context,
                              struct err *err);

/*
 * --- history.c ---
 *
 * The history, read in pages while the daemon runs.
 */

/* The columns of a row, in the order in which store_history_entry() takes them. */
#define HISTORY_COLUMNS                                                                            \
    "id, account, at, event, cycle, slot, target, reason, trigger, actor, fingerprint, "           \
    "request_id,"                                                                                  \
    " correlation_id, text, duration"
enum { HISTORY_COLUMN_COUNT = 15 };

/* The row that the statement stands at. The texts live until its next step. */
void store_history_entry(sqlite3_stmt *statement, struct history_entry *entry);

/* Fills the page of the read. Returns 0 or the code of store_sqlite_err(), with read->err set. */
int store_history_read(sqlite3 *db, struct history_read *read);

/*
 * --- history_chain.c ---
 *
 * Rows that are chained when they are written, and the check of all of them.
 */

/* See rows.c. The ids count up from `first_id`. Drops the oldest rows of the account when there are
 * too many. */
int store_history_write(const struct rows_statements *statements, const char *account_key,
                        const struct history_row *rows, size_t row_count, int64_t first_id);

/* See store_prune_history() and rows.c. */
int store_history_prune_before(const struct rows_statements *statements, time_ms before,
                               time_ms now);

/* Fills the verdicts of the read; returns as store_history_read(). */
int store_history_check(sqlite3 *db, struct history_read *read);

/*
 * --- file.c ---
 *
 * Prepares the directory and the file of the journal for SQLite: sets their permissions, and
 * ensures that only one process uses them.
 */

/*
 * Creates the directory if it is missing (0700), and locks it for as long as the descriptor is
 * open. Makes a directory private that others can read, unless it holds other files than the
 * journal. Returns 0; -EAGAIN: another process holds the lock; -EPERM: the directory is not ours;
 * or -errno.
 */
int store_lock_directory(const char *directory, int *ret_lock_fd, struct err *err);

/*
 * Ensures that the file is a regular one that only its owner can read (0600); creates an empty one
 * if it is missing. Returns 0; -EBADMSG: a rollback journal is there without its database; -EEXIST:
 * what is there is no regular file; or -errno.
 */
int store_prepare_file(const char *path, int directory_fd, struct err *err);

/*
 * --- journal.c ---
 *
 * The journal on disk: opening, checking, writing a batch. Independent of threads.
 *
 * After a disk error the connection is closed and opened again before the next attempt, so that a
 * repair (space, a remount, a file put back) takes effect.
 */

struct journal {
    char *path; /* of the database */
    int lock_fd;
    sqlite3 *db; /* NULL: closed after trouble */
    struct rows_statements statements;
    uint8_t salt[STORE_SALT_LENGTH];
    char session[UUID_TEXT_MAX]; /* written when the daemon starts: tells this file from a copy */
    bool doubted;                /* the error was damage: check the file before the next write */
    sqlite3_int64 next_history_id;
    uint64_t transactions;    /* committed so far */
    struct histogram commits; /* how long they took */
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

/*
 * --- worker.c ---
 *
 * The thread that writes the journal.
 *
 * It takes all saves that wait and writes them in one transaction; what arrives meanwhile goes into
 * the next one. A save that cannot be written stays at the front of the queue and is tried again,
 * with growing pauses, until it is written. Between two batches, and during a pause, it reads the
 * history that is asked for.
 */

/* The state of the journal, for the loop. */
struct store_health {
    struct err trouble;    /* code 0: all is well */
    uint64_t transactions; /* since the start */
    struct histogram commits;
};

struct store_worker {
    struct journal journal;
    uv_thread_t thread;
    uv_async_t
        *progress; /* signalled when something was written, failed, or the thread has ended */

    uv_mutex_t journal_lock; /* holds the journal while it is written or read */
    uv_mutex_t lock;         /* guards what follows */
    uv_cond_t wake;
    struct list queue;   /* struct save, to be written */
    struct list written; /* struct save, durable: the loop takes them from here */
    struct list asked;   /* struct history_read, to be read */
    struct list read;    /* struct history_read: the loop takes them from here */
    struct store_health health;
    bool arrived;  /* a save was added since the last batch was taken */
    bool stopping; /* make one last attempt to write the queue, and end */
    bool ended;
};

/* Starts the thread on a journal that is open. Returns 0 or a negative errno value. */
int store_worker_start(struct store_worker *worker, uv_async_t *progress);

void store_worker_add(struct store_worker *worker, struct save *save);
void store_worker_ask(struct store_worker *worker, struct history_read *read);

/* Moves durable saves to `written` and what has been read to `read`; returns the state, and whether
 * the thread has ended. */
void store_worker_collect(struct store_worker *worker, struct list *written, struct list *read,
                          struct store_health *health, bool *ret_ended);

void store_worker_stop(struct store_worker *worker);

/* Joins the thread, moves unwritten saves to `unwritten` and the last reads, which may have failed,
 * to `reads`, and closes the journal. */
void store_worker_done(struct store_worker *worker, struct list *unwritten, struct list *reads);

#endif
