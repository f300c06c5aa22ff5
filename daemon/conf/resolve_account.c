#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/notifier.h"
#include "conf/resolve.h"
#include "conf/resource_id.h"
#include "conf/schema.h"
#include "conf/target_type.h"

/* An account and its place in the files, used while accounts are sorted. */
struct account_entry {
    struct account account;
    const struct tree_node *node;
};

/* One destination of one account, to find destinations with the same place. */
struct claim {
    const struct destination *destination;
    const struct account_entry *entry;
};

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

static bool fill_account(struct resolve *resolve, const struct tree_node *node,
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

static int compare_entries(const void *left, const void *right)
{
    const struct account_entry *a = left;
    const struct account_entry *b = right;
    int order = strcmp(a->account.key, b->account.key);

    return order != 0 ? order : mark_compare(&a->node->mark, &b->node->mark);
}

/* What the place of a destination is. */
static const char *kind_of_place(const struct destination *destination)
{
    return destination->type->place_is_file ? "file" : destination->type->variant.name;
}

/* Equal when both destinations write the same place. */
static int compare_destinations(const struct destination *a, const struct destination *b)
{
    int order = strcmp(a->place, b->place);

    return order != 0 ? order : strcmp(kind_of_place(a), kind_of_place(b));
}

static int compare_claims(const void *left, const void *right)
{
    const struct claim *a = left;
    const struct claim *b = right;
    int order = compare_destinations(a->destination, b->destination);

    return order != 0 ? order : mark_compare(&a->entry->node->mark, &b->entry->node->mark);
}

static void refuse_twins(struct resolve *resolve, const struct account_entry *entries, size_t count)
{
    size_t first = 0;

    for (size_t i = 1; i < count; i++) {
        const struct mark *mark = &entries[first].node->mark;

        if (!str_equal(entries[first].account.key, entries[i].account.key))
            first = i;
        else
            report_error(resolve->report, entries[i].node,
                         "account %s stands twice, first at %s:%u:%u (ids are compared without "
                         "regard to case); keep one",
                         entries[i].account.name, mark->file, mark->line, mark->column);
    }
}

static void report_meeting(struct resolve *resolve, const struct claim *first,
                           const struct claim *second)
{
    const struct mark *mark = &first->entry->node->mark;
    const struct destination *destination = second->destination;
    const char *place_key = destination->type->place_key;

    if (first->entry == second->entry)
        report_error(resolve->report, second->entry->node,
                     "targets %s and %s both write %s; give each a %s of its own",
                     first->destination->name, destination->name, destination->place, place_key);
    else if (!str_equal(first->entry->account.key, second->entry->account.key))
        report_error(resolve->report, second->entry->node,
                     "account %s (target %s) would write %s, as account %s at %s:%u:%u does; put "
                     "{account} into the %s, or {resource_group} and {subscription_id} too",
                     second->entry->account.name, destination->name, destination->place,
                     first->entry->account.name, mark->file, mark->line, mark->column, place_key);
}

/* May both accounts use the place? Two targets of one account never do. */
static bool may_meet(const struct claim *first, const struct claim *second)
{
    return first->destination->type->place_is_shared && first->entry != second->entry;
}

static void refuse_meetings(struct resolve *resolve, const struct account_entry *entries,
                            size_t count)
{
    size_t claim_count = 0;
    size_t first = 0;
    struct claim *claims;

    for (size_t i = 0; i < count; i++)
        claim_count += entries[i].account.destination_count;
    claims = calloc(claim_count + 1, sizeof(*claims));
    if (!claims) {
        report_error(resolve->report, resolve->root, "out of memory");
        return;
    }
    claim_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct account *account = &entries[i].account;

        for (size_t k = 0; k < account->destination_count; k++)
            if (!account->destinations[k].after) /* a hook writes nothing */
                claims[claim_count++] = (struct claim){&account->destinations[k], &entries[i]};
    }
    qsort(claims, claim_count, sizeof(*claims), compare_claims);
    for (size_t i = 1; i < claim_count; i++) {
        if (compare_destinations(claims[first].destination, claims[i].destination) != 0 ||
            may_meet(&claims[first], &claims[i]))
            first = i;
        else
            report_meeting(resolve, &claims[first], &claims[i]);
    }
    free(claims);
}

