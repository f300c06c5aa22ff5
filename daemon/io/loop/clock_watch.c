#include "io/loop/clock_watch.h"

#include <time.h>

#include "io/loop/loop.h"

static duration_ms read_monotonic(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for a clock that every Linux has */
    return (duration_ms)now.tv_sec * MS_SECOND + now.tv_nsec / 1000000;
}

struct clock_sample clock_sample_take(void)
{
    return (struct clock_sample){
        .wall = time_wall(),
        .monotonic = read_monotonic(),
        .boot = time_boot(),
    };
}

struct clock_change clock_change_between(const struct clock_sample *before,
                                         const struct clock_sample *after)
{
    const duration_ms awake = after->monotonic - before->monotonic;
    struct clock_change change = {
        .jump = after->wall - before->wall - awake,
        .suspended = after->boot - before->boot - awake,
    };

    if (change.suspended < 0) /* the clocks are read one after the other, so small negative
                               * values occur */
        change.suspended = 0;
    return change;
}

bool clock_change_matters(const struct clock_change *change)
{
    return change->jump >= CLOCK_JUMP_MIN_MS || change->jump <= -CLOCK_JUMP_MIN_MS ||
           change->suspended >= CLOCK_JUMP_MIN_MS;
}
