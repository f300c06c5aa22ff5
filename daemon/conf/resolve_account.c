#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/discovery.h"
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
    struct account_entry *entry;
};

static int compare_entries(const void *left, const void *right)
{
    const struct account_entry *a = left;
    const struct account_entry *b = right;
    int order = strcmp(a->account.key, b->account.key);

    return order != 0 ? order : mark_compare(&a->node->mark, &b->node->mark);
}

static int compare_keys(const void *left, const void *right)
{
    const struct account_entry *a = left;
    const struct account_entry *b = right;

    return strcmp(a->account.key, b->account.key);
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

/* What else a resource has: "; for its other keys write pair: kerb". */
static const char *other_pair(struct resolve *resolve, const struct account *account)
{
    const struct two_key_resource *type = two_key_resource_find(account->id);
    const struct two_key_resource *other =
        two_key_pair_at(type, two_key_is_further_pair(type) ? 0 : 1);
    const char *text =
        other && other->pair
            ? arena_format(resolve->arena, ", or write pair: %s for the other", other->pair)
            : NULL;

    return text ? text : "";
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
                         "regard to case); keep one%s",
                         entries[i].account.name, mark->file, mark->line, mark->column,
                         other_pair(resolve, &entries[i].account));
    }
}

static bool share_resource(const struct account_entry *a, const struct account_entry *b)
{
    const size_t length = two_key_changed_length(a->account.key);

    return two_key_changed_length(b->account.key) == length &&
           strncmp(a->account.key, b->account.key, length) == 0;
}

/* Of sorted entries those of one resource stand side by side: '#' and '/' end its id. */
static void check_turns(struct resolve *resolve, const struct account_entry *entries, size_t count)
{
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && share_resource(&entries[first], &entries[end]);)
            end++;
        for (size_t i = first; i < end && end - first > 1; i++)
            resolve_check_turns(resolve, entries[i].node, &entries[i].account, end - first - 1);
    }
}

/* Explicit accounts keep what the configuration gives them. */
static void refuse_one(struct resolve *resolve, const struct claim *refused,
                       const struct claim *other)
{
    struct account *account = &refused->entry->account;

    if (account->rule && !account->problem)
        account->problem =
            arena_format(resolve->arena, "it would be delivered to %s (target %s), as %s/%s is",
                         refused->destination->place, refused->destination->name,
                         other->entry->account.resource_group, other->entry->account.name);
}

static void refuse_found(struct resolve *resolve, const struct claim *first,
                         const struct claim *second)
{
    refuse_one(resolve, first, second);
    refuse_one(resolve, second, first);
}

/* Placeholders tell them apart, unless they differ in type alone. */
static bool placeholders_differ(const struct account *a, const struct account *b)
{
    return !str_equal_nocase(a->name, b->name) ||
           !str_equal_nocase(a->resource_group, b->resource_group) ||
           !str_equal_nocase(a->subscription_id, b->subscription_id);
}

static void report_meeting(struct resolve *resolve, const struct claim *first,
                           const struct claim *second)
{
    const struct mark *mark = &first->entry->node->mark;
    const struct destination *destination = second->destination;
    const char *place_key = destination->type->place_key;
    const bool differ = placeholders_differ(&first->entry->account, &second->entry->account);

    if (first->entry->account.rule || second->entry->account.rule)
        refuse_found(resolve, first, second);
    else if (first->entry == second->entry)
        report_error(resolve->report, second->entry->node,
                     "targets %s and %s both write %s; give each a %s of its own",
                     first->destination->name, destination->name, destination->place, place_key);
    else if (!str_equal(first->entry->account.key, second->entry->account.key))
        report_error(
            resolve->report, second->entry->node,
            "account %s (target %s) would write %s, as account %s at %s:%u:%u does; %s%s%s",
            second->entry->account.name, destination->name, destination->place,
            first->entry->account.name, mark->file, mark->line, mark->column,
            differ ? "put {account} into the " : "give one of them a target with another ",
            place_key, differ ? ", or {resource_group} and {subscription_id} too" : "");
}

/* May both accounts use the place? Two targets of one account never do. */
static bool may_meet(const struct claim *first, const struct claim *second)
{
    return first->destination->type->place_is_shared && first->entry != second->entry;
}

static void refuse_meetings(struct resolve *resolve, struct account_entry *entries, size_t count)
{
    size_t claim_count = 0;
    size_t first = 0;
    struct claim *claims;

    for (size_t i = 0; i < count; i++)
        claim_count += entries[i].account.destination_count;
    claims = arena_alloc_array(resolve->report->arena, claim_count, sizeof(*claims));
    if (!claims)
        return;
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
    for (size_t i = 0; i < count; i++) {
        accounts[i] = entries[i].account;
        accounts[i].node = entries[i].node;
    }
    resolve->config->accounts = accounts;
    resolve->config->account_count = count;
}

/* Whoever is found and is configured by itself is that; so are the sorted entries. */
static size_t add_found(struct resolve *resolve, struct account_entry *entries, size_t explicit)
{
    size_t count = explicit;

    for (size_t i = 0; i < resolve->found_count; i++) {
        struct account_entry *entry = &entries[count];

        *entry = (struct account_entry){.node = NULL};
        if (resolve_fill_found(resolve, &resolve->found[i], &entry->account, &entry->node) &&
            !bsearch(entry, entries, explicit, sizeof(*entries), compare_keys))
            count++;
    }
    return count;
}

/* One that is present but wrong has been reported. */
static void require_accounts(struct resolve *resolve)
{
    const struct tree_node *section = schema_get(resolve->root, "accounts");

    if (section && section->count == 0 && !tree_child(resolve->root, "discover"))
        report_warning(resolve->report, section, "is empty; there is nothing to look after");
    if (!tree_child(resolve->root, "accounts") && !tree_child(resolve->root, "discover") &&
        resolve->root->count > 0 && !schema_is_misspelt(resolve->root, &schema_root, "accounts"))
        report_missing(resolve->report, resolve->root, "accounts",
                       "is missing; give a list, or let `discover` find them");
}

void resolve_accounts(struct resolve *resolve)
{
    const struct tree_node *section = schema_get(resolve->root, "accounts");
    struct account_entry *entries;
    size_t count = 0;

    check_defaults(resolve);
    require_accounts(resolve);
    entries =
        arena_alloc_array(resolve->report->arena,
                          (section ? section->count : 0) + resolve->found_count, sizeof(*entries));
    if (!entries)
        return;
    for (const struct tree_node *node = section ? section->first : NULL; node; node = node->next) {
        if (node->invalid)
            continue;
        entries[count] = (struct account_entry){.node = node};
        if (resolve_fill_account(resolve, node, &entries[count].account))
            count++;
    }
    qsort(entries, count, sizeof(*entries), compare_entries);
    refuse_twins(resolve, entries, count);
    check_turns(resolve, entries, count);
    count = add_found(resolve, entries, count);
    qsort(entries, count, sizeof(*entries), compare_entries);
    refuse_meetings(resolve, entries, count);
    keep_accounts(resolve, entries, count);
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
    /* After errors a reference may be missing by mistake; without accounts everything is unused,
     * and rules may find some that use what explicit ones do not. */
    if (resolve->report->error_count > 0 || resolve->config->account_count == 0 ||
        resolve->config->rule_count > 0)
        return;
    note_unused(resolve, "identities", uses_identity);
    note_unused(resolve, "policies", uses_policy);
    note_unused(resolve, "targets", uses_target);
}
