#include "io/store/sqlite/sqlite_private.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

/*
 * Instants are milliseconds since 1970 (UTC); NULL is "never", 0 is "not yet". Keys appear as
 * fingerprints in hex, '' being "none". Column order does not matter; names do.
 */
static const char schema_1[] =
    "CREATE TABLE meta (\n"
    "    name  TEXT NOT NULL PRIMARY KEY,\n"
    "    value TEXT NOT NULL\n"
    ") STRICT;\n"

    "CREATE TABLE accounts (\n"
    "    account             TEXT NOT NULL PRIMARY KEY,\n"
    "    position            TEXT NOT NULL,\n"
    "    adopted             INTEGER NOT NULL CHECK (adopted IN (0, 1)),\n"
    "    active              TEXT NOT NULL CHECK (active IN ('primary', 'secondary')),\n"
    "    goal                TEXT NOT NULL CHECK (goal IN ('primary', 'secondary')),\n"
    "    live_primary        TEXT NOT NULL,\n"
    "    live_secondary      TEXT NOT NULL,\n"
    "    born_primary        INTEGER,\n"
    "    born_secondary      INTEGER,\n"
    "    replaced            TEXT NOT NULL,\n"
    "    cycle               INTEGER NOT NULL CHECK (cycle >= 0),\n"
    "    trigger             TEXT NOT NULL,\n"
    "    actor               TEXT NOT NULL,\n"
    "    correlation         TEXT NOT NULL,\n"
    "    started_at          INTEGER,\n"
    "    completed_at        INTEGER,\n"
    "    intent_open         INTEGER NOT NULL CHECK (intent_open IN (0, 1)),\n"
    "    intent_slot         TEXT NOT NULL CHECK (intent_slot IN ('primary', 'secondary')),\n"
    "    intent_primary      TEXT NOT NULL,\n"
    "    intent_secondary    TEXT NOT NULL,\n"
    "    intent_written_at   INTEGER,\n"
    "    intent_attempts     INTEGER NOT NULL,\n"
    "    verify_since        INTEGER,\n"
    "    verified            INTEGER NOT NULL CHECK (verified IN (0, 1)),\n"
    "    overlap_from        INTEGER,\n"
    "    foreign_change_at   INTEGER,\n"
    "    looked_at           INTEGER,\n"
    "    surprise_pending    INTEGER NOT NULL CHECK (surprise_pending IN (0, 1)),\n"
    "    surprise_primary    TEXT NOT NULL,\n"
    "    surprise_secondary  TEXT NOT NULL,\n"
    "    surprise_targets    TEXT NOT NULL,\n"
    "    surprise_seen_at    INTEGER,\n"
    "    surprise_proven     INTEGER NOT NULL CHECK (surprise_proven IN (0, 1)),\n"
    "    repairing           TEXT NOT NULL,\n"
    "    consumers_at_risk   INTEGER NOT NULL CHECK (consumers_at_risk IN (0, 1)),\n"
    "    adopted_at          INTEGER,\n"
    "    planned_at          INTEGER,\n"
    "    due_at              INTEGER,\n"
    "    planned_with        INTEGER,\n"
    "    window_missed_reported INTEGER NOT NULL CHECK (window_missed_reported IN (0, 1)),\n"
    "    overdue_reported_at INTEGER,\n"
    "    check_at            INTEGER,\n"
    "    requested           INTEGER NOT NULL CHECK (requested IN (0, 1)),\n"
    "    blocked             TEXT NOT NULL,\n"
    "    blocked_at          INTEGER,\n"
    "    blocked_reported_at INTEGER,\n"
    "    trouble             TEXT NOT NULL,\n"
    "    trouble_since       INTEGER,\n"
    "    attempts            INTEGER NOT NULL,\n"
    "    retry_at            INTEGER,\n"
    "    held                INTEGER NOT NULL CHECK (held IN (0, 1)),\n"
    "    held_until          INTEGER,\n"
    "    hold_reason         TEXT NOT NULL,\n"
    "    adopt_told          INTEGER NOT NULL CHECK (adopt_told IN (0, 1)),\n"
    "    adopt_slot          TEXT NOT NULL CHECK (adopt_slot IN ('primary', 'secondary'))\n"
    ") STRICT;\n"

    "CREATE TABLE targets (\n"
    "    account          TEXT NOT NULL REFERENCES accounts (account) ON DELETE CASCADE,\n"
    "    place            INTEGER NOT NULL,\n"
    "    target           TEXT NOT NULL,\n"
    "    required         INTEGER NOT NULL CHECK (required IN (0, 1)),\n"
    "    acknowledged     INTEGER NOT NULL CHECK (acknowledged IN (0, 1)),\n"
    "    fingerprint      TEXT NOT NULL,\n"
    "    acknowledged_at  INTEGER,\n"
    "    offered          INTEGER NOT NULL CHECK (offered IN (0, 1)),\n"
    "    unsettled_until  INTEGER,\n"
    "    attempts         INTEGER NOT NULL,\n"
    "    retry_at         INTEGER,\n"
    "    reason           TEXT NOT NULL,\n"
    "    failing_since    INTEGER,\n"
    "    PRIMARY KEY (account, place),\n"
    "    UNIQUE (account, target)\n"
    ") STRICT;\n"

    /* No reference to accounts: the history of an account outlives its care. */
    "CREATE TABLE history (\n"
    "    id             INTEGER PRIMARY KEY,\n"
    "    account        TEXT NOT NULL,\n"
    "    at             INTEGER NOT NULL,\n"
    "    event          TEXT NOT NULL,\n"
    "    cycle          INTEGER NOT NULL,\n"
    "    slot           TEXT,\n"
    "    target         TEXT,\n"
    "    reason         TEXT,\n"
    "    trigger        TEXT,\n"
    "    actor          TEXT,\n"
    "    fingerprint    TEXT,\n"
    "    request_id     TEXT,\n"
    "    correlation_id TEXT,\n"
    "    text           TEXT\n"
    ") STRICT;\n"
    "CREATE INDEX history_of_account ON history (account, id);\n";

