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
    const char *socket;
    bool json;
    bool all;
    bool wait;
    bool dry_run;
    bool yes;
    const char *target;
    const char *active; /* "primary" or "secondary" */
    const char *reason;
    duration_ms timeout; /* of rotate --wait */
    time_ms until;       /* --for or --until; TIME_NEVER: neither */
    bool list;
    const char *file; /* adopt: of lines ACCOUNT primary|secondary */
    uint64_t hold;    /* resume: the id of one hold; 0: not given */
    char **accounts;
    size_t account_count;
};

struct ctl_command {
    const char *name;
    const char *synopsis; /* what follows the name; NULL: not available in this version */
    const char *summary;
    unsigned options; /* those that may be given: see options.c */
    size_t accounts_min;
    size_t accounts_max;
    enum ctl_exit (*run)(const struct ctl_options *options);
};

enum ctl_exit ctl_status(const struct ctl_options *options);
enum ctl_exit ctl_rotate(const struct ctl_options *options);
enum ctl_exit ctl_redeliver(const struct ctl_options *options);
enum ctl_exit ctl_adopt(const struct ctl_options *options);
enum ctl_exit ctl_hold(const struct ctl_options *options);
enum ctl_exit ctl_resume(const struct ctl_options *options);
enum ctl_exit ctl_unblock(const struct ctl_options *options);
enum ctl_exit ctl_check(const struct ctl_options *options);
enum ctl_exit ctl_reload(const struct ctl_options *options);

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
