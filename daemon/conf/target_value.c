#include "conf/target_value.h"

#include <string.h>

#include "conf/path.h"
#include "conf/value.h"

bool target_value_is_given(const struct tree_node *node)
{
    return node && !node->invalid;
}

void target_value_refuse(struct resolve *resolve, struct tree_node *node, const char *text,
                         const char *problem)
{
    char shown[VALUE_SHOWN_MAX];

    report_invalid(resolve->report, node, "\"%s\" %s", value_shown(text, shown), problem);
}

void target_value_refuse_location(struct resolve *resolve, struct tree_node *node,
                                  const char *where)
{
    if (target_value_is_given(node) && placeholder_needs_location(node->text))
        report_invalid(resolve->report, node,
                       "{location} cannot stand %s; use {account}, {resource_group} or "
                       "{subscription_id}",
                       where);
}

void target_value_check_path(struct resolve *resolve, struct tree_node *path)
{
    const char *problem = target_value_is_given(path) ? path_problem(path->text) : NULL;

    if (problem)
        target_value_refuse(resolve, path, path->text, problem);
}

char *target_value_expand(struct resolve *resolve, struct tree_node *node,
                          const struct placeholder_values *values, size_t maximum,
                          const char *limit)
{
    char *expanded = placeholder_expand(resolve->arena, node->text, values);

    if (arena_failed(resolve->arena))
        return NULL; /* report_finish() reports the shortage */
    if (expanded && strlen(expanded) <= maximum)
        return expanded;
    report_invalid(resolve->report, node, "expands to more than %s; shorten it", limit);
    return NULL;
}

bool target_value_check_outside(struct resolve *resolve, struct tree_node *node, const char *path)
{
    const char *state_dir = resolve->config->state_dir;

    if (!state_dir || !path_is_below(path, state_dir))
        return true;
    report_invalid(resolve->report, node,
                   "lies in state_dir %s, which belongs to the journal alone; write a path outside "
                   "of it",
                   state_dir);
    return false;
}
