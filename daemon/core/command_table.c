#include "core/steps.h"

#define MACHINE(NAME, name) [COMMAND_##NAME] = command_##name,
#define HOLDS(NAME, name)
#define DAEMON(NAME, name)
#define ROW(NAME, name, CARRIER, ...) CARRIER(NAME, name)
static enum position (*const operations[])(struct machine *machine,
                                           const struct command *command) = {COMMAND_LIST(ROW)};

enum position command_follow(struct machine *machine)
{
    const struct command *command = machine->event->command;

    return operations[command->kind](machine, command);
}
