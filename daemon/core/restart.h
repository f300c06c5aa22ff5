/*
 * Entering a record from outside: after a start, a reload, a step of the clock.
 */
#ifndef KEYROTATED_CORE_RESTART_H
#define KEYROTATED_CORE_RESTART_H

#include "core/machine.h"

/* The record's targets become those of the configuration, in its order; what is known of those that
 * stay is kept. */
void merge_targets(struct machine *machine);
/* The record was read from the journal, or is new: goes on where a crash left off. */
void on_start(struct machine *machine);
/* Where a stored position is entered again. */
enum position position_after_restart(enum position stored);
/* Targets, policy or hints may be new. */
void on_configured(struct machine *machine);
/* Waits keep their true length across a step of the wall clock. */
void on_clock_jumped(struct machine *machine);

#endif
