/*
 * Commands and holds of operators.
 */
#ifndef KEYROTATED_CORE_COMMAND_H
#define KEYROTATED_CORE_COMMAND_H

#include "core/machine.h"

/* EVENT_COMMAND (command_table.c). */
enum position command_follow(struct machine *machine);

/* --- functions that carry out commands, and their common parts --- */
#define MACHINE(NAME, name) enum position command_##name(struct machine *, const struct command *);
#define HOLDS(NAME, name)
#define DAEMON(NAME, name)
#define ROW(NAME, name, CARRIER, ...) CARRIER(NAME, name)
COMMAND_LIST(ROW)
#undef ROW
#undef DAEMON
#undef HOLDS
#undef MACHINE
/* Returns POSITION_STAY. */
enum position command_answer(struct machine *machine, enum command_outcome outcome,
                             const char *text);
/* Answers that the command is refused until something else changes. Returns POSITION_STAY. */
enum position command_refuse(struct machine *machine, const char *text);
/* Ends the wait for a retry, so that due work starts now. */
enum position command_go_on(struct machine *machine);
/* The same, with the count of attempts reset, a check due, and no wait for any target. */
enum position command_look(struct machine *machine);

/* EVENT_HELD. */
void command_note_hold(struct machine *machine);
/* Runs first in each step: reports the first hold of the account, and the end of its last one. */
void command_follow_hold(struct machine *machine);

#endif
