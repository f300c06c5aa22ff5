/*
 * Adapts a record to outside changes: a start, a reload, a jump of the clock.
 */
#ifndef KEYROTATED_CORE_RESTART_H
#define KEYROTATED_CORE_RESTART_H

#include "core/machine.h"

/* Sets the record's targets to those of the configuration, in its order; keeps the state of those
 * that remain. */
void restart_merge_targets(struct machine *machine);
/* The record was read from the journal, or is new: goes on where a crash left off. */
enum position restart_start(struct machine *machine);
/* Targets, policy or hints may be new. */
enum position restart_configure(struct machine *machine);
/* Waits keep their true length across a step of the wall clock. */
void restart_jump_clock(struct machine *machine);

#endif
