#include <stdio.h>

#include "ctl/command_table.h"

enum ctl_exit ctl_help(const struct ctl_options *options)
{
    const struct ctl_command *command;
    enum ctl_exit result;

    if (options->account_count == 0) {
        ctl_print_usage();
        return CTL_DONE;
    }
    result = ctl_command_find(options->accounts[0], &command);
    if (result == CTL_DONE)
        ctl_print_use(command);
    return result;
}
