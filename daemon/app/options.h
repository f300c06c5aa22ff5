/*
 * The command line, and what the program does by it.
 */
#ifndef KEYROTATED_APP_OPTIONS_H
#define KEYROTATED_APP_OPTIONS_H

#include <stdbool.h>

#include "base/log.h"
#include "base/time.h"
#include "conf/config.h"

/*
 * --- options.c ---
 *
 * The daemon's command line, and the part of its environment on which the configuration depends.
 */

/* sysexits(3), and what they mean here. */
enum exit_status {
    STATUS_OK = 0,
    STATUS_USAGE = 64,
    STATUS_UNDONE = 69,   /* --once: something stayed undone */
    STATUS_INTERNAL = 70, /* an invariant is broken, or memory is out */
    STATUS_STATE = 73, /* the journal cannot be written, is damaged, or newer than this program */
    STATUS_BUSY = 75,  /* another process holds the journal */
    STATUS_CONFIG = 78
};

enum { OPTIONS_SCOPES_MAX = 64 };

struct options {
    const char *config_path;
    bool check;
    bool quiet; /* --check: only what is wrong */
    bool json;  /* --check: for programs */
    bool print_role;
    const char *identity;                   /* --print-role: of this one; NULL: of the only one */
    const char *scopes[OPTIONS_SCOPES_MAX]; /* --print-role: in place of those of the accounts */
    size_t scope_count;
    char *const *accounts; /* --check, --print-role: these alone; 0: all */
    size_t account_count;
    bool once;
    bool has_timeout;
    duration_ms once_timeout;
    bool has_log_format;
    enum log_format log_format;
    bool has_log_level;
    enum log_level log_level;
};

/*
 * Reads argv. Returns true when the program is to go on; false when it is to exit with *ret_status
 * (--help and --version, which have printed, and mistakes, which have been explained on stderr).
 */
bool options_parse(int argc, char **argv, struct options *options, int *ret_status);

/* See conf/config.h. The texts are the environment's. */
void environment_read(struct config_environment *environment);

/*
 * --- check.c ---
 *
 * `--check`: reports mistakes in a configuration, and explains it.
 */

/* Reads the configuration and prints; returns the exit status: STATUS_OK, STATUS_CONFIG,
 * STATUS_USAGE (an account that it does not have), STATUS_INTERNAL. Asks neither network nor
 * daemon. */
int check_run(const struct options *options);

/*
 * --- daemon.c ---
 *
 * The daemon: owns everything, starts it in order, reloads it, reports on it, and takes it down in
 * the opposite order.
 */

/* Runs until it is told to stop (or, with --once, has nothing left to do). Returns the exit status.
 */
int daemon_run(const struct options *options);

#endif
