/*
 * `--check`: reports mistakes in a configuration, and explains it.
 */
#ifndef KEYROTATED_APP_CHECK_H
#define KEYROTATED_APP_CHECK_H

#include "app/options.h"

/* Reads the configuration and prints; returns the exit status: STATUS_OK, STATUS_CONFIG,
 * STATUS_USAGE (an account that it does not have), STATUS_INTERNAL. Asks neither network nor
 * daemon. */
int check_run(const struct options *options);

#endif
