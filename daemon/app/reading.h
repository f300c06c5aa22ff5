/*
 * What options that only read the configuration (`--check`, `--print-role`) read: the file, and the
 * accounts that the command line names.
 */
#ifndef KEYROTATED_APP_READING_H
#define KEYROTATED_APP_READING_H

#include "app/options.h"

struct reading {
    struct config_messages messages; /* of config_load() */
    struct config *config;           /* NULL: it has errors */
    const struct account **accounts; /* that were asked for, in that order; all where none was */
    size_t account_count;
};

/* Prints the messages, unless they are wanted as JSON. Returns STATUS_OK, also where there is no
 * configuration; STATUS_USAGE: an account is asked for that it does not have, which has been said.
 * reading_close() in any case. */
int reading_open(struct reading *reading, const struct options *options);
void reading_close(struct reading *reading);

#endif