/* A start that was put off once because it was missed is not put off again by the next restart;
 * neither a refusal by the data plane nor another rotator is forgotten. */
static const char schema_2[] =
    "ALTER TABLE accounts ADD COLUMN catching_up INTEGER NOT NULL DEFAULT 0"
    " CHECK (catching_up IN (0, 1));\n"
    "ALTER TABLE accounts ADD COLUMN refused INTEGER NOT NULL DEFAULT 0"
    " CHECK (refused IN (0, 1));\n"
    "ALTER TABLE accounts ADD COLUMN another_rotator INTEGER NOT NULL DEFAULT 0"
    " CHECK (another_rotator IN (0, 1));\n"
    "ALTER TABLE accounts ADD COLUMN surprise_standby_in_use INTEGER NOT NULL DEFAULT 0"
    " CHECK (surprise_standby_in_use IN (0, 1));\n"
    "UPDATE accounts SET another_rotator = 1 WHERE blocked = 'another_rotator';\n";

/*
 * What operators hold are holds, each with an id that is never given again; the account remembers
 * which of them bound it last. A hold of the time before becomes one of its account by name, whose
 * actor ('') and beginning (0) are unknown.
 * Which targets hold a dead key, and since when, is known now; of an account that was at risk,
 * those are marked that do not have the key.
 */
static const char schema_3[] =
    "CREATE TABLE holds (\n"
    "    id      INTEGER PRIMARY KEY AUTOINCREMENT,\n"
    "    account TEXT,\n" /* NULL: all accounts */
    "    actor   TEXT NOT NULL,\n"
    "    since   INTEGER NOT NULL,\n"
    "    until   INTEGER,\n"
    "    reason  TEXT NOT NULL\n"
    ") STRICT;\n"
    "INSERT INTO holds (account, actor, since, until, reason)"
    " SELECT account, '', 0, held_until, hold_reason FROM accounts WHERE held ORDER BY account;\n"
    "ALTER TABLE accounts ADD COLUMN hold_id INTEGER NOT NULL DEFAULT 0"
    " CHECK (hold_id >= 0);\n"
    "ALTER TABLE accounts ADD COLUMN hold_until INTEGER DEFAULT 0;\n"
    "UPDATE accounts SET hold_until = held_until,"
    " hold_id = (SELECT id FROM holds WHERE holds.account = accounts.account) WHERE held;\n"
    /* What an account is delivered to, in words; abandoned_at 0: still. */
    "CREATE TABLE places (\n"
    "    account      TEXT NOT NULL,\n"
    "    place        TEXT NOT NULL,\n"
    "    abandoned_at INTEGER NOT NULL,\n"
    "    cycle        INTEGER NOT NULL CHECK (cycle >= 0),\n"
    "    PRIMARY KEY (account, place)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "ALTER TABLE accounts DROP COLUMN held;\n"
    "ALTER TABLE accounts DROP COLUMN held_until;\n"
    "ALTER TABLE accounts DROP COLUMN hold_reason;\n"
    "ALTER TABLE accounts ADD COLUMN both_changed_at INTEGER DEFAULT 0;\n"
    "ALTER TABLE targets ADD COLUMN dead_since INTEGER DEFAULT 0;\n"
    "ALTER TABLE targets ADD COLUMN early INTEGER NOT NULL DEFAULT 0"
    " CHECK (early IN (0, 1));\n"
    "UPDATE targets SET dead_since = known.looked_at FROM accounts AS known"
    " WHERE known.account = targets.account AND known.consumers_at_risk = 1"
    " AND targets.required = 1 AND (targets.acknowledged = 0 OR targets.fingerprint <>"
    " CASE known.goal WHEN 'primary' THEN known.live_primary ELSE known.live_secondary END);\n"
    "ALTER TABLE accounts ADD COLUMN regenerate_after INTEGER DEFAULT 0;\n"
    "ALTER TABLE accounts ADD COLUMN endpoint TEXT NOT NULL DEFAULT '';\n"
    "ALTER TABLE accounts ADD COLUMN location TEXT NOT NULL DEFAULT '';\n";

