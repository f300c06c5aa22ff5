/* ARM's token buckets: per subscription, principal and kind of operation, with a global one per
 * subscription and kind fifteen times as large. Callers hold the simulator's lock. */
#ifndef AZURESIM_RATELIMIT_H
#define AZURESIM_RATELIMIT_H

#include <stdbool.h>

#include "settings.h"

enum ratelimit_kind { RATELIMIT_READ, RATELIMIT_WRITE };

struct ratelimit_verdict {
    bool limited; /* a limit is in force; otherwise the fields below mean nothing */
    bool allowed;
    long remaining;
    long global_remaining;
    long retry_after_s; /* where not allowed */
};

struct ratelimit;

struct ratelimit *ratelimit_new(void);
void ratelimit_free(struct ratelimit *ratelimit);

/* Takes one token for a call of PRINCIPAL in SUBSCRIPTION_ID; the rates are those of SETTINGS. */
struct ratelimit_verdict ratelimit_take(struct ratelimit *ratelimit,
                                        const struct settings *settings,
                                        const char *subscription_id, const char *principal,
                                        enum ratelimit_kind kind);

/* Fills all buckets, as after a change of the settings. */
void ratelimit_reset(struct ratelimit *ratelimit);

#endif
