/*
 * The commands of keyrotatectl: how each is used, and which options it takes.
 */
#ifndef KEYROTATED_CTL_COMMAND_TABLE_H
#define KEYROTATED_CTL_COMMAND_TABLE_H

#include "ctl/ctl.h"

/* Options that are not members of a request; for the others see PARAMETER_…. */
enum {
    OPTION_GENERAL = 1U << 8, /* of all commands */
    OPTION_ALL = 1U << 9,
    OPTION_WAIT = 1U << 10,
    OPTION_TIMEOUT = 1U << 11,
    OPTION_YES = 1U << 12,
    OPTION_FILE = 1U << 13,
    OPTION_LIST = 1U << 14,
    OPTION_RULE = 1U << 15,
    OPTION_CALENDAR = 1U << 16,
    OPTION_ICS = 1U << 17,
    OPTION_SCAN = 1U << 18,
    OPTION_SINCE = 1U << 19, /* of what was: its times are past */
    OPTION_FAILED = 1U << 20,
    OPTION_CSV = 1U << 21,
    OPTION_VERIFY = 1U << 22,
    OPTION_STATE = 1U << 23,
    OPTION_POLICY = 1U << 24,
    OPTION_WATCH = 1U << 25,
    OPTION_WORD = 1U << 26, /* no option, but a word that is no account may follow */
};

/* Finds a command. CTL_USAGE: there is none, or none yet, which is complained of with the name that
 * was probably meant. */
enum ctl_exit ctl_command_find(const char *name, const struct ctl_command **ret_command);
/* Is it one of a later version? */
bool ctl_command_is_to_come(const char *name);

/* Prints what --help prints. */
void ctl_print_usage(void);
/* Prints how one command is used. */
void ctl_print_use(const struct ctl_command *command);

#endif
