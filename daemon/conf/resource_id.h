/*
 * Resource ids: /subscriptions/GUID/resourceGroups/GROUP/providers/PROVIDER/TYPE/NAME, for types
 * below others /TYPE/NAME again (Azure Resource Manager compares them without regard to case). The
 * types are those of proto/two_key.
 */
#ifndef KEYROTATED_CONF_RESOURCE_ID_H
#define KEYROTATED_CONF_RESOURCE_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "proto/two_key/two_key.h"

/* The variable parts, borrowed from the id that was parsed. */
struct resource_id {
    const char *subscription;
    size_t subscription_length;
    const char *group;
    size_t group_length;
    const char *name;
    size_t name_length;
};

/* Splits the id. Returns 0; -EINVAL: err says what is wrong and what would be right; -ENOENT: it is
 * of an unknown type, and what would be right is in resource_types_known(). */
int resource_id_parse(const char *text, struct resource_id *ret_id, struct err *err);

/* Checks the name of a resource of that type. Returns 0, or -EINVAL with err set. */
int resource_name_check(const struct two_key_resource *type, const char *name, struct err *err);

/* Why no account can be of that type, or what to write for it: a sentence that follows the type. It
 * is written to `out` (RESOURCE_PROBLEM_MAX is enough); NULL: nothing is known of the type. */
enum { RESOURCE_PROBLEM_MAX = 512 };
const char *resource_type_problem(const char *type, char *out, size_t size);

/* Appends the short names of all types: "batch, storage, …". */
void resource_types_known(struct buf *out);

/* What is wrong with the name of a resource group (1 to 90 letters, digits, "_-.()", no final dot),
 * or NULL. */
const char *resource_group_problem(const char *group, size_t length);

/* What is wrong with the resource id of a user-assigned managed identity, or NULL. */
const char *resource_identity_problem(const char *text);

#endif
