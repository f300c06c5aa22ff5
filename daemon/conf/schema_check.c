#include <stddef.h>

#include "base/str.h"
#include "conf/schema.h"
#include "conf/value.h"

enum { NAMES_MAX = 40 };

static bool check_node(struct report *report, struct tree_node *node, const struct schema_key *key);

/* A plain scalar without a value: YAML reads all of these as null. */
static bool is_missing_value(const struct tree_node *node)
{
    return node->kind == TREE_SCALAR && !node->quoted &&
           (node->text[0] == '\0' || str_equal(node->text, "~") ||
            str_equal_nocase(node->text, "null"));
}

static void refuse_unknown_key(struct report *report, struct tree_node *node,
                               const struct schema_map *schema, bool has_type)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    const char *nearest;

    for (const struct schema_key *key = schema->keys; key->name; key++)
        names[count++] = key->name;
    if (has_type)
        names[count++] = "type";
    names[count] = NULL;
    nearest = str_nearest(node->name, names);
    node->invalid = true;
    if (nearest) {
        report_key_error(report, node, "unknown key; did you mean %s?", nearest);
    } else {
        struct buf known;

        buf_init(&known, 1024);
        for (size_t i = 0; i < count; i++)
            (void)buf_append_format(&known, "%s%s", i > 0 ? ", " : "", names[i]);
        report_key_error(report, node, "unknown key; known here: %s", report_part(report, &known));
        buf_done(&known);
    }
}

static void check_keys(struct report *report, struct tree_node *map,
                       const struct schema_map *schema, bool skip_required, bool has_type)
{
    for (struct tree_node *node = map->first; node; node = node->next) {
        const struct schema_key *key = schema_key(schema, node->name);

        if (key) {
            if (!check_node(report, node, key))
                node->invalid = true;
        } else if (!has_type || !str_equal(node->name, "type")) {
            refuse_unknown_key(report, node, schema, has_type);
        }
    }
    for (const struct schema_key *key = schema->keys; key->name && !skip_required; key++) {
        char expected[VALUE_EXPECTED_MAX];

        if (key->required && !tree_child(map, key->name) &&
            !schema_is_misspelt(map, schema, key->name))
            report_missing(report, map, key->name, "is missing; give %s",
                           key->shape == SHAPE_LIST ? "a list" : value_expected(key, expected));
    }
}

void schema_check(struct report *report, struct tree_node *map, const struct schema_map *schema,
                  bool skip_required)
{
    check_keys(report, map, schema, skip_required, false);
}

/* "a, b or c" */
static void append_available(struct buf *out, const struct schema_variant *const *variants)
{
    size_t left = 0;

    for (const struct schema_variant *const *item = variants; *item; item++)
        left++;
    for (const struct schema_variant *const *item = variants; *item; item++) {
        left--;
        (void)buf_append_format(out, "%s%s", (*item)->name,
                                left == 0 ? "" : (left == 1 ? " or " : ", "));
    }
}

static void refuse_type(struct report *report, const struct tree_node *type,
                        const struct schema_variant *const *variants)
{
    const char *names[NAMES_MAX];
    char shown[VALUE_SHOWN_MAX];
    size_t count = 0;
    const char *nearest;
    struct buf available;

    for (const struct schema_variant *const *item = variants; *item; item++)
        names[count++] = (*item)->name;
    names[count] = NULL;
    nearest = str_nearest(type->text, names);
    buf_init(&available, 1024);
    append_available(&available, variants);
    if (nearest)
        report_error(report, type, "unknown type \"%s\"; did you mean %s?",
                     value_shown(type->text, shown), nearest);
    else
        report_error(report, type, "unknown type \"%s\"; write %s", value_shown(type->text, shown),
                     report_part(report, &available));
    buf_done(&available);
}

/* Without a type the legal keys are unknown. A key that no type has was probably meant as
 * `type`. */
static bool refuse_misspelt_type(struct report *report, const struct tree_node *map,
                                 const struct schema_variant *const *variants)
{
    static const char *const names[] = {"type", NULL};

    for (struct tree_node *node = map->first; node; node = node->next) {
        bool known = false;

        for (const struct schema_variant *const *item = variants; *item; item++)
            known = known || schema_key((*item)->map, node->name);
        if (known || !str_nearest(node->name, names))
            continue;
        report_key_error(report, node, "unknown key; did you mean type?");
        node->invalid = true;
        return true;
    }
    return false;
}

