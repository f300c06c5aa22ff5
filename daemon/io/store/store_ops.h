/*
 * What a kind of journal does: a file that defines one of these, and a row in store.c.
 */
#ifndef KEYROTATED_IO_STORE_STORE_OPS_H
#define KEYROTATED_IO_STORE_STORE_OPS_H

#include "io/store/save.h"

struct store_backend; /* each kind has its own */

enum store_outcome {
    STORE_DURABLE,
    STORE_LOST /* it never will be: another process has the claim now, or the journal was closed */
};

/* What the backend tells, always from the loop and never from inside a call of its own. */
struct store_owner {
    /* The save is its owner's again. */
    void (*ended)(void *context, struct save *save, enum store_outcome outcome);
    /* How it stands, before the saves of an attempt are ended. Code 0: all is well. */
    void (*attempted)(void *context, const struct err *trouble);
    /* After close(): all saves have ended, and the backend is gone. */
    void (*closed)(void *context);
    void *context;
};

struct store_ops {
    const char *name;
    /* Opens the journal, or makes it, and claims it: no other process works with it meanwhile.
     * Blocking, for start only. `owner` is copied. */
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

    /* Takes the save over, and writes it with its history as one: ended() once it is durable or
     * lost. Trouble that may pass is told, and the save tried again. Saves become durable in the
     * order in which they are handed over; of one account there is one at a time. */
    void (*save)(struct store_backend *backend, struct save *save);
    /* How many transactions were committed since the start. */
    uint64_t (*transactions)(const struct store_backend *backend);

    /* Writes what it has with a last attempt, ends all saves, and then itself: closed(). */
    void (*close)(struct store_backend *backend);

    /* What a person can do about a code of its errors. */
    const char *(*remedy)(int code);
};

#endif
