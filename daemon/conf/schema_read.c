#include <assert.h>
#include <stddef.h>

#include "base/str.h"
#include "conf/schema.h"

const struct schema_key *schema_key(const struct schema_map *map, const char *name)
{
    for (const struct schema_key *key = map->keys; key->name; key++) {
        if (str_equal(key->name, name))
            return key;
    }
    return NULL;
}

bool schema_is_misspelt(const struct tree_node *map, const struct schema_map *schema,
                        const char *name)
{
    const char *const names[] = {name, NULL};

    for (const struct tree_node *child = map->first; child; child = child->next) {
        if (child->invalid && !schema_key(schema, child->name) && str_nearest(child->name, names))
            return true;
    }
    return false;
}

const struct tree_node *schema_get(const struct tree_node *map, const char *name)
{
    const struct tree_node *node = tree_child(map, name);

    return node && !node->invalid ? node : NULL;
}

/* Readers may ask only for keys of their own table. */
static const struct schema_key *own_key(const struct schema_map *map, const char *name)
{
    const struct schema_key *key = schema_key(map, name);

    assert(key);
    return key;
}

const char *schema_text(const struct tree_node *map, const struct schema_map *schema,
                        const char *name)
{
    const struct tree_node *node = schema_get(map, name);

    if (node && node->kind == TREE_SCALAR)
        return node->text;
    return own_key(schema, name)->fallback;
}

duration_ms schema_duration(const struct tree_node *map, const struct schema_map *schema,
                            const char *name)
{
    const char *text = schema_text(map, schema, name);
    duration_ms duration = 0;

    return text && duration_parse(text, &duration) ? duration : 0;
}

int64_t schema_integer(const struct tree_node *map, const struct schema_map *schema,
                       const char *name)
{
    const char *text = schema_text(map, schema, name);
    int64_t number = 0;

    return text && str_to_int64(text, &number) ? number : 0;
}

bool schema_boolean(const struct tree_node *map, const struct schema_map *schema, const char *name)
{
    return str_equal(schema_text(map, schema, name), "true");
}

bool schema_choice_value(const struct schema_choice *choices, const char *name, int *ret_value)
{
    for (; choices->name; choices++) {
        if (!str_equal_nocase(choices->name, name))
            continue;
        *ret_value = choices->value;
        return true;
    }
    return false;
}

int schema_choice(const struct tree_node *map, const struct schema_map *schema, const char *name)
{
    const char *text = schema_text(map, schema, name);
    int value = 0;

    if (text)
        (void)schema_choice_value(own_key(schema, name)->choices, text, &value);
    return value;
}

const struct schema_variant *schema_variant_of(const struct schema_variant *const *variants,
                                               const struct tree_node *map)
{
    const struct tree_node *type = schema_get(map, "type");

    if (!type || type->kind != TREE_SCALAR)
        return NULL;
    for (; *variants; variants++) {
        if (str_equal((*variants)->name, type->text))
            return *variants;
    }
    return NULL;
}

static const struct tree_node *skip_invalid(const struct tree_node *item)
{
    while (item && item->invalid)
        item = item->next;
    return item;
}

const struct tree_node *schema_first_item(const struct tree_node *node)
{
    if (!node || node->kind != TREE_LIST)
        return node;
    return skip_invalid(node->first);
}

const struct tree_node *schema_next_item(const struct tree_node *node, const struct tree_node *item)
{
    return node->kind == TREE_LIST ? skip_invalid(item->next) : NULL;
}
