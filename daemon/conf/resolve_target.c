#include <string.h>

#include "base/str.h"
#include "conf/placeholder.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/value.h"

enum { PATH_LENGTH_MAX = 4095 };

/* What is wrong with a file target's path before it is expanded, or NULL. Placeholders cannot bring
 * in a '/' or a dot segment: the grammar of ids rules both out. */
static const char *path_problem(const char *path)
{
    size_t length = strlen(path);

    if (path[0] != '/')
        return "is not an absolute path; begin it with '/'";
    if (path[length - 1] == '/')
        return "is a directory; add the name of the file";
    for (const char *segment = path; *segment != '\0';) {
        size_t segment_length = strcspn(segment, "/");

        if (segment_length <= 2 && strspn(segment, ".") == segment_length && segment_length > 0)
            return "holds \".\" or \"..\"; write the path without them";
        segment += segment_length;
        segment += strspn(segment, "/");
    }
    return NULL;
}

static void check_file_target(struct resolve *resolve, const struct tree_node *map)
{
    struct tree_node *path = tree_child(map, "path");
    struct tree_node *group = tree_child(map, "group");
    char shown[VALUE_SHOWN_MAX];
    const char *problem;

    if (path && !path->invalid) {
        problem = path_problem(path->text);
        if (problem) {
            report_error(resolve->report, path, "\"%s\" %s", value_shown(path->text, shown),
                         problem);
            path->invalid = true;
        }
    }
    if (group && !group->invalid && placeholder_needs_location(group->text)) {
        report_error(resolve->report, group,
                     "{location} cannot stand in a group; use {account}, {resource_group} or "
                     "{subscription_id}");
        group->invalid = true;
    }
}

void resolve_targets(struct resolve *resolve)
{
    const struct tree_node *section = schema_get(resolve->root, "targets");

    if (!section)
        return;
    for (const struct tree_node *map = section->first; map; map = map->next) {
        const struct schema_variant *variant = schema_variant_of(schema_target_types, map);

        if (!map->invalid && variant && !variant->later && variant->value == TARGET_FILE)
            check_file_target(resolve, map);
    }
}

/* The name node of an item of deliver_to: the item itself, or its `target`. */
static struct tree_node *delivery_name(const struct tree_node *item)
{
    return item->kind == TREE_MAP ? tree_child(item, "target") : (struct tree_node *)item;
}

static bool delivery_is_required(const struct tree_node *item)
{
    return item->kind != TREE_MAP || schema_boolean(item, &schema_delivery, "required");
}

static void refuse_repetition(struct resolve *resolve, const struct tree_node *list,
                              struct tree_node *name)
{
    for (const struct tree_node *item = schema_first_item(list); item;
         item = schema_next_item(list, item)) {
        const struct tree_node *earlier = delivery_name(item);

        if (earlier == name)
            return;
        if (!earlier || earlier->invalid || !str_equal(earlier->text, name->text))
            continue;
        report_error(resolve->report, name, "%s stands twice, first at %s:%u:%u; keep one",
                     name->text, earlier->place.file, earlier->place.line, earlier->place.column);
        name->invalid = true;
        return;
    }
}

void resolve_check_deliveries(struct resolve *resolve, struct tree_node *deliver_to)
{
    bool has_required = false;

    if (!deliver_to || deliver_to->invalid)
        return;
    if (deliver_to->kind == TREE_LIST && deliver_to->count > RESOLVE_DESTINATIONS_MAX) {
        report_error(resolve->report, deliver_to, "holds %zu targets; %d are the most",
                     deliver_to->count, RESOLVE_DESTINATIONS_MAX);
        deliver_to->invalid = true;
        return;
    }
    for (const struct tree_node *item = schema_first_item(deliver_to); item;
         item = schema_next_item(deliver_to, item)) {
        struct tree_node *name = delivery_name(item);

        has_required = has_required || delivery_is_required(item);
        if (name && resolve_name(resolve, name, "targets", "target"))
            refuse_repetition(resolve, deliver_to, name);
    }
    if (has_required)
        return;
    for (const struct tree_node *item = deliver_to->first; item; item = item->next)
        has_required = has_required || item->invalid; /* it may have been meant as required */
    if (!has_required)
        report_error(resolve->report, deliver_to,
                     "has no required target; leave \"required: false\" away from one of them");
}

