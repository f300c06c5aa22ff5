/*
 * The command line of keyrotatectl.
 */
#ifndef KEYROTATED_CTL_OPTIONS_H
#define KEYROTATED_CTL_OPTIONS_H

#include "ctl/ctl.h"

/*
 * Reads the command line; answers --help and --version on standard output, and complains of errors
 * (complain.c). Returns CTL_DONE (options->command NULL: there is nothing left to do) or
 * CTL_USAGE. Reorders argv; `options` borrows from it.
 */
enum ctl_exit ctl_options_parse(int argc, char **argv, time_ms now, struct ctl_options *options);

/* An instant as people write it: RFC 3339; or "2026-11-22", "2026-11-22 14:00" (or with T) by the
 * clock of the local time zone. */
bool ctl_parse_instant(const char *text, time_ms *ret_at);

#endif
