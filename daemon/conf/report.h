/*
 * The errors and warnings about a configuration, collected so that one run shows all of them, in
 * the order in which they stand in the files rather than that in which they were found.
 */
#ifndef KEYROTATED_CONF_REPORT_H
#define KEYROTATED_CONF_REPORT_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/arena.h"
#include "conf/config.h"
#include "conf/mark.h"
#include "conf/yaml_tree.h"

struct message;

struct report {
    struct arena *arena;
    struct message *newest;
    size_t error_count;
    size_t warning_count;
    bool incomplete; /* memory ran out while a message was made */
};

/* An empty report whose messages live in the arena. */
void report_init(struct report *report, struct arena *arena);

/* Reports a value; the sentence says what is wrong, then what would be right. */
void report_error(struct report *report, const struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, and marks the node as invalid. */
void report_invalid(struct report *report, struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_warning(struct report *report, const struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reports a key, or the item of a list, at the place of its name if it has one. */
void report_key_error(struct report *report, const struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_key_warning(struct report *report, const struct tree_node *node, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));

/* Reports a key that is missing from a mapping. */
void report_missing(struct report *report, const struct tree_node *map, const char *key,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Reports a place without a node; `path` may be "". */
void report_error_at(struct report *report, struct mark mark, const char *path, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
void report_warning_at(struct report *report, struct mark mark, const char *path,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The text of the buffer, for use in a message. When the buffer ran out of memory, report_finish()
 * will report that messages are incomplete. */
const char *report_part(struct report *report, const struct buf *part);

/* Writes the messages, sorted, and the counts to `messages`. Returns false when memory ran out for
 * a message or for anything else in the arena. */
bool report_finish(struct report *report, struct config_messages *messages);

#endif
