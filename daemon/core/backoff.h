/*
 * How long to wait before trying again: doubling, capped, with a jitter that spreads a fleet.
 */
#ifndef KEYROTATED_CORE_BACKOFF_H
#define KEYROTATED_CORE_BACKOFF_H

#include <stdint.h>

#include "base/time.h"

/*
 * The wait before attempt number `attempt` + 1 (attempt >= 1 failures so far): initial *
 * 2^(attempt-1) up to `maximum`, of which the upper half is jittered by `seed` (the same seed and
 * attempt give the same wait). `server_asked` (0: nothing) is a lower bound that may exceed the
 * maximum, up to a day.
 */
duration_ms backoff_delay(duration_ms initial, duration_ms maximum, uint32_t attempt, uint64_t seed,
                          duration_ms server_asked);

#endif
