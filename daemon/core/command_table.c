#include "core/machine.h"

#define MACHINE(NAME, name) [COMMAND_##NAME] = command_##name,
#define HOLDS(NAME, name)
#define DAEMON(NAME, name)
#define ROW(NAME, name, CARRIER, ...) CARRIER(NAME, name)
static void (*const operations[])(struct machine *machine,
                                  const struct command *command) = {COMMAND_LIST(ROW)};

void on_command(struct machine *machine)
{
    const struct command *command = machine->event->command;

    operations[command->kind](machine, command);
}
