/*
 * The commands of operators, a row each: all that the daemon and keyrotatectl know of a command but
 * what it does. Each layer takes its columns; a new command is a row here and the file that carries
 * it out.
 *
 *    NAME       CONTROL_NAME is the command, and COMMAND_NAME the machine's
 *    name       POST /v1/accounts/ACCOUNT/name, POST /v1/name, keyrotatectl typed
 *    CARRIER    MACHINE: an account's machine carries it out, command_name() in core/;
 *               HOLDS: the engine's list of holds;
 *               DAEMON: the daemon, daemon_command_name() in app/
 *    about      ABOUT_ACCOUNT, ABOUT_ALL or both
 *    parameters PARAMETER_…: members of the request, and options of keyrotatectl
 *    required   the parameters without which it makes no sense
 *    options    OPTION_…: what else keyrotatectl takes (ctl/options.c)
 *    run        keyrotatectl calls ctl_run(); ctl_send() sends the command, and no more
 *    typed      what keyrotatectl calls it: `name`, with a hyphen where that has a "_"
 *    synopsis   for --help: what follows the name
 *    summary    for --help
 *    several    what happens to several accounts: "3 accounts ..."; NULL: the words of the first
 */
#ifndef KEYROTATED_CORE_COMMAND_LIST_H
#define KEYROTATED_CORE_COMMAND_LIST_H

/* clang-format off */
#define COMMAND_LIST(ROW)                                                                          \
    ROW(ROTATE, rotate, MACHINE, ABOUT_ACCOUNT, PARAMETER_DRY_RUN, 0,                              \
        OPTION_WAIT | OPTION_TIMEOUT, rotate, "rotate", \
        "ACCOUNT... [--wait [--timeout DURATION]] [--dry-run]",                                    \
        "rotate now, whatever the window; --wait: until it is done, 10m at most by default",       \
        NULL)                                                                                      \
    ROW(REDELIVER, redeliver, MACHINE, ABOUT_ACCOUNT, PARAMETER_TARGET, 0,                         \
        0, send, "redeliver", \
        "ACCOUNT... [--target TARGET]",                                                            \
        "deliver the active key again, without rotating",                                          \
        NULL)                                                                                      \
    ROW(ADOPT, adopt, MACHINE, ABOUT_ACCOUNT, PARAMETER_ACTIVE, PARAMETER_ACTIVE,                  \
        OPTION_YES | OPTION_FILE | OPTION_RULE, adopt, "adopt", \
        "ACCOUNT --active primary|secondary [--yes] | --file FILE [--yes] | --rule RULE [--yes]",  \
        "say which key consumers use, where the daemon cannot find out;\n"                         \
        "          FILE: for many accounts; RULE: confirm what its adopt_active says",             \
        NULL)                                                                                      \
    ROW(HOLD, hold, HOLDS, ABOUT_ACCOUNT | ABOUT_ALL,                                              \
        PARAMETER_UNTIL | PARAMETER_REASON, PARAMETER_UNTIL | PARAMETER_REASON,                    \
        OPTION_LIST, hold, "hold", \
        "ACCOUNT...|--all (--for DURATION|--until TIME) --reason TEXT | --list",                   \
        "pause accounts until an end, or all (later ones too); or list the holds",                 \
        NULL)                                                                                      \
    ROW(RESUME, resume, HOLDS, ABOUT_ACCOUNT | ABOUT_ALL, PARAMETER_HOLD, 0,                       \
        0, send, "resume", \
        "ACCOUNT...|--all|--hold ID",                                                              \
        "end the holds put on accounts by name, those of --all, or one",                           \
        NULL)                                                                                      \
    ROW(UNBLOCK, unblock, MACHINE, ABOUT_ACCOUNT, 0, 0,                                            \
        0, send, "unblock", \
        "ACCOUNT...",                                                                              \
        "clear another_rotator, or targets_disagree",                                              \
        NULL)                                                                                      \
    ROW(CHECK, check, MACHINE, ABOUT_ACCOUNT | ABOUT_ALL, 0, 0,                                    \
        0, send, "check", \
        "ACCOUNT...|--all",                                                                        \
        "look now, and repair what a look may repair",                                             \
        "are looked at now: `keyrotatectl status` shows the result")                               \
    ROW(CONFIRM, confirm, MACHINE, ABOUT_ACCOUNT, 0, 0,                                            \
        0, send, "confirm", \
        "ACCOUNT...",                                                                              \
        "consumers use the key that a rule's adopt_active names: rotations may begin",             \
        NULL)                                                                                      \
    ROW(RELOAD, reload, DAEMON, ABOUT_ALL, PARAMETER_DRY_RUN, 0,                                   \
        0, send, "reload", \
        "[--dry-run]",                                                                             \
        "read the configuration again and report the result; --dry-run: check it only",            \
        NULL)                                                                                      \
    ROW(LOG_LEVEL, log_level, DAEMON, ABOUT_ALL, PARAMETER_LEVEL | PARAMETER_UNTIL,                \
        PARAMETER_LEVEL, OPTION_WORD, log_level, "log-level",                                      \
        "LEVEL [--for DURATION|--until TIME]",                                                     \
        "log more or less for a time (10m): error, warning, notice, info or debug;\n"              \
        "          configured: end that now",                                                      \
        NULL)
/* clang-format on */

#endif
