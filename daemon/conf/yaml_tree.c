#include "conf/yaml_tree.h"

#include <string.h>

struct tree_node *tree_new(struct arena *arena, enum tree_kind kind, struct mark mark)
{
    struct tree_node *node = arena_alloc(arena, sizeof(*node));

    if (!node)
        return NULL;
    node->kind = kind;
    node->mark = mark;
    node->text = "";
    return node;
}

void tree_append(struct tree_node *parent, struct tree_node *child)
{
    child->next = NULL;
    if (!parent->last)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
    parent->count++;
}

struct tree_node *tree_child(const struct tree_node *map, const char *name)
{
    if (!map || map->kind != TREE_MAP)
        return NULL;
    for (struct tree_node *child = map->first; child; child = child->next) {
        if (strcmp(child->name, name) == 0)
            return child;
    }
    return NULL;
}

bool tree_has_invalid(const struct tree_node *node)
{
    if (node->invalid)
        return true;
    for (const struct tree_node *child = node->first; child; child = child->next) {
        if (tree_has_invalid(child))
            return true;
    }
    return false;
}

void tree_append_path(struct buf *out, const struct tree_node *node)
{
    if (!node || !node->parent)
        return;
    tree_append_path(out, node->parent);
    if (!node->name)
        (void)buf_append_format(out, "[%zu]", node->index);
    else
        (void)buf_append_format(out, "%s%s", out->length > 0 ? "." : "", node->name);
}
