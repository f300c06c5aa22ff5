/*
 * How long the turns of a loop take, during which everything else waits. A turn is slow because the
 * thread computes or is blocked, or because the machine is busy and gives it no processor; only the
 * first is the program's own.
 *
 * Source: the kernel's Documentation/scheduler/sched-stats (/proc/PID/schedstat).
 */
#ifndef KEYROTATED_IO_LOOP_TURN_METER_H
#define KEYROTATED_IO_LOOP_TURN_METER_H

#include <stdint.h>

#include "base/histogram.h"

struct turn_meter {
    uint64_t began_ns;
    uint64_t slept_ns;      /* by the loop itself, until the turn began */
    uint64_t waited_ns;     /* for a processor, until the turn began */
    uint64_t worst_ns;      /* the longest turn */
    uint64_t worst_own_ns;  /* the longest one, without the wait for a processor */
    struct histogram turns; /* all of them */
    int file;               /* with the wait of this thread; -1: the kernel does not say */
};

/* Called on the thread of the loop. `slept_ns`: what the loop has slept since it was made. */
void turn_meter_start(struct turn_meter *meter, uint64_t slept_ns);
void turn_meter_stop(struct turn_meter *meter);

/* A turn has ended, and the next begins. */
void turn_meter_next(struct turn_meter *meter, uint64_t slept_ns);

/* The wait in the text of a schedstat file; 0 where it is none. */
uint64_t turn_meter_wait_in(const char *text);

#endif