/* A mapping whose keys depend on its `type`. */
static bool check_variant(struct report *report, struct tree_node *map,
                          const struct schema_variant *const *variants)
{
    const struct schema_variant *variant = schema_variant_of(variants, map);
    struct tree_node *type = tree_child(map, "type");
    struct buf available;

    buf_init(&available, 1024);
    append_available(&available, variants);
    if (!type) {
        if (!refuse_misspelt_type(report, map, variants))
            report_missing(report, map, "type", "is missing; write %s",
                           report_part(report, &available));
    } else if (type->kind != TREE_SCALAR || is_missing_value(type)) {
        report_invalid(report, type, "must be a name; write %s", report_part(report, &available));
    } else if (type->has_lines && !type->invalid) {
        report_invalid(report, type, "%s", TREE_LINES_PROBLEM);
    } else if (!variant && !type->invalid) {
        refuse_type(report, type, variants);
        type->invalid = true;
    }
    buf_done(&available);
    if (variant)
        check_keys(report, map, variant->map, false, true);
    return !!variant;
}

static bool check_one(struct report *report, struct tree_node *node, const struct schema_key *key)
{
    char expected[VALUE_EXPECTED_MAX];

    if (node->invalid)
        return false;
    if (node->has_lines && key->type != SCHEMA_CONTENT) {
        report_error(report, node, "%s", TREE_LINES_PROBLEM);
        return false;
    }
    if (node->joins_lines) {
        report_error(report, node,
                     "has several lines, some of which YAML joins; write them as a block, `%s: |`",
                     node->name ? node->name : key->name);
        return false;
    }
    if (is_missing_value(node)) {
        report_error(report, node, "has no value; give %s", value_expected(key, expected));
        return false;
    }
    if (node->kind == TREE_MAP && key->variants)
        return check_variant(report, node, key->variants);
    if (node->kind == TREE_MAP && key->map) {
        check_keys(report, node, key->map, false, false);
        return true;
    }
    if (node->kind != TREE_SCALAR || key->type == SCHEMA_MAP) {
        static const char *const kinds[] = {
            [TREE_SCALAR] = "a single value", [TREE_LIST] = "a list", [TREE_MAP] = "a mapping"};

        report_error(report, node, "is %s; give %s", kinds[node->kind],
                     value_expected(key, expected));
        return false;
    }
    return value_check(report, node, key);
}

static bool check_items(struct report *report, struct tree_node *list, const struct schema_key *key)
{
    for (struct tree_node *item = list->first; item; item = item->next) {
        if (!check_one(report, item, key))
            item->invalid = true;
    }
    return true;
}

static bool check_by_name(struct report *report, struct tree_node *map,
                          const struct schema_key *key)
{
    struct schema_key one = *key; /* what each of the names stands for */

    one.shape = SHAPE_ONE;
    if (map->kind != TREE_MAP) {
        report_error(report, map, "must be a mapping from names; write \"%s: {NAME: …}\"",
                     key->name);
        return false;
    }
    if (map->count == 0)
        report_error(report, map, "is empty; name at least one");
    for (struct tree_node *child = map->first; child; child = child->next) {
        if (key->shape == SHAPE_BY_NAME && !value_is_name(child->name))
            report_key_error(report, child,
                             "is no name; use letters, digits, '_', '-' and '.', 64 at most");
        if (!check_one(report, child, &one))
            child->invalid = true;
    }
    return true;
}

static bool check_node(struct report *report, struct tree_node *node, const struct schema_key *key)
{
    if (node->invalid)
        return false;
    switch (key->shape) {
    case SHAPE_BY_NAME:
    case SHAPE_BY_TEXT:
        if (!is_missing_value(node))
            return check_by_name(report, node, key);
        return check_one(report, node, key);
    case SHAPE_LIST:
        if (node->kind == TREE_LIST)
            return check_items(report, node, key);
        report_error(report, node, "must be a list; begin each item with \"- \"");
        return false;
    case SHAPE_ONE_OR_LIST:
        if (node->kind == TREE_LIST)
            return check_items(report, node, key);
        return check_one(report, node, key);
    case SHAPE_ONE:
        break;
    }
    return check_one(report, node, key);
}
