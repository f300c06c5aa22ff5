/*
 * A YAML file as a tree of named nodes with their places in the file.
 *
 * Only plain YAML is read: one document, mappings, lists and scalars. Aliases, anchors, tags,
 * directives, merge keys and duplicate keys are errors, because an auditor should find each value
 * where it is used. The schema interprets scalars; here "yes" and "12:30" stay text.
 */
#ifndef KEYROTATED_CONF_YAML_TREE_H
#define KEYROTATED_CONF_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "conf/arena.h"
#include "conf/mark.h"

struct report;

enum {
    TREE_FILE_MAX = 1024 * 1024, /* bytes */
    TREE_DEPTH_MAX = 16,         /* mappings and lists inside each other */
    TREE_EVENTS_MAX = 200000,
    TREE_KEYS_MAX = 10000,  /* of one mapping; limited because each key is compared with all
                             * others */
    TREE_SCALAR_MAX = 4096, /* bytes */
};

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

/* Of values that have to be in one line. */
#define TREE_LINES_PROBLEM                                                                         \
    "contains a line break or another control character; write it in one line"

struct tree_node {
    enum tree_kind kind;
    struct mark mark;               /* of the value */
    const struct tree_node *parent; /* NULL: the root of its file */
    const char *name;               /* the key inside a mapping, else NULL */
    struct mark name_mark;
    size_t index; /* inside a list, from 0 */
    bool invalid; /* an error about it has been reported; readers skip it */
    bool noted;   /* a message about it has been reported: one is enough */

    const char *text; /* scalar: its text, "" when empty */
    bool quoted;
    bool has_lines;      /* it holds line breaks or tabs, which most values cannot have */
    bool joins_lines;    /* it has lines, in a style in which YAML joins some of them (>) */
    const char *content; /* of the file that it names, or a copy of the text; NULL unless its
                          * reader keeps one */

    struct tree_node *first; /* mapping, list: the children as written */
    struct tree_node *last;
    struct tree_node *next; /* the sibling */
    size_t count;
};

/*
 * Parses the text of `file` (a name for messages). Returns its root, a mapping; NULL when the rest
 * of the file could not be parsed, or when the file is empty (*ret_empty). After other errors,
 * which are reported, the tree lacks the invalid parts. All memory comes from the arena; `file` is
 * borrowed for as long.
 */
struct tree_node *tree_parse(struct arena *arena, struct mark file, const char *text, size_t length,
                             struct report *report, bool *ret_empty);

/* An empty mapping or list at a place, to merge files into. NULL when memory is out. */
struct tree_node *tree_new(struct arena *arena, enum tree_kind kind, struct mark mark);

/* Appends a child. The child keeps its parent and index, so that messages name the path in its own
 * file. */
void tree_append(struct tree_node *parent, struct tree_node *child);

/* The child of that name, also an invalid one, or NULL. NULL or anything but a mapping: NULL. */
struct tree_node *tree_child(const struct tree_node *map, const char *name);

/* Is the node, or anything below it, marked as invalid? */
bool tree_has_invalid(const struct tree_node *node);

/* "policies.nightly.window[1].from"; the empty string for a root. Appends to `out`. */
void tree_append_path(struct buf *out, const struct tree_node *node);

#endif
