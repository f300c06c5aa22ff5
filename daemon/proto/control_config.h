/*
 * The document about the configuration of one account: each value in force, and where it comes
 * from.
 *
 *    GET /v1/config/ACCOUNT
 *
 * Pure, like the rest of the protocol.
 */
#ifndef KEYROTATED_PROTO_CONTROL_CONFIG_H
#define KEYROTATED_PROTO_CONTROL_CONFIG_H

#include "proto/control_protocol.h"

/* Texts are borrowed; they may be NULL where they were read (not known). */
struct config_value_snapshot {
    const char *key; /* "policy.overlap" */
    const char *value;
    const char *file; /* NULL: no file says it */
    unsigned line;
    const char *from; /* "file", "default", "id", "environment NAME", "tag NAME" */
};

/* Writing it: start, any number of values, end. */
void control_config_start(struct buf *out, const char *id, const char *name,
                          const char *resource_group, time_ms loaded_at);
void control_config_value(struct buf *out, const struct config_value_snapshot *value);
void control_config_end(struct buf *out);

/* The document as it was read. All texts live as long as it does. */
struct control_config {
    const char *id, *name, *resource_group;
    time_ms loaded_at; /* when the daemon read the files */
    struct config_value_snapshot *values;
    size_t value_count;
    struct json_object *document; /* owns the texts */
};

/* Returns 0, -EBADMSG (not such a document), or -ENOMEM. On failure *config is empty. */
int control_config_parse(const char *text, size_t length, struct control_config *config,
                         struct err *err);
void control_config_done(struct control_config *config);

#endif
