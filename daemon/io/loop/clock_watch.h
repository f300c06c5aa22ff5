/*
 * Detects that the wall clock was set, or that the machine was suspended.
 *
 * Three clocks are compared: the wall clock moves with every correction, the monotonic one stops
 * while the machine is suspended, the boot clock does neither. The comparison of two samples is a
 * pure function, so that tests can run without setting a clock.
 */
#ifndef KEYROTATED_IO_LOOP_CLOCK_WATCH_H
#define KEYROTATED_IO_LOOP_CLOCK_WATCH_H

#include <stdbool.h>

#include "base/time.h"

struct clock_sample {
    time_ms wall;          /* CLOCK_REALTIME */
    duration_ms monotonic; /* CLOCK_MONOTONIC: without suspend */
    duration_ms boot;      /* CLOCK_BOOTTIME: with suspend */
};

struct clock_change {
    duration_ms jump;      /* the wall clock's progress beyond the monotonic clock's */
    duration_ms suspended; /* the boot clock's progress beyond the monotonic clock's */
};

struct clock_sample clock_sample_take(void);

/* What happened between two samples; never negative for `suspended`. A suspend alone makes both
 * members equal; a clock that was set makes them differ. */
struct clock_change clock_change_between(const struct clock_sample *before,
                                         const struct clock_sample *after);

/* Is either member at least CLOCK_JUMP_MIN_MS (io/loop/loop.h) in size? */
bool clock_change_matters(const struct clock_change *change);

#endif
