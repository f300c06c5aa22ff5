/*
 * Where the values come from that an account lives by: the file and line of each, for
 * `keyrotatectl config show`.
 */
#ifndef KEYROTATED_CONF_ORIGIN_H
#define KEYROTATED_CONF_ORIGIN_H

#include "base/buf.h"
#include "conf/config.h"
#include "conf/schema.h"
#include "conf/yaml_tree.h"

/* All borrowed, for the time of the call. */
struct origin {
    const char *key;   /* "policy.overlap" */
    const char *value; /* in force, without what may be secret */
    const char *file;  /* NULL: no file says it */
    unsigned line;
    const char *from; /* "file", "default", "environment AZURE_CLIENT_ID", "tag key" */
};

typedef void origin_row(void *context, const struct origin *origin);

/* Calls row() for each value, in the order of the account, its identity, policy, targets, and the
 * rest. `account` is one of the configuration's, which config_load() has made. Returns 0 or
 * -ENOMEM. */
int config_origins(const struct config *config, const struct account *account, origin_row *row,
                   void *context);

/* Appends a value as YAML has it in one line. Texts with placeholders for a key (`type` is
 * SCHEMA_CONTENT) are counted only: whatever else they hold may be secret. */
void origin_append_node(struct buf *out, const struct tree_node *node, enum schema_type type);
/* Appends `text` with "..." for what may be a secret in URLs: their user, and what follows "?". */
void origin_append_masked(struct buf *out, const char *text);

#endif
