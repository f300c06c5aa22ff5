/*
 * The journal, independent of its kind (io/store/store_ops.h): today one SQLite database.
 *
 * Saving is asynchronous and per account. At most one save of an account is being written; further
 * ones are merged into one, with the last record and the history of all. Saves of many accounts are
 * written together, so that one flush to disk serves them all. A save that cannot be written (disk
 * full, read-only) is retried until it succeeds: its completion always means that it is durable.
 * Keys are never stored, only their fingerprints.
 */
#ifndef KEYROTATED_IO_STORE_STORE_H
#define KEYROTATED_IO_STORE_STORE_H

#include "base/crypto.h"
#include "base/err.h"
#include "base/histogram.h"
#include "base/log.h"
#include "core/hold.h"
#include "core/record.h"
#include "io/loop/loop.h"
#include "proto/key_fingerprint.h"

struct store;

enum { STORE_SALT_LENGTH = FINGERPRINT_SALT_LENGTH };

enum store_open_result {
    STORE_OPENED,
    STORE_CREATED, /* there was no journal; a new one with a new salt was created */
    STORE_BUSY,    /* another process holds it (exit 75) */
    STORE_UNUSABLE /* cannot be written, damaged, or of a newer version (exit 73); err says which */
};

/*
 * Opens DIRECTORY/journal.db, takes the lock that keeps other processes out for as long as this one
 * lives, checks it (quick_check), and migrates it by user_version. Blocking: for start only.
 */
enum store_open_result store_open(struct loop *loop, struct log *log, const char *directory,
                                  struct store **ret_store, struct err *err);

/* The journal of that kind at that place. */
struct store_ops;
enum store_open_result store_open_kind(const struct store_ops *ops, struct loop *loop,
                                       struct log *log, const char *place, struct store **ret_store,
                                       struct err *err);

/* lost(): a save of that account will never be durable, because another process has taken over. The
 * caller must not carry out its step, and must release the account. */
void store_on_lost(struct store *store, void (*lost)(void *context, const char *account_key),
                   void *context);

/* Writes what is queued, then closes; closed() (may be NULL) from the loop. While the journal is
 * failing there is one last attempt; unwritten saves are lost, and never reported as saved. */
void store_close(struct store *store, void (*closed)(void *context, bool lost), void *context);

/* STORE_SALT_LENGTH bytes, made with the journal; borrowed. */
const uint8_t *store_salt(const struct store *store);

/* The fingerprint of a key with the journal's salt. */
struct fingerprint store_fingerprint(void *store, const char *key, size_t length);

/* Reads every record (at start, blocking). `account_key`: the resource id in lower case. */
typedef void store_found_record(void *context, const char *account_key,
                                const struct record *record);
int store_load(struct store *store, store_found_record *found, void *context, struct err *err);

/* One line of an account's history. Texts may be NULL. */
struct history_row {
    time_ms at;
    const char *event; /* as in the log */
    uint64_t cycle;
    const char *slot;
    const char *target;
    const char *reason;
    const char *trigger;
    const char *actor;
    const char *fingerprint;
    const char *request_id;
    const char *correlation_id;
    const char *text;
    duration_ms duration; /* how long it took or lasted; 0: not known */
};
enum { STORE_HISTORY_PER_SAVE = 24, STORE_HISTORY_KEEP = 2000 /* rows per account */ };

typedef void store_saved(void *context);

/*
 * Copies the record and the history rows and makes them durable in one transaction; then
 * saved(context), where it is not NULL, from the loop. Saves of an account become durable in the
 * order of the calls. Journal trouble is logged (journal.failed, when it begins and when it ends);
 * store_failing() returns it.
 */
void store_save(struct store *store, const char *account_key, const struct record *record,
                const struct history_row *rows, size_t row_count, store_saved *saved,
                void *context);

/* The same without a record and without a callback. */
void store_save_history(struct store *store, const char *account_key,
                        const struct history_row *rows, size_t row_count);

/* Forgets rows of all accounts that are from before then, oldest first and STORE_PRUNE_PAGE at
 * most: whoever wants more to go calls again. `now` tells which rows a clock that was ahead has
 * written. The anchors of the chains follow (see below). */
enum { STORE_PRUNE_PAGE = 1000 };
void store_prune_history(struct store *store, time_ms before, time_ms now);

/* The history that is asked for. */
struct history_query {
    char *const *account_keys; /* borrowed during the call */
    size_t account_count;      /* 0: of all accounts */
    time_ms since;             /* from then on; 0: from the beginning */
    time_ms until;             /* before then; TIME_NEVER: up to the end */
    int64_t after;             /* the id of the row that the page before ended with; 0: none */
};

/* Rows in the order in which they were written. */
struct history_entry {
    int64_t id;
    const char *account_key;
    struct history_row row;
};
struct history_page {
    const struct history_entry *entries;
    size_t count;
    int64_t next; /* the `after` of the next page; 0: this was the last one */
};
enum { STORE_HISTORY_PAGE = 500 };

/* `page` and its texts are borrowed during the call. NULL: it could not be read, err says why. */
typedef void store_found_history(void *context, const struct history_page *page,
                                 const struct err *err);

