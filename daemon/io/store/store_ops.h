/*
 * What a kind of journal does, and the saves that it is handed.
 */
#ifndef KEYROTATED_IO_STORE_STORE_OPS_H
#define KEYROTATED_IO_STORE_STORE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "io/store/store.h"

/*
 * --- save.c ---
 *
 * Data that becomes durable together, with copies of all its parts.
 */

enum save_kind {
    SAVE_RECORD,
    SAVE_HISTORY,
    SAVE_HOLD,
    SAVE_HOLDS_ENDED,
    SAVE_PLACES,
    SAVE_DISCOVERIES,
    SAVE_OPERATION,
    SAVE_PRUNING
};

/* The texts of account_key, rows and url, the ids of holds, places or discoveries, lie behind it in
 * the same allocation. */
struct save {
    struct list link;
    enum save_kind kind;
    const char *account_key; /* "" when it belongs to no single account */
    struct hold hold;
    const uint64_t *hold_ids;
    size_t hold_id_count;
    const struct place *places;
    size_t place_count;
    const struct discovery *discoveries;
    size_t discovery_count;
    const char *operation_url; /* NULL: it is to be forgotten */
    time_ms prune_before, pruned_at;
    struct record record;
    struct history_row rows[STORE_HISTORY_PER_SAVE];
    size_t row_count;
    size_t rows_dropped;      /* number of older rows that were dropped for lack of room */
    int64_t first_history_id; /* 0: none assigned yet; unchanged by further attempts */
    store_saved *saved;
    void *context;
    bool written; /* of the backend */
};

/* All are freed with free(). Of more rows than STORE_HISTORY_PER_SAVE the last ones are kept. */
struct save *save_new_record(const char *account_key, const struct record *record,
                             const struct history_row *rows, size_t row_count);
struct save *save_new_history(const char *account_key, const struct history_row *rows,
                              size_t row_count);
struct save *save_new_hold(const struct hold *hold);
struct save *save_new_holds_ended(const uint64_t *ids, size_t count);
struct save *save_new_places(const struct place *places, size_t count);
struct save *save_new_discoveries(const struct discovery *discoveries, size_t count);
struct save *save_new_operation(const char *account_key, const char *url);
struct save *save_new_pruning(time_ms before, time_ms now);

/* One save in place of two of the same account, both freed: the newer record, and the history of
 * both. The older one must have no callback. */
struct save *save_merge(struct save *older, struct save *newer);

/*
 * --- history_chain.c ---
 *
 * The hashes of the chain, and its check. Pure.
 */

/* The ends of a chain. All zero: nothing is written yet. */
struct history_chain {
    uint8_t anchor[SHA256_LENGTH]; /* the hash before the first row that is there */
    uint8_t head[SHA256_LENGTH];   /* that of the last row */
    uint64_t older;                /* rows before it that have none */
};

/* The hash of a row behind the one whose hash is `previous`, which may be `out`. */
void history_chain_next(const uint8_t previous[SHA256_LENGTH], const struct history_entry *entry,
                        uint8_t out[SHA256_LENGTH]);

/* Checks the rows of one account: begin, all rows in their order, end. */
struct history_check {
    const struct history_chain *chain;
    uint8_t link[SHA256_LENGTH]; /* the hash of the last row */
    uint64_t rows, older;
    enum history_fault fault; /* the first one */
    int64_t number;
};

/* `chain` NULL: its ends are missing. Borrowed until the end. */
void history_check_begin(struct history_check *check, const struct history_chain *chain);
/* `hash` NULL: the row has none. */
void history_check_row(struct history_check *check, const struct history_entry *entry,
                       const uint8_t *hash);
void history_check_end(struct history_check *check);

/*
 * --- history_read.c ---
 *
 * A page of history that is read or checked, with copies of all its texts.
 */