/* What rules have found stays under care when it is not listed for a while, also after a restart;
 * and an active key that a rule alone names waits until a person confirms it. */
static const char schema_4[] =
    "CREATE TABLE discoveries (\n"
    "    account  TEXT NOT NULL PRIMARY KEY,\n"
    "    id       TEXT NOT NULL,\n"
    "    identity TEXT NOT NULL,\n"
    "    rule     TEXT NOT NULL,\n"
    "    location TEXT NOT NULL,\n"
    "    tags     TEXT NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"
    "ALTER TABLE accounts ADD COLUMN presumed INTEGER NOT NULL DEFAULT 0"
    " CHECK (presumed IN (0, 1));\n";

/* A regenerate that Azure carries out after its answer is asked about at a URL, which may hold
 * signed parts. A restart has to ask there, too. */
static const char schema_5[] =
    "CREATE TABLE operations (\n"
    "    account TEXT NOT NULL PRIMARY KEY,\n"
    "    url     TEXT NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"
    "ALTER TABLE accounts ADD COLUMN intent_operation TEXT NOT NULL DEFAULT '';\n"
    "ALTER TABLE accounts ADD COLUMN intent_ended INTEGER NOT NULL DEFAULT 0"
    " CHECK (intent_ended IN (0, 1));\n"
    "ALTER TABLE accounts ADD COLUMN intent_settles_at INTEGER DEFAULT 0;\n"
    "ALTER TABLE accounts ADD COLUMN intent_poll_at INTEGER DEFAULT 0;\n"
    "ALTER TABLE accounts ADD COLUMN intent_poll_failures INTEGER NOT NULL DEFAULT 0;\n";

/* Azure tells of keys of some types when they were made. */
static const char schema_6[] =
    "ALTER TABLE accounts ADD COLUMN made_primary INTEGER DEFAULT 0;\n"
    "ALTER TABLE accounts ADD COLUMN made_secondary INTEGER DEFAULT 0;\n"
    "ALTER TABLE accounts ADD COLUMN surprise_made_primary INTEGER DEFAULT 0;\n"
    "ALTER TABLE accounts ADD COLUMN surprise_made_secondary INTEGER DEFAULT 0;\n";

/* Where each replaced key stood, and until when: identify tells it of keys that are found later. */
static const char schema_7[] =
    "ALTER TABLE accounts ADD COLUMN replaced_slots TEXT NOT NULL DEFAULT '';\n"
    "ALTER TABLE accounts ADD COLUMN replaced_at TEXT NOT NULL DEFAULT '';\n";

/* Each row of history is chained to the one before it, so that one that was altered or removed
 * shows. The rows until now are counted, and have no hash. */
static const char schema_8[] =
    "ALTER TABLE history ADD COLUMN hash BLOB;\n"
    "CREATE TABLE history_chains (\n"
    "    account TEXT NOT NULL PRIMARY KEY,\n"
    "    anchor  BLOB NOT NULL,\n"
    "    head    BLOB NOT NULL,\n"
    "    older   INTEGER NOT NULL CHECK (older >= 0)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "INSERT INTO history_chains (account, anchor, head, older)"
    " SELECT account, zeroblob(32), zeroblob(32), count(*) FROM history GROUP BY account;\n";

