#include "io/access/access.h"

#include <stdlib.h>

#include "base/must.h"

struct access *access_new(struct loop *loop, struct http *http, struct log *log,
                          duration_ms (*clock)(void))
{
    struct access *access = must_alloc(sizeof(*access));

    access->tokens = token_cache_new(loop, http, log, clock);
    access->admission = admission_new(loop, log, clock);
    return access;
}

void access_set_config(struct access *access, const struct config *config)
{
    token_cache_set_login(access->tokens, config->cloud.login);
    token_cache_keep_expiries(access->tokens, config);
    admission_set_limits(access->admission, config->limit_requests, config->limit_per_subscription);
    admission_keep_used(access->admission, config);
}

static void on_part_closed(void *context)
{
    struct access *access = context;

    if (--access->parts_open > 0)
        return;
    access->closed(access->closed_context);
    free(access);
}

void access_close(struct access *access, void (*closed)(void *context), void *context)
{
    access->closed = closed;
    access->closed_context = context;
    access->parts_open = 2;
    token_cache_close(access->tokens, on_part_closed, access);
    admission_close(access->admission, on_part_closed, access);
}