struct history_read {
    struct list link;
    char **account_keys;
    size_t account_count;
    time_ms since, until;
    int64_t after;
    store_found_history *found; /* NULL: it is to be checked */
    store_checked_history *checked;
    void *context;
    char *after_key, *next_key; /* of a check; NULL: see store_check_history() */
    struct history_verdict verdicts[STORE_CHECK_PAGE];
    size_t verdict_count;
    struct history_page page;
    struct history_entry entries[STORE_HISTORY_PAGE];
    struct err err; /* code 0: the page was read */
};

struct history_read *history_read_new(const struct history_query *query, store_found_history *found,
                                      void *context);
/* The same for a check. */
struct history_read *history_read_new_check(char *const *account_keys, size_t account_count,
                                            const char *after, store_checked_history *checked,
                                            void *context);
/* Appends what was found; there is room for STORE_CHECK_PAGE of them. */
void history_read_add_verdict(struct history_read *read, const char *account_key,
                              const struct history_check *check);
/* Appends a copy; there is room for STORE_HISTORY_PAGE of them. */
void history_read_add(struct history_read *read, const struct history_entry *entry);
/* Hands the result to who asked, and frees it. */
void history_read_end(struct history_read *read);

/* The members of a row that are texts, by number. */
enum { HISTORY_ROW_TEXTS = 10 };
const char **history_row_text(struct history_row *row, size_t index);

/*
 * --- the operations ---
 *
 * The operations of a kind of journal. Each kind is a file that defines one of these, and a row in
 * store.c.
 */

struct store_backend; /* each kind has its own */

enum store_outcome {
    STORE_DURABLE,
    STORE_LOST /* it will never be durable: another process has the claim now, or the journal was
                * closed */
};

/* Callbacks of the backend, always from the loop and never from inside one of its own
 * operations. */
struct store_owner {
    /* Returns the save to its owner. */
    void (*ended)(void *context, struct save *save, enum store_outcome outcome);
    /* Reports the result of an attempt, before its saves end. Code 0: success. */
    void (*attempted)(void *context, const struct err *trouble);
    /* After close(): all saves have ended, and the backend is gone. */
    void (*closed)(void *context);
    void *context;
};

struct store_ops {
    const char *name;
    /* Opens or creates the journal, and claims it, so that no other process uses it. Blocking, for
     * start only. `owner` is copied. */
    enum store_open_result (*claim)(struct loop *loop, const char *place,
                                    const struct store_owner *owner,
                                    struct store_backend **ret_backend, struct err *err);
    /* STORE_SALT_LENGTH bytes, made with the journal. */
    const uint8_t *(*salt)(const struct store_backend *backend);

    /* Read all there is (at start, blocking). See store_load() and its like. */
    int (*load)(struct store_backend *backend, store_found_record *found, void *context,
                struct err *err);
    int (*load_holds)(struct store_backend *backend, store_found_hold *found, void *context,
                      uint64_t *ret_last_id, struct err *err);
    int (*load_places)(struct store_backend *backend, store_found_place *found, void *context,
                       struct err *err);
    int (*load_discoveries)(struct store_backend *backend, store_found_discovery *found,
                            void *context, struct err *err);
    int (*load_operations)(struct store_backend *backend, store_found_operation *found,
                           void *context, struct err *err);

    /* Takes ownership of the save, and writes it with its history in one transaction; ended()
     * follows when it is durable or lost. Temporary trouble is reported, and the save is retried.
     * Saves become durable in the order of the calls; there is one per account at a time. */
    void (*save)(struct store_backend *backend, struct save *save);
    /* See store_read_history() and store_check_history(). Takes ownership of the read, and ends it
     * from the loop. */
    void (*read_history)(struct store_backend *backend, struct history_read *read);
    /* How many transactions were committed since the start. */
    uint64_t (*transactions)(const struct store_backend *backend);
    /* How long these took until they were durable; borrowed. */
    const struct histogram *(*commits)(const struct store_backend *backend);

    /* Makes a last attempt to write, ends all saves, then calls closed(). */
    void (*close)(struct store_backend *backend);

    /* The remedy for one of its error codes. */
    const char *(*remedy)(int code);
};

#endif
