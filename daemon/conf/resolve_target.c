#include "base/list.h"
#include "base/str.h"
#include "conf/placeholder.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/target_type.h"
#include "proto/two_key/two_key.h"

/* NULL when this version has no type of that name. */
static const struct target_type *type_of(const struct tree_node *target)
{
    const struct schema_variant *variant = schema_variant_of(schema_target_types, target);

    return variant && !variant->later ? container_of(variant, struct target_type, variant) : NULL;
}

void resolve_targets(struct resolve *resolve)
{
    const struct tree_node *section = schema_get(resolve->root, "targets");

    if (!section)
        return;
    for (const struct tree_node *map = section->first; map; map = map->next) {
        const struct target_type *type = type_of(map);
        struct tree_node *identity = tree_child(map, "identity");

        if (identity)
            (void)resolve_name(resolve, identity, "identities", "identity");
        if (!map->invalid && type)
            type->check(resolve, map);
    }
}

/* That of the target's key `identity`, or else the account's. NULL when that is invalid. */
static const struct identity *identity_of(const struct resolve *resolve,
                                          const struct tree_node *target,
                                          const struct account *account)
{
    const struct config *config = resolve->config;
    const struct tree_node *node = tree_child(target, "identity");

    if (!node)
        return account->identity;
    for (size_t i = 0; !node->invalid && i < config->identity_count; i++) {
        if (str_equal(config->identities[i].name, node->text))
            return &config->identities[i];
    }
    return NULL;
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
                     name->text, earlier->mark.file, earlier->mark.line, earlier->mark.column);
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
                     "has no required target; remove \"required: false\" from one of them");
}

/* Returns false when the target is invalid, or invalid for this account. */
static bool fill_destination(struct resolve *resolve, const struct tree_node *target,
                             const struct account *account, struct destination *destination)
{
    const struct target_type *type = type_of(target);
    const struct placeholder_values values = {
        .account = account->name,
        .resource_group = account->resource_group,
        .subscription_id = account->subscription_id,
    };

    if (target->invalid || !type || !type->fill(resolve, target, account, &values, destination))
        return false;
    destination->name = arena_dup(resolve->arena, target->name);
    destination->type = type;
    destination->identity = identity_of(resolve, target, account);
    destination->key_shape = two_key_resource_find(account->id)->key_shape;
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
