/*
 * The forms in which a file hands a key to its readers. The same input gives the same bytes.
 */
#ifndef KEYROTATED_PROTO_KEY_FILE_H
#define KEYROTATED_PROTO_KEY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/time.h"
#include "core/slot.h"

struct two_key_resource;

enum { KEY_FILE_MAX = 16 * 1024 };

struct key_file {
    const char *account; /* its name */
    const char *resource_id;
    const char *pair;             /* of the resource's keys; NULL: it has one pair */
    const char *account_endpoint; /* host, or host:port */
    enum slot slot;
    const struct secret *key;
    const char *key_id; /* NULL: it has none */
    uint64_t cycle;
    time_ms delivered_at;
    bool without_key; /* the json form has no member `key` */
};

/*
 * Each appends to `out`, which wipes itself; give it KEY_FILE_MAX. They return 0, the buffer's
 * error, or -EINVAL where a value cannot be written in that form without quoting.
 */

/* The type of the resource: the row of its pair; NULL: the id is that of none. */
const struct two_key_resource *key_file_type(const struct key_file *file);

/* The key in base64 and a newline. */
int key_file_raw(const struct key_file *file, struct buf *out);

/* Lines NAME=value for shells, systemd's EnvironmentFile= and container runtimes alike. The names
 * are those of the resource's type. */
int key_file_env(const struct key_file *file, struct buf *out);

/* The same, and what clients of the type take in one piece, in single quotes for its semicolons:
 * shells and systemd take these away. Types without it: -EINVAL. */
int key_file_env_connection(const struct key_file *file, struct buf *out);

/* One JSON object on one line. */
int key_file_json(const struct key_file *file, struct buf *out);

#endif
