/*
 * A YAML file as a tree of named nodes that know where they were written.
 *
 * Only the plain part of YAML is read: one document, mappings, lists and scalars. Aliases, anchors,
 * tags, directives, merge keys and duplicate keys are errors, because a configuration that somebody
 * audits should say what it means where it says it. What a scalar means is left to the schema:
 * nothing here turns "yes" into true or "12:30" into 750.
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
    TREE_KEYS_MAX = 10000,  /* of one mapping: they are compared with each other */
    TREE_SCALAR_MAX = 4096, /* bytes */
};

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree_node {
    enum tree_kind kind;
    struct mark mark;               /* of the value */
    const struct tree_node *parent; /* NULL: the root of its file */
    const char *name;               /* the key inside a mapping, else NULL */
    struct mark name_mark;
    size_t index; /* inside a list, from 0 */
    bool invalid; /* an error about it has been reported: readers pass it by */
    bool noted;   /* a warning about it has been reported: one is enough */

    const char *text; /* scalar: "" where nothing is written */
    bool quoted;

    struct tree_node *first; /* mapping, list: the children as written */
    struct tree_node *last;
    struct tree_node *next; /* the sibling */
    size_t count;
};

/*
 * Parses the text of `file` (a name for messages). Returns its root, a mapping; NULL when an error
 * was so bad that the rest could not be understood, or when the file is empty (*ret_empty). Errors
 * that leave the rest readable are reported and the tree is returned without what was wrong. All
 * memory comes from the arena; `file` is borrowed for as long.
 */
struct tree_node *tree_parse(struct arena *arena, struct mark file, const char *text, size_t length,
                             struct report *report, bool *ret_empty);

/* An empty mapping or list at a place, to merge files into. NULL when memory is out. */
struct tree_node *tree_new(struct arena *arena, enum tree_kind kind, struct mark mark);

/* Appends a child. It keeps the parent and index it has, so that messages name its own file's path.
 */
void tree_append(struct tree_node *parent, struct tree_node *child);

/* The child of that name, also an invalid one, or NULL. NULL or anything but a mapping: NULL. */
struct tree_node *tree_child(const struct tree_node *map, const char *name);

/* Is the node, or anything below it, marked as invalid? */
bool tree_has_invalid(const struct tree_node *node);

/* "policies.nightly.window[1].from"; the empty string for a root. Appends to `out`. */
void tree_append_path(struct buf *out, const struct tree_node *node);

#endif
