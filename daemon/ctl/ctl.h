/*
 * keyrotatectl: the parts that its commands share.
 */
#ifndef KEYROTATED_CTL_CTL_H
#define KEYROTATED_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/time.h"
#include "proto/control_protocol.h"

enum ctl_exit {
    CTL_DONE = 0,     /* status: all well */
    CTL_NOT_DONE = 1, /* status: something retrying or held */
    CTL_REFUSED = 2,  /* status: something blocked, overdue or at risk */
    CTL_UNREACHABLE = 3,
    CTL_USAGE = 64,
    CTL_NOT_PERMITTED = 77
};

/* The parsed command line. Texts are borrowed from argv. */
struct ctl_options {
    const struct ctl_command *command; /* NULL: --help or --version was answered */
    bool answered;                     /* they were */
    time_ms now;                       /* when the command was given */
    const char *socket;
    bool json;
    bool all;
    bool wait;
    bool yes;
    bool list;
    duration_ms timeout;            /* of rotate --wait */
    const char *file;               /* adopt: of lines ACCOUNT primary|secondary */
    struct control_command request; /* the request of that command, without the account */
    char **accounts;
    size_t account_count;
};

/* A command as the command line accepts it. */
struct ctl_command {
    const char *name;
    const char *synopsis; /* what follows the name; NULL: not available in this version */
    const char *summary;
    unsigned about;    /* ABOUT_ACCOUNT: accounts may be named; ABOUT_ALL: or --all has to be */
    unsigned options;  /* those that may be given: see options.c */
    unsigned required; /* those that have to be */
    enum control_command_kind kind; /* of the request */
    bool only_asks;                 /* there is no request */
    enum ctl_exit (*run)(const struct ctl_options *options);
};

/* The commands that ask: name, what they are about, options, synopsis and summary as in
 * core/command_list.h. ctl_name() asks, and prints the answer. */
#define CTL_QUESTION_LIST(ROW)                                                                     \
    ROW(status, ABOUT_ACCOUNT | ABOUT_ALL, OPTION_ALL, "[ACCOUNT...] [--all]",                     \
        "what is not well, or everything about the accounts")

#define ROW(name, ...) enum ctl_exit ctl_##name(const struct ctl_options *options);
CTL_QUESTION_LIST(ROW)
#undef ROW

/* What core/command_list.h says that its commands do. ctl_send(): sends the request for each
 * account that was named; once where there is none. */
#define ROW(NAME, name, CARRIER, ABOUT, MEMBERS, REQUIRED, OPTIONS, run, ...)                      \
    enum ctl_exit ctl_##run(const struct ctl_options *options);
COMMAND_LIST(ROW)
#undef ROW

#endif
