/*
 * Warnings about what a target needs on the machine that delivers, and lacks: directories,
 * programs, users and groups. They are given where the configuration is checked on that machine
 * (`sees_targets` of struct config_environment), and once for each node (`noted`): the first
 * account of a target stands for all.
 */
#ifndef KEYROTATED_CONF_HERE_H
#define KEYROTATED_CONF_HERE_H

#include "conf/resolve.h"

/* The directory of the file `place`, to be made for `group` (NULL: a group of the reader's choice).
 * Those that the units make when they start are not missed. */
void here_note_directory(struct resolve *resolve, struct tree_node *node, const char *place,
                         const char *group);

/* `name`: what the node expands to; NULL: nothing to note. */
void here_note_user(struct resolve *resolve, struct tree_node *node, const char *name);
void here_note_group(struct resolve *resolve, struct tree_node *node, const char *name);

/* `remedy`: what to do about it. */
void here_note_program(struct resolve *resolve, struct tree_node *node, const char *path,
                       const char *remedy);

#endif
