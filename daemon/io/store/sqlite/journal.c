#include "io/store/sqlite/sqlite_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/must.h"
#include "base/str.h"

enum { NS_PER_US = 1000 };

const char *journal_remedy(int code)
{
    switch (-code) {
    case ENOSPC:
        return "free space on the file system that holds the journal";
    case EROFS:
    case EPERM:
    case EACCES:
        return "make the journal and its directory writable for the daemon's user";
    case EBADMSG:
        return "stop keyrotated, put back a good copy of journal.db, or move it away: the accounts "
               "are then adopted anew";
    case EMEDIUMTYPE:
        return "move that file away, or set another state_dir";
    case EPROTONOSUPPORT:
        return "run the newer keyrotated, or move journal.db away: the accounts are then adopted "
               "anew";
    case EBUSY:
        return "end the program that has journal.db open";
    case ESTALE:
        return "put journal.db back where it was, or restart keyrotated";
    case ENOTRECOVERABLE:
        return "this is a fault in keyrotated: please report it with this line";
    default:
        return "check the file system that holds the journal, and the kernel's log";
    }
}

/* --- opening --- */

static void disconnect(struct journal *journal)
{
    rows_finalize(&journal->statements);
    (void)sqlite3_close(journal->db);
    journal->db = NULL;
}

