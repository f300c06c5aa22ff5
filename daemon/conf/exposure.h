/*
 * Checks whether too many users can read or write a file.
 *
 * Only the permissions of all other users are checked, because only the administrator knows the
 * members of a group.
 */
#ifndef KEYROTATED_CONF_EXPOSURE_H
#define KEYROTATED_CONF_EXPOSURE_H

#include "conf/report.h"

/* Checks a file or directory of the configuration: anyone who can write it decides where keys go. A
 * missing one is not exposed. */
void exposure_check_config(struct report *report, struct mark mark, const char *path);

/* Checks the directory that contains the configuration. In a sticky directory such as /tmp users
 * cannot change the files of others, but anyone can create a missing conf.d. */
void exposure_check_directory(struct report *report, struct mark mark, const char *path,
                              bool has_fragments);

/* Checks a file with a secret: anyone who can read it can act as the identity. `node` holds the
 * path. */
void exposure_check_secret(struct report *report, const struct tree_node *node, const char *path);

/* Checks a file of certificates: anyone who can write it can impersonate the server: "Azure". */
void exposure_check_authorities(struct report *report, const struct tree_node *node,
                                const char *path, const char *server);

#endif
