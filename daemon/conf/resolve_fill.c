#include <string.h>

#include "base/str.h"
#include "conf/resolve.h"
#include "conf/resource_id.h"
#include "conf/schema.h"

static const char *const id_parts[] = {"name", "resource_group", "subscription_id"};
enum { ID_PARTS = sizeof(id_parts) / sizeof(id_parts[0]) };

/* Checks that either `id` or its three parts are given; reports missing and surplus keys. */
static bool has_identification(struct resolve *resolve, const struct tree_node *node)
{
    const struct tree_node *id = tree_child(node, "id");
    bool misspelt = schema_is_misspelt(node, &schema_account, "id");
    size_t present = 0;

    for (size_t i = 0; i < ID_PARTS; i++) {
        present += !!tree_child(node, id_parts[i]);
        misspelt = misspelt || schema_is_misspelt(node, &schema_account, id_parts[i]);
    }
    if (misspelt)
        return false; /* the unknown key has been reported, and was probably meant as this one */
    if (!id && present == 0) {
        report_missing(resolve->report, node, "id",
                       "is missing; give id, or name, resource_group and subscription_id");
        return false;
    }
    for (size_t i = 0; i < ID_PARTS; i++) {
        const struct tree_node *part = tree_child(node, id_parts[i]);

        if (id && part)
            report_key_error(resolve->report, part,
                             "says again what id says; keep id, or name, resource_group and "
                             "subscription_id");
        else if (!id && !part)
            report_missing(resolve->report, node, id_parts[i],
                           "is missing; without id, all of name, resource_group and "
                           "subscription_id are needed");
    }
    return id ? present == 0 : present == ID_PARTS;
}

static bool fill_id(struct resolve *resolve, const struct tree_node *node, struct account *account)
{
    struct arena *arena = resolve->arena;
    const char *id = schema_text(node, &schema_account, "id");
    struct resource_id parts;
    struct err err;
    char *key;

    if (!has_identification(resolve, node))
        return false;
    if (!id) {
        for (size_t i = 0; i < ID_PARTS; i++) {
            if (!schema_get(node, id_parts[i]))
                return false;
        }
        id = arena_format(arena, "/subscriptions/%s/resourceGroups/%s/providers/%s/%s",
                          schema_text(node, &schema_account, "subscription_id"),
                          schema_text(node, &schema_account, "resource_group"),
                          two_key_resource_at(0)->type, schema_text(node, &schema_account, "name"));
    }
    if (!id || resource_id_parse(id, &parts, &err) < 0)
        return false;
    account->id = arena_dup(arena, id);
    key = arena_dup(arena, id);
    account->name = arena_dup_n(arena, parts.name, parts.name_length);
    account->resource_group = arena_dup_n(arena, parts.group, parts.group_length);
    account->subscription_id = arena_dup_n(arena, parts.subscription, parts.subscription_length);
    if (!key || !account->name || !account->resource_group || !account->subscription_id)
        return false;
    str_lower(key);
    account->key = key;
    return true;
}

/* The account's own node for the key, else that of `defaults`, else NULL. */
static const struct tree_node *own_or_default(const struct resolve *resolve,
                                              const struct tree_node *node, const char *name)
{
    if (tree_child(node, name))
        return schema_get(node, name);
    return schema_get(schema_get(resolve->root, "defaults"), name);
}

static void fill_identity(struct resolve *resolve, const struct tree_node *node,
                          struct account *account)
{
    const struct tree_node *chosen = resolve_reference(resolve, node, "identities", "identity");

    for (size_t i = 0; chosen && i < resolve->config->identity_count; i++) {
        if (str_equal(resolve->config->identities[i].name, chosen->name))
            account->identity = &resolve->config->identities[i];
    }
}

/* The policy at `index` with the other value of `rotate`. */
static const struct policy *flipped_policy(struct resolve *resolve, size_t index)
{
    struct policy *flipped = resolve->flipped[index];

    if (flipped)
        return flipped;
    flipped = arena_alloc(resolve->arena, sizeof(*flipped));
    if (!flipped)
        return NULL;
    *flipped = resolve->policies[index];
    flipped->rotate = !flipped->rotate;
    resolve->flipped[index] = flipped;
    return flipped;
}

static void fill_policy(struct resolve *resolve, const struct tree_node *node,
                        struct account *account)
{
    const struct tree_node *chosen = resolve_reference(resolve, node, "policies", "policy");
    const struct tree_node *rotate = own_or_default(resolve, node, "rotate");

    for (size_t i = 0; chosen && i < resolve->config->policy_count; i++) {
        const struct policy *policy = &resolve->policies[i];

        if (!str_equal(resolve->config->policy_names[i], chosen->name))
            continue;
        account->policy_name = resolve->config->policy_names[i];
        account->policy = !rotate || str_equal(rotate->text, "true") == policy->rotate
                              ? policy
                              : flipped_policy(resolve, i);
    }
}

bool resolve_fill_account(struct resolve *resolve, const struct tree_node *node,
                          struct account *account)
{
    const struct tree_node *adopt = own_or_default(resolve, node, "adopt_active");
    bool identified = fill_id(resolve, node, account);

    account->has_adopt_active = adopt && slot_from_name(adopt->text, &account->adopt_active);
    fill_identity(resolve, node, account);
    fill_policy(resolve, node, account);
    resolve_check_deliveries(resolve, tree_child(node, "deliver_to"));
    if (identified)
        resolve_destinations(resolve, node, account);
    return identified;
}
