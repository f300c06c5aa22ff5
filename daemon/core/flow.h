/*
 * The flow table: a row a position. It says where an account may go, what it waits for there, and
 * what a restart makes of it; core/position.h answers from it, too.
 */
#ifndef KEYROTATED_CORE_FLOW_H
#define KEYROTATED_CORE_FLOW_H

#include "core/machine.h"

/* Goes there, and on from there until something is waited for. POSITION_STAY: does nothing. */
void flow_go(struct machine *machine, enum position to);
/* Takes the event that the position awaits; another completion is a fault. Returns where it leads.
 */
enum position flow_take(struct machine *machine);
/* Where the account goes at a start, a command or a new configuration, if it waits for a time, and
 * that has come. */
enum position flow_prompt(struct machine *machine);
/* The completion is of no use: asks once more for what the position awaits. */
enum position flow_repeat(struct machine *machine);
/* When the position is to be left for another; TIME_NEVER: only an event moves it on. */
time_ms flow_wake_at(const struct machine *machine);

#endif
