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

/* What a destination needs of Azure. All borrowed. */
enum { TARGET_RIGHTS_MAX = 3 };
struct target_rights {
    const char *actions[TARGET_RIGHTS_MAX]; /* of Resource Manager; NULL behind the last */
    const char *resource;                   /* the id of the resource at which they are needed */
    const char *role;    /* a built-in role that is needed besides, at a vault; NULL: none is */
    const char *vault;   /* its URL … */
    size_t vault_length; /* … which ends there */
};

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

    /* For a role that has no more than is needed. Expects *ret_rights empty. NULL: destinations of
     * this type need nothing of Azure. */
    void (*rights)(const struct destination *destination, struct target_rights *ret_rights);

    /* "file /var/lib/…/sampleacct (the key alone, mode 0600)": for `--check`. */
    void (*describe)(const struct destination *destination, struct buf *out);

    /* Its keys as members of a JSON object: for `--check --json`. */
    void (*write)(const struct destination *destination, struct buf *out);
};

#endif