/* Runs a PRAGMA that returns its new value, and checks that value. */
static int expect_answer(sqlite3 *db, const char *sql, const char *expected, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        rc = store_sqlite_err(db, err, sql);
    } else {
        const char *answer = (const char *)sqlite3_column_text(statement, 0);

        if (!str_equal(answer, expected))
            rc = err_set(err, -EBADMSG, "%s: %.200s", sql, answer ? answer : "no answer");
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

/*
 * No write-ahead log: with one writer it brings no gain, it needs shared memory, and common
 * versions can damage the database in a checkpoint at the wrong moment. EXTRA also flushes the
 * directory, so that a rollback journal does not reappear after a power cut.
 */
static int configure(sqlite3 *db, struct err *err)
{
    int rc;

    (void)sqlite3_busy_timeout(db, 0);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    rc = expect_answer(db, "PRAGMA locking_mode = EXCLUSIVE", "exclusive", err);
    if (rc == 0)
        rc = store_execute(db,
                           "PRAGMA synchronous = EXTRA; PRAGMA foreign_keys = ON;"
                           "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                           "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0",
                           "setting up the connection", err);
    if (rc == 0)
        rc = expect_answer(db, "PRAGMA journal_mode = TRUNCATE", "truncate", err);
    return rc;
}

static int connect_database(struct journal *journal, struct err *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc;

    if (sqlite3_open_v2(journal->path, &journal->db, flags, NULL) != SQLITE_OK)
        return store_sqlite_err(journal->db, err, "opening");
    rc = configure(journal->db, err);
    if (rc == 0 && sqlite3_db_readonly(journal->db, "main") == 1)
        rc = err_set(err, -EROFS, "it cannot be written to");
    return rc;
}

static int check_integrity(sqlite3 *db, struct err *err)
{
    int64_t violations = 0;
    int rc = expect_answer(db, "PRAGMA quick_check(1)", "ok", err);

    if (rc == 0)
        rc = store_read_integer(db, "SELECT count(*) FROM pragma_foreign_key_check", &violations,
                                err);
    if (rc == 0 && violations > 0)
        rc = err_set(err, -EBADMSG, "%d rows of the table targets belong to no account",
                     (int)violations);
    return rc;
}

static int read_salt(struct journal *journal, struct err *err)
{
    char text[STORE_SALT_TEXT_MAX];
    int rc = store_meta_read(journal->db, "salt", text, sizeof(text), err);

    if (rc == -ENODATA || (rc == 0 && !hex_decode(text, journal->salt, STORE_SALT_LENGTH)))
        return err_set(err, -EBADMSG, "the salt of the fingerprints is missing or damaged");
    return rc;
}

static int create_salt(struct journal *journal, struct err *err)
{
    char text[STORE_SALT_TEXT_MAX];

    if (crypto_random(journal->salt, STORE_SALT_LENGTH) != 0)
        return err_set(err, -EIO, "no random numbers for the salt");
    hex_encode(journal->salt, STORE_SALT_LENGTH, text);
    return store_meta_write(journal->db, "salt", text, err);
}

/* The first transaction: tables, salt, and the mark of this run. It also proves that the journal is
 * writable. */
static int begin_session(struct journal *journal, bool empty, struct err *err)
{
    int rc = crypto_uuid(journal->session) == 0
                 ? store_execute(journal->db, "BEGIN EXCLUSIVE", "writing", err)
                 : err_set(err, -EIO, "no random numbers");

    if (rc == 0)
        rc = store_schema_migrate(journal->db, err);
    if (rc == 0)
        rc = empty ? create_salt(journal, err) : read_salt(journal, err);
    if (rc == 0)
        rc = store_meta_write(journal->db, "session", journal->session, err);
    if (rc == 0)
        rc = store_execute(journal->db, "COMMIT", "writing", err);
    return rc;
}

static int find_next_history_id(struct journal *journal, struct err *err)
{
    int64_t next = 0;
    int rc =
        store_read_integer(journal->db, "SELECT coalesce(max(id), 0) + 1 FROM history", &next, err);

    if (rc == 0 && next > journal->next_history_id)
        journal->next_history_id = next;
    return rc;
}

static int open_database(struct journal *journal, bool *ret_created, struct err *err)
{
    int rc = store_prepare_file(journal->path, journal->lock_fd, err);

    if (rc == 0)
        rc = connect_database(journal, err);
    if (rc == 0)
        rc = store_schema_check(journal->db, ret_created, err);
    if (rc == 0)
        rc = check_integrity(journal->db, err);
    if (rc == 0)
        rc = begin_session(journal, *ret_created, err);
    if (rc == 0)
        rc = find_next_history_id(journal, err);
    if (rc == 0)
        rc = rows_prepare(&journal->statements, journal->db, err);
    if (rc == 0)
        journal->transactions = 1;
    return rc;
}

enum store_open_result journal_open(struct journal *journal, const char *directory, struct err *err)
{
    bool created = false;
    int rc;

    *journal = (struct journal){.lock_fd = -1};
    rc = store_lock_directory(directory, &journal->lock_fd, err);
    if (rc == -EAGAIN)
        return STORE_BUSY;
    if (rc != 0)
        return STORE_UNUSABLE;
    journal->path = must(str_format("%s/journal.db", directory));
    rc = open_database(journal, &created, err);
    if (rc == 0)
        return created ? STORE_CREATED : STORE_OPENED;

    if (err) {
        struct err cause = *err;

        (void)err_set(err, rc, "%.200s: %.180s: %s", journal->path, cause.text, journal_remedy(rc));
    }
    return rc == -EBUSY ? STORE_BUSY : STORE_UNUSABLE;
}

/* Closes the journal; the change of mode deletes the rollback journal, so that only journal.db
 * remains. */
void journal_close(struct journal *journal)
{
    if (journal->db)
        (void)sqlite3_exec(journal->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    disconnect(journal);
    free(journal->path);
    journal->path = NULL;
    if (journal->lock_fd >= 0)
        (void)close(journal->lock_fd);
    journal->lock_fd = -1;
}

/* --- writing --- */

/* Checks that this is the file with which the run began. A copy in its place would lack everything
 * saved since. */
static int check_session(struct journal *journal, struct err *err)
{
    char session[UUID_TEXT_MAX];
    int rc = store_meta_read(journal->db, "session", session, sizeof(session), err);

    if (rc == -ENODATA || (rc == 0 && !str_equal(session, journal->session)))
        return err_set(err, -ESTALE, "%s was replaced while it was in use", journal->path);
    return rc;
}

static int reconnect(struct journal *journal, struct err *err)
{
    bool empty = false;
    int rc;

    if (access(journal->path, F_OK) < 0 && errno == ENOENT)
        return err_set(err, -ESTALE, "%s was removed while it was in use", journal->path);
    rc = connect_database(journal, err);
    if (rc == 0)
        rc = store_schema_check(journal->db, &empty, err);
    if (rc == 0 && empty)
        rc = err_set(err, -ESTALE, "%s was emptied while it was in use", journal->path);
    if (rc == 0)
        rc = check_session(journal, err);
    if (rc == 0 && journal->doubted)
        rc = check_integrity(journal->db, err);
    if (rc == 0)
        rc = find_next_history_id(journal, err);
    if (rc == 0)
        rc = rows_prepare(&journal->statements, journal->db, err);
    return rc;
}

/* Does SQLite refuse the content of the save (rather than fail on the disk)? */
static bool blames_content(int result)
{
    switch (result & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
        return true;
    default:
        return false;
    }
}

static int write_content(struct journal *journal, struct save *save)
{
    int sqlite_rc;

    if (save->kind == SAVE_HOLD)
        return store_hold_write(&journal->statements, &save->hold);
    if (save->kind == SAVE_HOLDS_ENDED)
        return store_hold_end(&journal->statements, save->hold_ids, save->hold_id_count);
    if (save->kind == SAVE_PLACES)
        return store_places_write(&journal->statements, save->places, save->place_count);
    if (save->kind == SAVE_DISCOVERIES)
        return store_discoveries_write(&journal->statements, save->discoveries,
                                       save->discovery_count);
    if (save->kind == SAVE_OPERATION)
        return store_operation_write(&journal->statements, save->account_key, save->operation_url);
    if (save->kind == SAVE_PRUNING)
        return store_history_prune_before(&journal->statements, save->prune_before,
                                          save->pruned_at);
    if (save->first_history_id == 0) {
        save->first_history_id = journal->next_history_id;
        journal->next_history_id += (sqlite3_int64)save->row_count;
    }
    sqlite_rc = save->kind == SAVE_HISTORY
                    ? SQLITE_OK
                    : store_record_write(&journal->statements, save->account_key, &save->record);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = store_history_write(&journal->statements, save->account_key, save->rows,
                                        save->row_count, save->first_history_id);
    return sqlite_rc;
}

/* Each save has its own savepoint, so that a refused save does not undo others. */
static int write_save(struct journal *journal, struct save *save, struct err *err,
                      struct err *refused)
{
    int sqlite_rc;
    int rc = store_execute(journal->db, "SAVEPOINT save", "writing", err);

    if (rc != 0)
        return rc;
    sqlite_rc = write_content(journal, save);
    if (sqlite_rc == SQLITE_OK) {
        save->written = true;
        return store_execute(journal->db, "RELEASE save", "writing", err);
    }
    if (!blames_content(sqlite_rc))
        return store_sqlite_err(journal->db, err, "writing");
    (void)err_set(refused, -ENOTRECOVERABLE, "the record of %.200s: %.250s",
                  save->account_key[0]             ? save->account_key
                  : save->kind == SAVE_PLACES      ? "the places"
                  : save->kind == SAVE_DISCOVERIES ? "what rules have found"
                                                   : "a hold",
                  sqlite3_errmsg(journal->db));
    return store_execute(journal->db, "ROLLBACK TO save; RELEASE save", "writing", err);
}

/* An older save of the account that was refused must not be tried after a newer one. */
static bool waits_for_refused(struct list *batch, const struct save *save)
{
    list_for_each_entry (earlier, batch, const struct save, link) {
        if (earlier == save)
            return false;
        if (!earlier->written && str_equal(earlier->account_key, save->account_key))
            return true;
    }
    return false;
}

static int check_in_place(struct journal *journal, struct err *err)
{
    int moved = 0;

    (void)sqlite3_file_control(journal->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved)
        return err_set(err, -ESTALE, "%s was moved or removed while it was in use", journal->path);
    return 0;
}

static int write_transaction(struct journal *journal, struct list *batch, struct err *err,
                             struct err *refused)
{
    int rc = store_execute(journal->db, "BEGIN IMMEDIATE", "writing", err);

    list_for_each_entry (save, batch, struct save, link) {
        if (rc == 0 && !(refused->code != 0 && waits_for_refused(batch, save)))
            rc = write_save(journal, save, err, refused);
    }
    if (rc == 0)
        rc = store_execute(journal->db, "COMMIT", "writing", err);
    if (rc == 0)
        rc = check_in_place(journal, err);
    return rc;
}

int journal_write(struct journal *journal, struct list *batch, struct err *err, struct err *refused)
{
    const uint64_t began_ns = uv_hrtime();
    int rc = journal->db ? 0 : reconnect(journal, err);

    err_clear(refused);
    if (rc == 0)
        rc = write_transaction(journal, batch, err, refused);
    if (rc == 0) {
        journal->doubted = false;
        journal->transactions++;
        histogram_add(&journal->commits, (uv_hrtime() - began_ns) / NS_PER_US);
        return 0;
    }

    list_for_each (item, batch) {
        container_of(item, struct save, link)->written = false;
    }
    journal->doubted = journal->doubted || rc == -EBADMSG;
    disconnect(journal); /* rolls back */
    return rc;
}
