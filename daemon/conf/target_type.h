/*
 * What the configuration has to know of a type of target. A type is one file here, one in
 * io/target, and a row in the table of each.
 */
#ifndef KEYROTATED_CONF_TARGET_TYPE_H
#define KEYROTATED_CONF_TARGET_TYPE_H

#include "base/buf.h"
#include "conf/config.h"
#include "conf/schema.h"

struct placeholder_values;
struct resolve;

struct target_type {
    struct schema_variant variant; /* its name in the configuration, and its keys */
    const char *place_key;         /* the key to change where two destinations have one place */

    /* Checks what the schema cannot know; marks the nodes that are wrong. Once a target. */
    void (*check)(struct resolve *resolve, const struct tree_node *target);

    /* Sets `place`, `needs_location` and `settings` for one account; all texts come from the arena
     * of the configuration. False where the target is wrong for this account, which has been
     * reported, or memory is out. */
    bool (*fill)(struct resolve *resolve, const struct tree_node *target,
                 const struct placeholder_values *values, struct destination *destination);

    /* "file /var/lib/…/sampleacct (the key alone, mode 0600)": for `--check`. */
    void (*describe)(const struct destination *destination, struct buf *out);

    /* Its keys as members of a JSON object: for `--check --json`. */
    void (*write)(const struct destination *destination, struct buf *out);
};

#endif
