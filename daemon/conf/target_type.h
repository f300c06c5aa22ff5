/*
 * A type of target, as the configuration uses it. A type is one file here, one file in io/target,
 * and a row in each table.
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
    bool place_is_shared; /* several accounts may have one place, because what is delivered names
                             its account */
    bool place_is_file;   /* so that destinations of all such types may meet at a place */
    bool is_unreadable;   /* nobody can find out which key stands at a place of this type */

    /* Makes the checks beyond the schema and marks invalid nodes. Called once for each target. */
    void (*check)(struct resolve *resolve, const struct tree_node *target);

    /* Sets `place`, `needs_location` and `settings` for one account, whose identity and policy are
     * set unless they are invalid; all texts come from the arena of the configuration. Returns
     * false when the target is invalid for this account, which has been reported, or memory is
     * out. */
    bool (*fill)(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination);

    /* "file /var/lib/…/sampleacct (the key alone, mode 0600)": for `--check`. */
    void (*describe)(const struct destination *destination, struct buf *out);

    /* Its keys as members of a JSON object: for `--check --json`. */
    void (*write)(const struct destination *destination, struct buf *out);
};

#endif