static void check_defaults(struct resolve *resolve)
{
    const struct tree_node *defaults = schema_get(resolve->root, "defaults");
    struct tree_node *identity = tree_child(defaults, "identity");
    struct tree_node *policy = tree_child(defaults, "policy");

    if (identity)
        (void)resolve_name(resolve, identity, "identities", "identity");
    if (policy)
        (void)resolve_name(resolve, policy, "policies", "policy");
    resolve_check_deliveries(resolve, tree_child(defaults, "deliver_to"));
}

static void keep_accounts(struct resolve *resolve, const struct account_entry *entries,
                          size_t count)
{
    struct account *accounts = arena_alloc_array(resolve->arena, count, sizeof(*accounts));

    if (!accounts)
        return;
    for (size_t i = 0; i < count; i++)
        accounts[i] = entries[i].account;
    resolve->config->accounts = accounts;
    resolve->config->account_count = count;
}

void resolve_accounts(struct resolve *resolve)
{
    const struct tree_node *section = schema_get(resolve->root, "accounts");
    struct account_entry *entries;
    size_t count = 0;

    check_defaults(resolve);
    if (!section)
        return;
    if (section->count == 0)
        report_warning(resolve->report, section, "is empty; there is nothing to look after");
    entries = calloc(section->count + 1, sizeof(*entries));
    if (!entries) {
        report_error(resolve->report, section, "out of memory");
        return;
    }
    for (const struct tree_node *node = section->first; node; node = node->next) {
        if (node->invalid)
            continue;
        entries[count] = (struct account_entry){.node = node};
        if (fill_account(resolve, node, &entries[count].account))
            count++;
    }
    qsort(entries, count, sizeof(*entries), compare_entries);
    refuse_twins(resolve, entries, count);
    refuse_meetings(resolve, entries, count);
    keep_accounts(resolve, entries, count);
    free(entries);
}

/* --- what no account uses --- */

typedef bool uses(const struct account *account, const char *name);

static bool uses_identity(const struct account *account, const char *name)
{
    if (account->identity && str_equal(account->identity->name, name))
        return true;
    for (size_t i = 0; i < account->destination_count; i++) {
        const struct identity *identity = account->destinations[i].identity;

        if (identity && str_equal(identity->name, name))
            return true;
    }
    return false;
}

static bool uses_policy(const struct account *account, const char *name)
{
    return str_equal(account->policy_name, name);
}

static bool uses_target(const struct account *account, const char *name)
{
    for (size_t i = 0; i < account->destination_count; i++) {
        if (str_equal(account->destinations[i].name, name))
            return true;
    }
    return false;
}

static bool is_notified(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->notifier_count; i++)
        if (str_equal(config->notifiers[i].destination.name, name))
            return true;
    return false;
}

static void note_unused(struct resolve *resolve, const char *section, uses *is_used)
{
    const struct config *config = resolve->config;
    const struct tree_node *names = schema_get(resolve->root, section);

    for (const struct tree_node *node = names ? names->first : NULL; node; node = node->next) {
        size_t i = 0;

        if (is_used == uses_target && is_notified(config, node->name))
            continue;
        while (i < config->account_count && !is_used(&config->accounts[i], node->name))
            i++;
        if (i == config->account_count)
            report_key_warning(resolve->report, node, "is used by no account");
    }
}

void resolve_note_unused(struct resolve *resolve)
{
    /* After errors a reference may be missing by mistake; without accounts everything is unused. */
    if (resolve->report->error_count > 0 || resolve->config->account_count == 0)
        return;
    note_unused(resolve, "identities", uses_identity);
    note_unused(resolve, "policies", uses_policy);
    note_unused(resolve, "targets", uses_target);
}
