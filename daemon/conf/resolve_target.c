#include "base/list.h"
#include "base/str.h"
#include "conf/placeholder.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/target_type.h"
#include "conf/target_webhook.h"
#include "proto/two_key/two_key.h"

/* NULL when this version has no type of that name. */
static const struct target_type *type_of(const struct tree_node *target)
{
    const struct schema_variant *variant = schema_variant_of(schema_target_types, target);

    return variant ? container_of(variant, struct target_type, variant) : NULL;
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
        if (!map->invalid && type)
            resolve_check_hooks(resolve, map);
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
        report_invalid(resolve->report, name, "%s stands twice, first at %s:%u:%u; keep one",
                       name->text, earlier->mark.file, earlier->mark.line, earlier->mark.column);
        return;
    }
}

void resolve_check_deliveries(struct resolve *resolve, struct tree_node *deliver_to)
{
    bool has_required = false;

    if (!deliver_to || deliver_to->invalid)
        return;
    if (deliver_to->kind == TREE_LIST && deliver_to->count > RESOLVE_DESTINATIONS_MAX) {
        report_invalid(resolve->report, deliver_to, "holds %zu targets; %d are the most",
                       deliver_to->count, RESOLVE_DESTINATIONS_MAX);
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

/* Fills in everything but `required` and `after`. Returns false when the target is invalid, or
 * invalid for this account. */
static bool fill_destination(struct resolve *resolve, const struct tree_node *target,
                             const struct account *account, const struct placeholder_values *values,
                             struct destination *destination)
{
    const struct target_type *type = type_of(target);

    if (target->invalid || !type || !type->fill(resolve, target, account, values, destination))
        return false;
    destination->name = arena_dup(resolve->arena, target->name);
    destination->type = type;
    destination->identity = identity_of(resolve, target, account);
    destination->key_shape = two_key_resource_find(account->id)->key_shape;
    return true;
}

/* The next destination of the account; NULL, reported at `blamed`, where there are too many. */
static struct destination *next_destination(struct resolve *resolve, const struct tree_node *blamed,
                                            const struct account *account)
{
    if (account->destination_count < RESOLVE_DESTINATIONS_MAX)
        return (struct destination *)&account->destinations[account->destination_count];
    report_error(resolve->report, blamed,
                 "the targets of account %s and what they tell by `after` are more than %d; name "
                 "fewer",
                 account->name, RESOLVE_DESTINATIONS_MAX);
    return NULL;
}

/* Is the hook, behind its owner, unlike those between them? Otherwise that has been reported. */
static bool is_new_hook(struct resolve *resolve, const struct tree_node *item,
                        const struct destination *hook)
{
    for (const struct destination *other = hook->after + 1; other < hook; other++) {
        if (other->type != hook->type || !str_equal(other->place, hook->place))
            continue;
        report_error(resolve->report, item, "tells %s twice; keep one", hook->name);
        return false;
    }
    return true;
}

static bool fill_hook(struct resolve *resolve, const struct tree_node *item,
                      const struct account *account, const struct placeholder_values *values,
                      struct destination *destination)
{
    struct tree_node *unit = tree_child(item, "unit");
    const struct tree_node *name = schema_get(item, "target");
    const struct tree_node *target =
        name ? tree_child(schema_get(resolve->root, "targets"), name->text) : NULL;

    destination->key_shape = two_key_resource_find(account->id)->key_shape;
    if (unit)
        return resolve_fill_unit(resolve, unit, values, destination);
    return target && fill_destination(resolve, target, account, values, destination);
}

static void add_hooks(struct resolve *resolve, const struct tree_node *target,
                      struct account *account, const struct placeholder_values *values,
                      const struct destination *owner)
{
    const struct tree_node *hooks = schema_get(target, "after");

    for (const struct tree_node *item = schema_first_item(hooks); item;
         item = schema_next_item(hooks, item)) {
        struct destination *hook = next_destination(resolve, item, account);

        if (!hook)
            return;
        *hook = (struct destination){.required = owner->required, .after = owner};
        if (!fill_hook(resolve, item, account, values, hook) || !is_new_hook(resolve, item, hook))
            continue;
        hook->without_key = true;
        account->destination_count++;
    }
}

/* A mistake in a target may be about whether it gets keys. */
static bool is_sound(const struct tree_node *target)
{
    for (const struct tree_node *child = target->first; child; child = child->next)
        if (child->invalid)
            return false;
    return !target->invalid;
}

/* The target as a destination of the account, and behind it what it tells. Returns false where a
 * mistake in it has been reported. */
static bool add_destination(struct resolve *resolve, const struct tree_node *blamed,
                            const struct tree_node *target, bool required, struct account *account)
{
    const struct placeholder_values values = {
        .account = account->name,
        .resource_group = account->resource_group,
        .subscription_id = account->subscription_id,
    };
    struct destination *destination = next_destination(resolve, blamed, account);

    if (!destination)
        return false;
    *destination = (struct destination){.required = required};
    if (!fill_destination(resolve, target, account, &values, destination))
        return false;
    account->destination_count++;
    add_hooks(resolve, target, account, &values, destination);
    return is_sound(target);
}

/* The first required destination, where none of those gets the key; otherwise NULL. */
static const struct destination *told_alone(const struct account *account)
{
    const struct destination *told = NULL;

    for (size_t i = 0; i < account->destination_count; i++) {
        const struct destination *destination = &account->destinations[i];

        if (!destination->required || destination->after)
            continue;
        if (!destination->without_key)
            return NULL;
        if (!told)
            told = destination;
    }
    return told;
}

/* A rotation would be complete although nobody has the new key. */
static void refuse_told_alone(struct resolve *resolve, struct tree_node *blamed,
                              const struct account *account)
{
    const struct destination *told = told_alone(account);

    if (!told || blamed->noted)
        return;
    blamed->noted = true; /* `defaults` and a single target are those of many accounts */
    report_error(resolve->report, blamed,
                 "no required target gets the key: %s is only told of it; %sadd a target that gets "
                 "the key, such as a file, to `deliver_to`",
                 told->name,
                 told->type == &target_webhook_type ? "set `include_key: true` in it, or " : "");
}

void resolve_destinations(struct resolve *resolve, const struct tree_node *node,
                          struct account *account)
{
    const struct tree_node *targets = schema_get(resolve->root, "targets");
    struct tree_node *list = tree_child(node, "deliver_to");
    struct tree_node *only;
    struct destination *destinations;
    bool is_whole = true;

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
        if (add_destination(resolve, only, only, true, account))
            refuse_told_alone(resolve, only, account);
        return;
    }
    for (const struct tree_node *item = schema_first_item(list); item;
         item = schema_next_item(list, item)) {
        const struct tree_node *name = delivery_name(item);
        const struct tree_node *target =
            name && !name->invalid ? tree_child(targets, name->text) : NULL;

        is_whole = target &&
                   add_destination(resolve, item, target, delivery_is_required(item), account) &&
                   is_whole;
    }
    if (is_whole)
        refuse_told_alone(resolve, list, account);
}
