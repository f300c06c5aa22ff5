/*
 * What operators say: commands and holds.
 */
#ifndef KEYROTATED_CORE_COMMAND_H
#define KEYROTATED_CORE_COMMAND_H

#include "core/machine.h"

/* EVENT_COMMAND (command_table.c). */
enum position command_follow(struct machine *machine);

/* --- commands, each where it is carried out, and what they share --- */
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
/* The wait for a retry is cut short; what is due is looked at now. */
enum position command_go_on(struct machine *machine);
/* The same, with the count of attempts reset, a check due, and no wait for any target. */
enum position command_look(struct machine *machine);

/* EVENT_HELD. */
void command_note_hold(struct machine *machine);
/* Before anything else in a step: reports when the account begins to be held, and when its last
 * hold has ended. */
void command_follow_hold(struct machine *machine);

#endif