/* Reads a page of history beside what is saved, and calls found() once, from the loop and never
 * from inside this call; while the store closes, too. A page ends after STORE_HISTORY_PAGE rows, or
 * earlier where a long stretch of history holds few that were asked for. */
void store_read_history(struct store *store, const struct history_query *query,
                        store_found_history *found, void *context);

/*
 * The chain of an account's history: each row is stored with a hash of itself and of the hash of
 * the row before. The two ends are stored apart: the anchor, which is the hash of the last row that
 * was pruned, and the head. So a row that was altered, removed or added shows. Who can write to the
 * journal can make a chain anew; the head, where somebody has kept it, tells.
 */
enum history_fault {
    HISTORY_WHOLE,
    HISTORY_ALTERED,       /* a row, or those right before it are missing */
    HISTORY_FOREIGN,       /* a row has no hash, behind rows that have one */
    HISTORY_END_MISSING,   /* the last row is not the head of the chain */
    HISTORY_OLDER_CHANGED, /* the number of rows from before the chain is another one */
    HISTORY_NO_CHAIN       /* there are rows, and no ends */
};
/* In words; NULL: it is whole. */
const char *history_fault_words(enum history_fault fault);

struct history_verdict {
    const char *account_key;
    uint64_t rows;  /* of the chain */
    uint64_t older; /* rows that an older version wrote, without a hash */
    uint8_t head[SHA256_LENGTH];
    enum history_fault fault;
    int64_t number; /* of the row; 0: of none */
};
enum { STORE_CHECK_PAGE = 64 };

/* `verdicts` are borrowed during the call; NULL: it could not be read, err says why. `next`: what
 * the next page is asked for with; NULL: this was the last one. */
typedef void store_checked_history(void *context, const struct history_verdict *verdicts,
                                   size_t count, const char *next, const struct err *err);

/* Checks the chains of these accounts, each named once, or of all that have history, in pages; as
 * store_read_history() reads. `after` NULL: from the first one. */
void store_check_history(struct store *store, char *const *account_keys, size_t account_count,
                         const char *after, store_checked_history *checked, void *context);

/* Reads every hold (at start, blocking). *ret_last_id: the highest id that was ever given, also to
 * a hold that has ended. */
typedef void store_found_hold(void *context, const struct hold *hold);
int store_load_holds(struct store *store, store_found_hold *found, void *context,
                     uint64_t *ret_last_id, struct err *err);

/* The same for holds as store_save() for records: adds one; removes those with these ids (copied).
 */
void store_save_hold(struct store *store, const struct hold *hold, store_saved *saved,
                     void *context);
void store_end_holds(struct store *store, const uint64_t *ids, size_t count, store_saved *saved,
                     void *context);

/* A place to which an account's key is or was delivered: "file /run/keys/a". */
struct place {
    const char *account_key;
    const char *text;
    time_ms abandoned_at; /* 0: the place still gets keys */
    uint64_t cycle;       /* abandoned: of the last rotation until then */
    bool gone;            /* to be forgotten */
};

/* Reads every place (at start, blocking), ordered by account and text; texts borrowed. */
typedef void store_found_place(void *context, const struct place *place);
int store_load_places(struct store *store, store_found_place *found, void *context,
                      struct err *err);

/* Copies the places, and makes them durable in order with all other saves. There is no callback:
 * the next start restores what a crash loses. */
void store_save_places(struct store *store, const struct place *places, size_t count);

/* An account that a rule of the configuration has found. */
struct discovery {
    const char *account_key;
    const char *id;       /* the resource id, as Azure writes it */
    const char *identity; /* the name of the identity that was shown it */
    const char *rule;     /* the name of its rule */
    const char *location; /* "": not known */
    const char *tags;     /* a JSON object of texts */
    bool gone;            /* to be forgotten */
};
enum { DISCOVERY_TAGS_MAX = 64 * 1024 };

/* Reads every account that was found (at start, blocking), ordered by key; texts borrowed. */
typedef void store_found_discovery(void *context, const struct discovery *discovery);
int store_load_discoveries(struct store *store, store_found_discovery *found, void *context,
                           struct err *err);

/* Copies them, and makes them durable in order with all other saves; then saved(context), where it
 * is not NULL, from the loop. */
void store_save_discoveries(struct store *store, const struct discovery *discoveries, size_t count,
                            store_saved *saved, void *context);

/* Where an account's regenerate that Azure carries out after its answer is asked about. */
enum { OPERATION_URL_MAX = 8 * 1024 };

/* Reads every URL (at start, blocking); texts borrowed. */
typedef void store_found_operation(void *context, const char *account_key, const char *url);
int store_load_operations(struct store *store, store_found_operation *found, void *context,
                          struct err *err);

/* Copies the URL in place of an earlier one; NULL: forgets it. Durable in order with all other
 * saves: no later than a record of the account that is saved after it. */
void store_save_operation(struct store *store, const char *account_key, const char *url);

/* Since when saves fail, with the cause in `ret_text` (borrowed); 0: they succeed. */
time_ms store_failing(const struct store *store, const char **ret_text);

/* How many transactions were committed since the start: saves divided by this is the grouping. */
uint64_t store_transactions(const struct store *store);
/* How long they took until they were durable; borrowed. */
const struct histogram *store_commits(const struct store *store);
/* Saves that are not durable yet. */
uint64_t store_waiting(const struct store *store);

#endif
