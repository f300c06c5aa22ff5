/*
 * The operations of a kind of journal. Each kind is a file that defines one of these, and a row in
 * store.c.
 */
#ifndef KEYROTATED_IO_STORE_STORE_OPS_H
#define KEYROTATED_IO_STORE_STORE_OPS_H

#include "io/store/save.h"

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

    /* Takes ownership of the save, and writes it with its history in one transaction; ended()
     * follows when it is durable or lost. Temporary trouble is reported, and the save is retried.
     * Saves become durable in the order of the calls; there is one per account at a time. */
    void (*save)(struct store_backend *backend, struct save *save);
    /* How many transactions were committed since the start. */
    uint64_t (*transactions)(const struct store_backend *backend);

    /* Makes a last attempt to write, ends all saves, then calls closed(). */
    void (*close)(struct store_backend *backend);

    /* The remedy for one of its error codes. */
    const char *(*remedy)(int code);
};

#endif
