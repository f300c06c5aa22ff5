/*
 * Kinds of identity.
 *
 * Each is a row of schema_identity_types: a variant with its keys, and what is said about it. What
 * its keys are set to stands in `struct identity` by the order of these keys. How it gets a token
 * is a row of its own (io/access/credential.h).
 */
#ifndef KEYROTATED_CONF_IDENTITY_H
#define KEYROTATED_CONF_IDENTITY_H

#include "base/buf.h"
#include "conf/config.h"
#include "conf/report.h"
#include "conf/schema.h"

struct identity_type {
    struct schema_variant variant; /* first: rows of the schema are these */
    const char *noun;              /* in messages, before the name: "managed identity" */
    /* Reports what only shows when several keys are seen together; NULL: nothing does. */
    void (*check)(struct report *report, const struct tree_node *map);
    /* Appends what `--check` says of it. */
    void (*describe)(const struct identity *identity, struct buf *out);
};

/* What the key is set to, defaults filled in; NULL: not set. URLs have no trailing slash. */
const char *identity_setting(const struct identity *identity, const char *key);

/* The client or object id that a role can be assigned to; NULL: the configuration names none. */
const char *identity_assignee(const struct identity *identity);

#endif