/* How long a step took, or a key was dead in its target. */
static const char schema_9[] = "ALTER TABLE history ADD COLUMN duration INTEGER;\n";

/* migrations[n] leads from user_version n to n + 1. What is released is never changed again. */
static const char *const migrations[] = {schema_1, schema_2, schema_3, schema_4, schema_5,
                                         schema_6, schema_7, schema_8, schema_9};
enum { SCHEMA_VERSION = sizeof(migrations) / sizeof(migrations[0]) };

static int code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EROFS;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        fault_out_of_memory();
    default:
        return -EIO;
    }
}

int store_sqlite_err(sqlite3 *db, struct err *err, const char *doing)
{
    const int sqlite_rc = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    const int system_errno = db ? sqlite3_system_errno(db) : 0;
    const bool from_system =
        (sqlite_rc & 0xff) == SQLITE_IOERR || (sqlite_rc & 0xff) == SQLITE_CANTOPEN;

    if (from_system && system_errno != 0)
        return err_set(err, code_of(sqlite_rc), "%s: %s: %s (SQLite %d)", doing, sqlite3_errmsg(db),
                       strerrordesc_np(system_errno), sqlite_rc);
    return err_set(err, code_of(sqlite_rc), "%s: %s (SQLite %d)", doing,
                   db ? sqlite3_errmsg(db) : sqlite3_errstr(sqlite_rc), sqlite_rc);
}

int store_execute(sqlite3 *db, const char *sql, const char *doing, struct err *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_sqlite_err(db, err, doing);
    return 0;
}

int store_read_integer(sqlite3 *db, const char *sql, int64_t *ret_value, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        *ret_value = sqlite3_column_int64(statement, 0);
    else
        rc = store_sqlite_err(db, err, "reading the journal");
    (void)sqlite3_finalize(statement);
    return rc;
}

int store_schema_check(sqlite3 *db, bool *ret_empty, struct err *err)
{
    int64_t application_id = 0, version = 0, tables = 0;
    int rc = store_read_integer(db, "PRAGMA application_id", &application_id, err);

    if (rc == 0)
        rc = store_read_integer(db, "PRAGMA user_version", &version, err);
    if (rc == 0)
        rc = store_read_integer(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (rc != 0)
        return rc;

    *ret_empty = tables == 0 && version == 0 && application_id == 0;
    if (*ret_empty)
        return 0;
    if (application_id != STORE_APPLICATION_ID || version < 1)
        return err_set(err, -EMEDIUMTYPE, "it is a database, but not a journal of keyrotated");
    if (version > SCHEMA_VERSION)
        return err_set(err, -EPROTONOSUPPORT,
                       "it was written by a newer keyrotated (format %d; this one knows up to %d)",
                       (int)version, (int)SCHEMA_VERSION);
    return 0;
}

int store_schema_migrate(sqlite3 *db, struct err *err)
{
    char mark[96];
    int64_t version = 0;
    int rc = store_read_integer(db, "PRAGMA user_version", &version, err);

    for (int64_t from = version; rc == 0 && from < SCHEMA_VERSION; from++)
        rc = store_execute(db, migrations[from], "making the tables", err);
    if (rc != 0 || version == SCHEMA_VERSION)
        return rc;
    snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             STORE_APPLICATION_ID, (int)SCHEMA_VERSION);
    return store_execute(db, mark, "marking the database", err);
}

int store_meta_read(sqlite3 *db, const char *name, char *out, int size, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;
    int sqlite_rc = SQLITE_ERROR;

    if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = ?1", -1, &statement, NULL) ==
            SQLITE_OK &&
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) == SQLITE_OK)
        sqlite_rc = sqlite3_step(statement);
    if (sqlite_rc == SQLITE_ROW && sqlite3_column_bytes(statement, 0) < size) {
        const char *value = (const char *)sqlite3_column_text(statement, 0);

        snprintf(out, (size_t)size, "%s", value ? value : "");
    } else if (sqlite_rc == SQLITE_ROW || sqlite_rc == SQLITE_DONE) {
        rc = err_set(err, -ENODATA, "the table meta holds no usable \"%s\"", name);
    } else {
        rc = store_sqlite_err(db, err, "reading the table meta");
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

int store_meta_write(sqlite3 *db, const char *name, const char *value, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", -1,
                           &statement, NULL) != SQLITE_OK ||
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_DONE)
        rc = store_sqlite_err(db, err, "writing to the table meta");
    (void)sqlite3_finalize(statement);
    return rc;
}
