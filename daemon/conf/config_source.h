/*
 * What a configuration is made from, and what is kept of it where rules add accounts later. Private
 * to conf/.
 */
#ifndef KEYROTATED_CONF_CONFIG_SOURCE_H
#define KEYROTATED_CONF_CONFIG_SOURCE_H

#include "conf/arena.h"
#include "conf/config.h"
#include "conf/discovery.h"
#include "conf/report.h"
#include "conf/yaml_tree.h"

enum { CONFIG_ARENA_MAX = 512 * 1024 * 1024 };

/* Borrowed. */
struct config_parts {
    const struct tree_node *root; /* all files merged, and checked by the schema */
    struct report *report;
    const char *path; /* of the main file */
    const struct config_environment *environment;
    const struct config_found *found; /* what rules have found */
    size_t found_count;
};

/* Resolves everything, and reports what is wrong. Returns a configuration with one reference; NULL
 * when memory is out. */
struct config *config_resolve(const struct config_parts *parts);

/* The tree of the files. */
const struct tree_node *config_source_root(const struct config_source *source);

/* Takes the arena, in which the tree lives, and copies the rest. NULL: out of memory, and the
 * arena stays the caller's. */
struct config_source *config_source_new(struct arena *arena, const struct tree_node *root,
                                        const char *path,
                                        const struct config_environment *environment);
void config_source_unref(struct config_source *source);

#endif
