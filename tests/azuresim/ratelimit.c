#include "ratelimit.h"

#include <ctype.h>
#include <json-c/linkhash.h>
#include <stdlib.h>

#include "clock.h"
#include "memory.h"

#define GLOBAL_FACTOR 15
#define MAX_BUCKETS   10000

struct bucket {
    double tokens;
    int64_t filled_us;
};

struct ratelimit {
    struct lh_table *buckets; /* "kind/subscription/principal" → struct bucket */
};

static void free_bucket_entry(struct lh_entry *entry)
{
    free(lh_entry_k(entry));
    free(lh_entry_v(entry));
}

struct ratelimit *ratelimit_new(void)
{
    struct ratelimit *ratelimit = memory_zeroed(1, sizeof(*ratelimit));

    ratelimit->buckets = lh_kchar_table_new(16, free_bucket_entry);
    return ratelimit;
}

void ratelimit_free(struct ratelimit *ratelimit)
{
    if (!ratelimit)
        return;
    lh_table_free(ratelimit->buckets);
    free(ratelimit);
}

void ratelimit_reset(struct ratelimit *ratelimit)
{
    lh_table_free(ratelimit->buckets);
    ratelimit->buckets = lh_kchar_table_new(16, free_bucket_entry);
}

/* The bucket, filled up to the present; takes over KEY. */
static struct bucket *fill_bucket(struct ratelimit *ratelimit, char *key, double burst,
                                  double refill)
{
    int64_t now = clock_monotonic_us();
    struct bucket *bucket;
    void *found;

    for (char *c = key; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    if (lh_table_lookup_ex(ratelimit->buckets, key, &found)) {
        free(key);
        bucket = found;
    } else {
        bucket = memory_zeroed(1, sizeof(*bucket));
        bucket->tokens = burst;
        bucket->filled_us = now;
        lh_table_insert(ratelimit->buckets, key, bucket);
    }
    bucket->tokens += refill * (double)(now - bucket->filled_us) / (double)CLOCK_US_PER_SECOND;
    if (bucket->tokens > burst)
        bucket->tokens = burst;
    bucket->filled_us = now;
    return bucket;
}

struct ratelimit_verdict ratelimit_take(struct ratelimit *ratelimit,
                                        const struct settings *settings,
                                        const char *subscription_id, const char *principal,
                                        enum ratelimit_kind kind)
{
    bool write = kind == RATELIMIT_WRITE;
    double burst = write ? settings->write_burst : settings->read_burst;
    double refill = write ? settings->write_refill : settings->read_refill;
    struct ratelimit_verdict verdict = {.allowed = true};
    struct bucket *global, *own;

    if (burst < 1)
        return verdict;
    if (lh_table_length(ratelimit->buckets) >= MAX_BUCKETS)
        ratelimit_reset(ratelimit);
    global = fill_bucket(ratelimit, memory_printf("%d/%s", kind, subscription_id),
                         burst * GLOBAL_FACTOR, refill * GLOBAL_FACTOR);
    own = fill_bucket(ratelimit, memory_printf("%d/%s/%s", kind, subscription_id, principal), burst,
                      refill);
    verdict.limited = true;
    verdict.allowed = own->tokens >= 1 && global->tokens >= 1;
    if (verdict.allowed) {
        own->tokens -= 1;
        global->tokens -= 1;
    } else {
        double own_wait = (1 - own->tokens) / refill;
        double global_wait = (1 - global->tokens) / (refill * GLOBAL_FACTOR);

        verdict.retry_after_s = 1 + (long)(own_wait > global_wait ? own_wait : global_wait);
    }
    verdict.remaining = (long)own->tokens;
    verdict.global_remaining = (long)global->tokens;
    return verdict;
}
