#include "core/ratelimit.h"

enum { TOKEN = 1000 };

static int64_t multiply_saturated(int64_t a, int64_t b)
{
    int64_t product;

    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void ratelimit_init(struct ratelimit *limit, int64_t burst, int64_t refill_per_second,
                    duration_ms now)
{
    limit->capacity = multiply_saturated(burst < 1 ? 1 : burst, TOKEN);
    limit->refill = multiply_saturated(refill_per_second < 1 ? 1 : refill_per_second, TOKEN);
    limit->tokens = limit->capacity;
    limit->updated = now;
    limit->closed_until = 0;
}

/* While the server wants silence nothing is gained: afterwards requests start at the steady rate,
 * not with the burst that was just refused. */
static void refill(struct ratelimit *limit, duration_ms now)
{
    duration_ms since = limit->updated > limit->closed_until ? limit->updated : limit->closed_until;

    if (now > since) {
        int64_t gained = multiply_saturated(now - since, limit->refill) / MS_SECOND;

        limit->tokens = add_saturated(limit->tokens, gained);
        if (limit->tokens > limit->capacity)
            limit->tokens = limit->capacity;
        limit->updated = now;
    } else if (now < limit->updated) {
        limit->updated = now;
    }
}

duration_ms ratelimit_wait(struct ratelimit *limit, duration_ms now)
{
    duration_ms closed_for, missing;

    refill(limit, now);
    closed_for = limit->closed_until > now ? limit->closed_until - now : 0;
    if (limit->tokens >= TOKEN)
        return closed_for;
    missing = TOKEN - limit->tokens;
    return closed_for + (missing * MS_SECOND - 1) / limit->refill + 1;
}

duration_ms ratelimit_take(struct ratelimit *limit, duration_ms now)
{
    duration_ms wait = ratelimit_wait(limit, now);

    if (wait == 0)
        limit->tokens -= TOKEN;
    return wait;
}

void ratelimit_server_remaining(struct ratelimit *limit, int64_t remaining, duration_ms now)
{
    int64_t tokens;

    if (remaining < 0)
        return;
    refill(limit, now);
    tokens = multiply_saturated(remaining, TOKEN);
    if (tokens < limit->tokens)
        limit->tokens = tokens;
}

void ratelimit_server_refused(struct ratelimit *limit, duration_ms pause, duration_ms now)
{
    duration_ms until = add_saturated(now, pause > 0 ? pause : 0);

    refill(limit, now);
    limit->tokens = 0;
    limit->updated = now;
    if (until > limit->closed_until)
        limit->closed_until = until;
}
