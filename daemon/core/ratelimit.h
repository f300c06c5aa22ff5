/*
 * A token bucket whose only clock is an argument.
 *
 * Azure Resource Manager grants each subscription and principal a bucket of requests that refills
 * steadily ("Understand how Azure Resource Manager throttles requests"). Keeping the same bucket
 * here lets a whole fleet run at the speed that is allowed without a single refused request.
 */
#ifndef KEYROTATED_CORE_RATELIMIT_H
#define KEYROTATED_CORE_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct ratelimit {
    int64_t capacity;         /* thousandths of a token */
    int64_t refill;           /* thousandths of a token per second */
    int64_t tokens;           /* thousandths of a token in the bucket now */
    duration_ms updated;      /* when `tokens` was right, on the monotonic clock */
    duration_ms closed_until; /* the server asked for silence until then; 0: it did not */
};

/* A full bucket. Burst in requests, refill in requests per second; both at least 1. */
void ratelimit_init(struct ratelimit *limit, int64_t burst, int64_t refill_per_second,
                    duration_ms now);

/* How long to wait until a token may be there; 0: there is one now. A clock that went backwards
 * refills nothing. */
duration_ms ratelimit_wait(struct ratelimit *limit, duration_ms now);

/* Takes a token and returns 0, or returns ratelimit_wait(). */
duration_ms ratelimit_take(struct ratelimit *limit, duration_ms now);

/* The server said how many are left: the bucket holds no more than that. Negative: ignored. */
void ratelimit_server_remaining(struct ratelimit *limit, int64_t remaining, duration_ms now);

/* The server refused (429) and asked for a pause: the bucket is empty, and closed so long. */
void ratelimit_server_refused(struct ratelimit *limit, duration_ms pause, duration_ms now);

#endif
