/*
 * Kinds of identity.
 *
 * Each is a row of schema_identity_types: a variant with its keys, and functions that check and
 * describe it. `struct identity` holds the values of the keys, in the same order. A row in
 * io/access/credential.h says how the kind gets a token.
 */
#ifndef KEYROTATED_CONF_IDENTITY_H
#define KEYROTATED_CONF_IDENTITY_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/config.h"
#include "conf/report.h"
#include "conf/schema.h"

/* An environment variable whose value counts where the key is not set. */
struct identity_variable {
    const char *key; /* NULL ends the array */
    const char *variable;
    bool required; /* without either there is no token, which is warned about */
};

struct identity_type {
    struct schema_variant variant; /* first: rows of the schema are these */
    const char *noun;              /* in messages, before the name: "managed identity" */
    const struct identity_variable *variables; /* NULL: none */
    /* Reports mistakes that involve several keys; NULL: there are none. */
    void (*check)(struct report *report, const struct tree_node *map);
    /* Warns of what the values mean together with the rest of the configuration; NULL: nothing. */
    void (*review)(struct report *report, const struct tree_node *map,
                   const struct identity *identity, const struct config *config);
    /* Appends the description for `--check`. */
    void (*describe)(const struct identity *identity, struct buf *out);
};

/* The value of the key, or its default, or that of its environment variable; NULL: not set. URLs
 * have no trailing slash. The items of a list stand on a line each. */
const char *identity_setting(const struct identity *identity, const char *key);

/* The variable of a key, or NULL; and does the value of the key come from it? */
const char *identity_variable(const struct identity_type *type, const char *key);
bool identity_is_from_environment(const struct identity *identity, const char *key);

/* The client or object id that a role can be assigned to; NULL: the configuration names none. */
const char *identity_assignee(const struct identity *identity);

/* `managed identity "vm" (2222…)`: its noun, its name, and an id where the configuration names one.
 * For messages. */
enum { IDENTITY_PRINCIPAL_MAX = 256 };
void identity_describe_principal(const struct identity *identity, char out[IDENTITY_PRINCIPAL_MAX]);

#endif
