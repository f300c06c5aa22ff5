/*
 * The flow table, with a row for each position: its successors, the event that it awaits, and the
 * position after a restart. core/position.h answers from it, too.
 */
#ifndef KEYROTATED_CORE_FLOW_H
#define KEYROTATED_CORE_FLOW_H

#include "core/machine.h"

/* Moves the account to the position, and onwards until it has to wait. POSITION_STAY: does
 * nothing. */
void flow_go(struct machine *machine, enum position to);
/* Takes the event that the position awaits; another completion is a fault. Returns where it leads.
 */
enum position flow_take(struct machine *machine);
/* Where the account goes at a start, a command or a new configuration, if it awaits a time that has
 * come. */
enum position flow_prompt(struct machine *machine);
/* The completion is unusable: starts the position's action once more. */
enum position flow_repeat(struct machine *machine);
/* When the account must leave the position; TIME_NEVER: only an event moves it. */
time_ms flow_wake_at(const struct machine *machine);

#endif
