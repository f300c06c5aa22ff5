/*
 * The result of a look: the answers of Azure and the targets, as facts without key material.
 */
#ifndef KEYROTATED_CORE_LOOK_H
#define KEYROTATED_CORE_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/time.h"
#include "core/reason.h"
#include "core/slot.h"

enum { TARGETS_MAX = 16, SIGHTING_KEYS_MAX = 4, TARGET_ID_LENGTH = 16 };

/* Names a destination: a hash over its type, place and form. An acknowledgement belongs to it
 * alone. */
struct target_id {
    uint8_t bytes[TARGET_ID_LENGTH];
};

static inline bool target_id_equal(const struct target_id *a, const struct target_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

enum sighting_kind {
    SIGHTING_NONE,  /* this kind of target cannot be read, or reading it failed: nothing is known */
    SIGHTING_EMPTY, /* there is nothing at the destination */
    SIGHTING_FOREIGN, /* there is something, but nothing in it looks like a key */
    SIGHTING_KEYS     /* `keys` stand in it */
};

/* The content of one target. */
struct sighting {
    struct target_id target;
    enum sighting_kind kind;
    struct fingerprint keys[SIGHTING_KEYS_MAX]; /* in whatever format the bytes hold them */
    size_t key_count;
    uint64_t cycle; /* the cycle that the target names itself; 0: it names none */
};

/* listKeys and a reading of every target, taken together. */
struct look {
    struct fingerprint live[SLOT_COUNT];
    time_ms made[SLOT_COUNT]; /* when Azure says that they were made, unchecked: core/key_time.h; 0:
                               * it does not say */
    struct sighting targets[TARGETS_MAX];
    size_t target_count;
    bool described;         /* the resource's description came with the keys, and says nothing
                               against a new one */
    duration_ms clock_skew; /* the server's clock minus ours */
    time_ms began_at;       /* when it was begun; 0: right now */
    time_ms taken_at;       /* when it was complete; 0: right now */
};

/* A failure: its reason, from the closed list, and the ids that find it in Azure's own logs. Texts
 * never hold a secret. */
enum {
    FAILURE_TEXT_MAX = 400,
    FAILURE_REMEDY_MAX = 720, /* a command may name the id of a resource twice */
    FAILURE_ID_MAX = 64,
    FAILURE_CODE_MAX = 64
};
struct failure {
    enum reason reason;
    bool outcome_unknown;    /* it may have taken effect, or may yet */
    duration_ms retry_after; /* asked for by the server; 0: not */
    int http_status;         /* 0: none */
    char error_code[FAILURE_CODE_MAX];
    char request_id[FAILURE_ID_MAX];
    char correlation_id[FAILURE_ID_MAX];
    char client_request_id[FAILURE_ID_MAX];
    char text[FAILURE_TEXT_MAX];     /* what happened */
    char remedy[FAILURE_REMEDY_MAX]; /* what to do, more exact than the reason's; "" : use the
                                        reason's */
};

#endif
