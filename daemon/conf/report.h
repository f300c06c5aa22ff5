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
    bool incomplete; /* memory ran out for a part of a message */
};

/* An empty report whose messages live in the arena. */
void report_init(struct report *report, struct arena *arena);

/* About a value; the sentence says what is wrong, then what would be right. */
void report_error(struct report *report, const struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_warning(struct report *report, const struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* About a key, or the item of a list: placed at its name where it has one. */
void report_key_error(struct report *report, const struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_key_warning(struct report *report, const struct tree_node *node, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));

/* About a key that a mapping does not have. */
void report_missing(struct report *report, const struct tree_node *map, const char *key,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* About a place without a node; `path` may be "". */
void report_error_at(struct report *report, struct mark mark, const char *path, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
void report_warning_at(struct report *report, struct mark mark, const char *path,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The text of a buffer that goes into a message. Where memory ran out for it, report_finish() will
 * say that messages are incomplete. */
const char *report_part(struct report *report, const struct buf *part);

/* Writes the messages, sorted, and the counts to `messages`. Returns false where memory ran out for
 * some of them, or for anything else that the arena was to hold. */
bool report_finish(struct report *report, struct config_messages *messages);

#endif