static bool fill_path(struct resolve *resolve, struct tree_node *path,
                      const struct placeholder_values *values, struct destination *destination)
{
    char *expanded = placeholder_expand(resolve->arena, path->text, values);
    char *clean;

    if (arena_failed(resolve->arena))
        return false; /* reported in the end */
    if (!expanded || strlen(expanded) > PATH_LENGTH_MAX) {
        report_error(resolve->report, path, "expands to more than a path can hold; shorten it");
        path->invalid = true;
        return false;
    }
    clean = resolve_clean_path(resolve->arena, expanded);
    if (clean && resolve->config->state_dir &&
        resolve_is_below(clean, resolve->config->state_dir)) {
        report_error(resolve->report, path,
                     "lies in state_dir %s, which belongs to the journal alone; write a path "
                     "outside of it",
                     resolve->config->state_dir);
        path->invalid = true;
        return false;
    }
    destination->path = clean;
    destination->needs_location = placeholder_needs_location(expanded);
    return !!clean;
}

/* False where the target has been found wrong before, or is wrong for this account. */
static bool fill_destination(struct resolve *resolve, const struct tree_node *target,
                             const struct account *account, struct destination *destination)
{
    const struct schema_variant *variant = schema_variant_of(schema_target_types, target);
    const struct placeholder_values values = {
        .account = account->name,
        .resource_group = account->resource_group,
        .subscription_id = account->subscription_id,
    };
    struct tree_node *path = tree_child(target, "path");
    const struct tree_node *group = schema_get(target, "group");
    unsigned mode = 0;

    if (target->invalid || !variant || variant->later || !path || path->invalid ||
        !fill_path(resolve, path, &values, destination))
        return false;
    (void)value_parse_mode(schema_text(target, &schema_file_target, "mode"), &mode);
    destination->name = arena_dup(resolve->arena, target->name);
    destination->type = (enum target_type)variant->value;
    destination->mode = (mode_t)mode;
    destination->has_mode = !!schema_get(target, "mode");
    destination->format = (enum file_format)schema_choice(target, &schema_file_target, "format");
    if (group)
        destination->group = placeholder_expand(resolve->arena, group->text, &values);
    if (group && !destination->group && !arena_failed(resolve->arena))
        report_error(resolve->report, group,
                     "expands to more than the name of a group can hold; shorten it");
    return true;
}

void resolve_destinations(struct resolve *resolve, const struct tree_node *node,
                          struct account *account)
{
    const struct tree_node *targets = schema_get(resolve->root, "targets");
    const struct tree_node *list = tree_child(node, "deliver_to");
    const struct tree_node *only;
    struct destination *destinations;

    if (!list)
        list = tree_child(schema_get(resolve->root, "defaults"), "deliver_to");
    if (!targets || (list && list->invalid))
        return;
    only = !list && targets->count == 1 ? targets->first : NULL;
    if (!list && !only) {
        (void)resolve_reference(resolve, node, "targets", "deliver_to");
        return;
    }
    destinations =
        arena_alloc_array(resolve->arena, RESOLVE_DESTINATIONS_MAX, sizeof(*destinations));
    if (!destinations)
        return;
    account->destinations = destinations;
    if (only) {
        destinations[0].required = true;
        account->destination_count += fill_destination(resolve, only, account, &destinations[0]);
        return;
    }
    for (const struct tree_node *item = schema_first_item(list); item;
         item = schema_next_item(list, item)) {
        const struct tree_node *name = delivery_name(item);
        const struct tree_node *target =
            name && !name->invalid ? tree_child(targets, name->text) : NULL;
        struct destination *destination = &destinations[account->destination_count];

        destination->required = delivery_is_required(item);
        if (target && fill_destination(resolve, target, account, destination))
            account->destination_count++;
    }
}
