/*
 * Structures of plain members as JSON objects, by a table that has a row for each member: the same
 * table writes them and reads them.
 */
#ifndef KEYROTATED_PROTO_SNAPSHOT_H
#define KEYROTATED_PROTO_SNAPSHOT_H

#include <stddef.h>

#include <json-c/json_object.h>

#include "base/buf.h"
#include "base/time.h"

enum snapshot_kind {
    SNAPSHOT_TEXT,   /* const char *; NULL: null */
    SNAPSHOT_BOOL,   /* bool */
    SNAPSHOT_TIME,   /* time_ms; not after 0, or TIME_NEVER: null, which is read as TIME_NEVER */
    SNAPSHOT_AGE,    /* how old the time_ms is, in seconds; it is not read */
    SNAPSHOT_NUMBER, /* int, size_t or uint64_t; not above 0: 0 */
};

struct snapshot_member {
    const char *name;
    enum snapshot_kind kind;
    size_t offset, size;
};

struct snapshot_table {
    const struct snapshot_member *members;
    size_t count;
    size_t size; /* of the structure */
};

/* clang-format off */
/* A row for `member` of `struct type`, and a table of such rows. */
#define SNAPSHOT_MEMBER(type, kind, member, name)                                                  \
    {name, SNAPSHOT_##kind, offsetof(struct type, member), sizeof(((struct type *)0)->member)}
#define SNAPSHOT_TABLE(type, rows)                                                                 \
    {rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct type)}
/* clang-format on */

/* Writes the members of `object`, inside of an object that is open. `now`: for ages. */
void snapshot_write(struct buf *out, const struct snapshot_table *table, const void *object,
                    time_ms now);
/* As a member `name` (NULL: an element), and as a list of that name. */
void snapshot_write_object(struct buf *out, const char *name, const struct snapshot_table *table,
                           const void *object, time_ms now);
void snapshot_write_list(struct buf *out, const char *name, const struct snapshot_table *table,
                         const void *objects, size_t count, time_ms now);

/* Reads the members. What is missing, or of another type, counts as not known: a daemon of another
 * version is shown as far as it is understood. Texts are borrowed from `json`; NULL is none. */
void snapshot_read(struct json_object *json, const struct snapshot_table *table, void *object);
/* Reads one instant; TIME_NEVER: there is none. */
time_ms snapshot_read_time(struct json_object *json, const char *name);
/* Reads a member that is a list of such objects; *ret_objects is the caller's to free(), and NULL
 * where there are none. Returns 0 or -ENOMEM. */
int snapshot_read_list(struct json_object *json, const char *name,
                       const struct snapshot_table *table, void **ret_objects, size_t *ret_count);

#endif
