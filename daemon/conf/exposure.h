/*
 * Files that more people can read or write than should. Only what every user may do is noticed:
 * whom a group stands for, the administrator knows.
 */
#ifndef KEYROTATED_CONF_EXPOSURE_H
#define KEYROTATED_CONF_EXPOSURE_H

#include "conf/report.h"

/* Who can write it decides where keys go. A file or a directory; one that is not there is not
 * exposed. */
void exposure_check_config(struct report *report, struct mark mark, const char *path);

/* The same of the directory that the configuration lies in. Where it is sticky, as /tmp is, nobody
 * can touch what others have there; but anybody can make the conf.d that is not there yet. */
void exposure_check_directory(struct report *report, struct mark mark, const char *path,
                              bool has_fragments);

/* Who can read it can act as the identity. `node` is where the path stands. */
void exposure_check_secret(struct report *report, const struct tree_node *node, const char *path);

/* Who can write it can pass for Azure. */
void exposure_check_authorities(struct report *report, const struct tree_node *node,
                                const char *path);

#endif
