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

/* What the command line said. Texts are borrowed from argv. */
struct ctl_options {
    const struct ctl_command *command; /* NULL: --help or --version was answered */
    bool answered;                     /* they were */
    const char *socket;
    bool json;
    bool all;
    bool wait;
    bool yes;
    bool list;
    duration_ms timeout;            /* of rotate --wait */
    const char *file;               /* adopt: of lines ACCOUNT primary|secondary */
    struct control_command request; /* of that command, but for the account */
    char **accounts;
    size_t account_count;
};

/* What the command line may say. */
struct ctl_command {
    const char *name;
    const char *synopsis; /* what follows the name; NULL: not available in this version */
    const char *summary;
    unsigned about;    /* ABOUT_ACCOUNT: accounts may be named; ABOUT_ALL: or --all has to be */
    unsigned options;  /* those that may be given: see options.c */
    unsigned required; /* those that have to be */
    enum control_command_kind kind; /* of the request; of no matter where it only asks */
    enum ctl_exit (*run)(const struct ctl_options *options);
};

enum ctl_exit ctl_status(const struct ctl_options *options);
/* What core/command_list.h says that its commands do. ctl_send(): sends the request for each
 * account that was named; once where there is none. */
#define ROW(NAME, name, CARRIER, ABOUT, MEMBERS, REQUIRED, OPTIONS, run, ...)                      \
    enum ctl_exit ctl_##run(const struct ctl_options *options);
COMMAND_LIST(ROW)
#undef ROW

/* The worse of two exit statuses, for commands on several accounts. */
enum ctl_exit ctl_worse(enum ctl_exit a, enum ctl_exit b);

/* Fetches the document that answers a question. On failure says why on standard error. */
enum ctl_exit ctl_fetch(const struct ctl_options *options, const char *question, char *const *names,
                        size_t name_count, struct buf *text);

/* Fetches the status document that answers `question`: "status", or "accounts" (these, or all). On
 * failure says why on standard error. */
enum ctl_exit ctl_fetch_status(const struct ctl_options *options, const char *question,
                               char *const *names, size_t name_count, struct control_status *status,
                               struct buf *text);

/* Follows rotations that were accepted until they are completed, cannot go on by themselves, or
 * options->timeout has passed for all of them together; says what happens meanwhile, and of trouble
 * the cause and what to do, once per change. `before`: when each account completed one the last
 * time. */
enum ctl_exit ctl_await_rotations(const struct ctl_options *options, char *const *names,
                                  const time_ms *before, size_t count);

#endif
