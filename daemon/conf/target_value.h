/*
 * The values of a target's keys: what several types of targets check and expand alike. Each
 * function that finds a mistake reports it and marks the node as invalid.
 */
#ifndef KEYROTATED_CONF_TARGET_VALUE_H
#define KEYROTATED_CONF_TARGET_VALUE_H

#include "conf/placeholder.h"
#include "conf/resolve.h"

/* Is it there, and valid? */
bool target_value_is_given(const struct tree_node *node);

/* Reports "\"TEXT\" PROBLEM". */
void target_value_refuse(struct resolve *resolve, struct tree_node *node, const char *text,
                         const char *problem);

/* Refuses {location} in a key whose value has to be known before Azure is asked. `where`: "here",
 * "in an owner". The node may be NULL or invalid. */
void target_value_refuse_location(struct resolve *resolve, struct tree_node *node,
                                  const char *where);

/* Checks an absolute path. The node may be NULL or invalid. */
void target_value_check_path(struct resolve *resolve, struct tree_node *path);

/* The value for one account, of at most `maximum` bytes, which are `limit` in words: "a path can
 * hold". NULL: it is longer, or memory is out. */
char *target_value_expand(struct resolve *resolve, struct tree_node *node,
                          const struct placeholder_values *values, size_t maximum,
                          const char *limit);

/* Is the path outside of state_dir, which belongs to the journal alone? */
bool target_value_check_outside(struct resolve *resolve, struct tree_node *node, const char *path);

#endif
