#include "core/backoff.h"

enum { ATTEMPT_MAX = 62 };

/* The finaliser of SplitMix64: every bit of the input moves about half of the output. */
static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static duration_ms doubled(duration_ms initial, duration_ms maximum, uint32_t attempt)
{
    duration_ms delay = initial;

    if (attempt > ATTEMPT_MAX)
        attempt = ATTEMPT_MAX;
    for (uint32_t i = 1; i < attempt; i++) {
        if (delay >= maximum / 2)
            return maximum;
        delay *= 2;
    }
    return delay < maximum ? delay : maximum;
}

duration_ms backoff_delay(duration_ms initial, duration_ms maximum, uint32_t attempt, uint64_t seed,
                          duration_ms server_asked)
{
    duration_ms delay, half;

    if (initial < 1)
        initial = 1;
    if (maximum < 1)
        maximum = 1;
    delay = doubled(initial, maximum, attempt);
    half = delay / 2;
    delay = delay - half + (duration_ms)(mix(seed ^ mix(attempt)) % ((uint64_t)half + 1));

    if (server_asked > MS_DAY)
        server_asked = MS_DAY;
    return server_asked > delay ? server_asked : delay;
}
