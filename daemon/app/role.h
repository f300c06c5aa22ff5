/*
 * `--print-role`: the smallest role of Azure that an identity of the configuration needs.
 */
#ifndef KEYROTATED_APP_ROLE_H
#define KEYROTATED_APP_ROLE_H

#include "app/options.h"

/* Prints it as the JSON that `az role definition create --role-definition @-` takes
 * (learn.microsoft.com, "Azure custom roles"), and on stderr the roles that have to be assigned
 * besides. Returns the exit status: STATUS_OK, STATUS_CONFIG, STATUS_USAGE (it is not clear of
 * whose role or of which scopes one speaks, which has been said). Asks neither network nor daemon.
 */
int role_run(const struct options *options);

#endif
