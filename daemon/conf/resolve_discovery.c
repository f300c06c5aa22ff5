#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "conf/discovery.h"
#include "conf/resolve.h"
#include "conf/resource_id.h"
#include "conf/schema.h"
#include "conf/target_type.h"
#include "conf/value.h"
#include "proto/two_key/two_key.h"

/* Two accounts that a rule might find, which have no part in common. */
#define SAMPLE_SUBSCRIPTION "/subscriptions/00000000-0000-0000-0000-00000000000"

/* The keys of a rule that mean the same in an account. */
static const char *const shared_keys[] = {"adopt_active", "identity", "policy", "deliver_to",
                                          "rotate"};
enum { SHARED_KEYS = sizeof(shared_keys) / sizeof(shared_keys[0]) };

/* --- patterns --- */

static struct discovery_patterns patterns_of(struct resolve *resolve, const struct tree_node *list)
{
    struct discovery_patterns patterns = {.count = 0};
    const char **items = arena_alloc_array(resolve->arena, DISCOVERY_ITEMS_MAX, sizeof(*items));

    if (!list || !items)
        return patterns;
    for (const struct tree_node *item = schema_first_item(list); item;
         item = schema_next_item(list, item)) {
        if (patterns.count == DISCOVERY_ITEMS_MAX) {
            report_error(resolve->report, list, "holds more than %d items", DISCOVERY_ITEMS_MAX);
            break;
        }
        items[patterns.count++] = arena_dup(resolve->arena, item->text);
    }
    patterns.items = items;
    return patterns;
}

/* Without this an empty list would be like none, and match everything. */
static void refuse_empty(struct resolve *resolve, const struct tree_node *list, const char *wanted)
{
    if (list && list->kind == TREE_LIST && list->count == 0)
        report_error(resolve->report, list, "is empty; %s", wanted);
}

static struct discovery_patterns read_patterns(struct resolve *resolve, const struct tree_node *map,
                                               const char *key)
{
    const struct tree_node *list = schema_get(map, key);

    refuse_empty(resolve, list, "give a pattern, or leave it out");
    return patterns_of(resolve, list);
}

static void fill_tags(struct resolve *resolve, const struct tree_node *map,
                      struct discovery_filter *filter)
{
    struct discovery_tag *tags =
        map ? arena_alloc_array(resolve->arena, map->count, sizeof(*tags)) : NULL;

    if (!tags)
        return;
    filter->tags = tags;
    for (const struct tree_node *tag = map->first; tag; tag = tag->next) {
        if (tag->invalid)
            continue;
        tags[filter->tag_count++] = (struct discovery_tag){
            .name = arena_dup(resolve->arena, tag->name), .values = patterns_of(resolve, tag)};
    }
}

static void fill_filter(struct resolve *resolve, const struct tree_node *map,
                        struct discovery_filter *filter)
{
    filter->names = read_patterns(resolve, map, "names");
    filter->groups = read_patterns(resolve, map, "resource_groups");
    filter->locations = read_patterns(resolve, map, "locations");
    fill_tags(resolve, schema_get(map, "tags"), filter);
}

/* An item without keys would exclude everything. */
static void fill_exclusions(struct resolve *resolve, const struct tree_node *list,
                            struct discovery_rule *rule)
{
    struct discovery_filter *filters =
        list ? arena_alloc_array(resolve->arena, DISCOVERY_ITEMS_MAX, sizeof(*filters)) : NULL;

    if (!filters)
        return;
    rule->excluded = filters;
    for (const struct tree_node *item = schema_first_item(list); item;
         item = schema_next_item(list, item)) {
        if (rule->excluded_count == DISCOVERY_ITEMS_MAX)
            report_error(resolve->report, list, "holds more than %d items", DISCOVERY_ITEMS_MAX);
        else if (item->count == 0)
            report_error(resolve->report, item,
                         "is empty, and would exclude every account; give names, resource_groups, "
                         "locations or tags");
        else
            fill_filter(resolve, item, &filters[rule->excluded_count++]);
    }
}

/* --- types and subscriptions --- */

/* Types below others cannot be listed for a whole subscription. */
static bool is_listed(const struct two_key_resource *type)
{
    const char *slash = strchr(type->type, '/');

    return slash && !strchr(slash + 1, '/');
}

static void refuse_type(struct resolve *resolve, const struct tree_node *node)
{
    char shown[VALUE_SHOWN_MAX], problem[RESOURCE_PROBLEM_MAX];
    const bool is_known = !!two_key_resource_named(node->text);
    const struct two_key_resource *type;
    struct buf known;

    if (!is_known && resource_type_problem(node->text, problem, sizeof(problem))) {
        report_error(resolve->report, node, "\"%s\" %s", value_shown(node->text, shown), problem);
        return;
    }
    buf_init(&known, 1024);
    for (size_t i = 0; (type = two_key_resource_at(i)); i++)
        if (is_listed(type))
            (void)buf_append_format(&known, "%s%s", known.length > 0 ? ", " : "", type->short_name);
    report_error(resolve->report, node, "%s\"%s\"%s; rules find: %s",
                 is_known ? "" : "unknown type ", value_shown(node->text, shown),
                 is_known ? " stands below another resource; give each of them in accounts" : "",
                 report_part(resolve->report, &known));
    buf_done(&known);
}

static const struct two_key_resource *type_named(const char *name)
{
    const struct two_key_resource *type = two_key_resource_named(name);

    return type && is_listed(type) ? type : NULL;
}

static void fill_types(struct resolve *resolve, const struct tree_node *node,
                       struct discovery_rule *rule)
{
    const struct tree_node *list = schema_get(node, "types");
    const struct two_key_resource **types =
        arena_alloc_array(resolve->arena, DISCOVERY_TYPES_MAX, sizeof(struct two_key_resource *));
    const struct two_key_resource *type;

    if (!types)
        return;
    rule->types = types;
    refuse_empty(resolve, list, "give a type, or leave it out for Batch accounts");
    if (!list)
        types[rule->type_count++] = two_key_resource_at(0);
    for (const struct tree_node *item = list ? schema_first_item(list) : NULL; item;
         item = schema_next_item(list, item)) {
        type = type_named(item->text);
        if (!type)
            refuse_type(resolve, item);
        else if (rule->type_count < DISCOVERY_TYPES_MAX)
            types[rule->type_count++] = type;
    }
}

/* `all` stands alone. */
static void fill_subscriptions(struct resolve *resolve, const struct tree_node *node,
                               struct discovery_rule *rule)
{
    const struct tree_node *list = schema_get(node, "subscriptions");
    struct discovery_patterns ids = patterns_of(resolve, list);

    refuse_empty(resolve, list, "write all, or ids of subscriptions");
    for (size_t i = 0; i < ids.count; i++) {
        if (!str_equal_nocase(ids.items[i], "all"))
            continue;
        if (ids.count > 1)
            report_error(resolve->report, list, "holds all beside ids; keep all, or the ids");
        return;
    }
    rule->subscriptions = ids.items;
    rule->subscription_count = ids.count;
}

/* --- the accounts that it would find --- */

static bool is_shared(const char *name)
{
    for (size_t i = 0; i < SHARED_KEYS; i++)
        if (str_equal(name, shared_keys[i]))
            return true;
    return false;
}

struct tree_node *resolve_found_node(struct resolve *resolve, const struct tree_node *rule,
                                     const char *id)
{
    struct tree_node *node = arena_alloc(resolve->arena, sizeof(*node));
    struct tree_node *child = tree_new(resolve->arena, TREE_SCALAR, rule->mark);

    if (!node || !child)
        return NULL;
    *node = *rule;
    node->first = NULL;
    node->last = NULL;
    node->count = 0;
    child->name = "id";
    child->text = arena_dup(resolve->arena, id);
    child->parent = rule;
    child->name_mark = rule->mark;
    if (!child->text)
        return NULL;
    tree_append(node, child);
    for (const struct tree_node *own = rule->first; own; own = own->next) {
        if (!is_shared(own->name))
            continue;
        child = arena_alloc(resolve->arena, sizeof(*child));
        if (!child)
            return NULL;
        *child = *own;
        tree_append(node, child);
    }
    return node;
}

static bool fill_sample(struct resolve *resolve, const struct tree_node *node,
                        const struct two_key_resource *type, int number, struct account *account)
{
    const struct tree_node *found;
    const char *id = arena_format(
        resolve->arena, SAMPLE_SUBSCRIPTION "%d/resourceGroups/group%d/providers/%s/sample%d",
        number, number, type->type, number);

    found = id ? resolve_found_node(resolve, node, id) : NULL;
    return found && resolve_fill_account(resolve, found, account);
}

/* Targets whose places are the same for all accounts suit no rule. */
static void refuse_fixed_places(struct resolve *resolve, const struct tree_node *node,
                                const struct account *one, const struct account *other)
{
    for (size_t i = 0; i < one->destination_count && i < other->destination_count; i++) {
        const struct destination *destination = &one->destinations[i];

        if (destination->after || destination->type->place_is_shared ||
            !str_equal(destination->place, other->destinations[i].place))
            continue;
        report_error(resolve->report, node,
                     "every account that it finds would be delivered to %s (target %s); put "
                     "{account} into the %s, or {resource_group} and {subscription_id} too",
                     destination->place, destination->name, destination->type->place_key);
    }
}

/* A target's form, or the policy, may ask for what keys of one type lack. */
static void check_further_types(struct resolve *resolve, const struct tree_node *node,
                                const struct discovery_rule *rule)
{
    struct report *report = resolve->report;
    const struct report before = *report;
    struct report kept = before;

    for (size_t i = 1; i < rule->type_count; i++) {
        struct account account = {.id = NULL};
        struct resolve_pace *const paces = resolve->paces;
        const bool filled = fill_sample(resolve, node, rule->types[i], 1, &account);

        if (report->error_count != before.error_count)
            return;
        /* Its warnings are those of the first type, but for the pace. */
        report->newest = kept.newest;
        report->warning_count = kept.warning_count;
        if (filled)
            resolve_check_sample_pace(resolve, node, &account, paces);
        kept = *report;
    }
}

static void check_samples(struct resolve *resolve, const struct tree_node *node,
                          struct discovery_rule *rule)
{
    struct report *own = resolve->report;
    const size_t errors = own->error_count;
    struct account one = {.id = NULL}, other = {.id = NULL};
    struct report ignored;

    if (rule->type_count == 0 || !fill_sample(resolve, node, rule->types[0], 1, &one))
        return;
    rule->identity = one.identity;
    rule->policy_name = one.policy_name;
    rule->destination_count = one.destination_count;
    rule->destinations = one.destinations;
    if (own->error_count != errors)
        return;
    report_init(&ignored, resolve->arena); /* it would say the same again */
    resolve->report = &ignored;
    if (fill_sample(resolve, node, rule->types[0], 2, &other)) {
        resolve->report = own;
        refuse_fixed_places(resolve, node, &one, &other);
    }
    resolve->report = own;
    if (own->error_count == errors)
        check_further_types(resolve, node, rule);
}

/* --- rules --- */

static void check_name(struct resolve *resolve, const struct tree_node *node, const char *name)
{
    char shown[VALUE_SHOWN_MAX];

    if (!name)
        return;
    if (!value_is_name(name))
        report_error(resolve->report, schema_get(node, "name"),
                     "\"%s\" is no name; use letters, digits, '_', '-' and '.', 64 at most",
                     value_shown(name, shown));
    for (size_t i = 0; i < resolve->config->rule_count; i++)
        if (str_equal(resolve->config->rules[i].name, name))
            report_error(resolve->report, schema_get(node, "name"),
                         "is the name of another rule already; give each a name of its own");
}

static void fill_rule(struct resolve *resolve, const struct tree_node *node,
                      struct discovery_rule *rule)
{
    const char *name = schema_text(node, &schema_discover, "name");
    const char *adopt = schema_text(node, &schema_discover, "adopt_active");

    check_name(resolve, node, name);
    rule->name = arena_dup(resolve->arena, name ? name : "");
    rule->active_tag = arena_dup(resolve->arena, schema_text(node, &schema_discover, "active_tag"));
    rule->has_adopt_active = adopt && slot_from_name(adopt, &rule->adopt_active);
    rule->by = (enum discovery_by)schema_choice(node, &schema_discover, "by");
    rule->every = schema_duration(node, &schema_discover, "every");
    rule->max_new = (unsigned)schema_integer(node, &schema_discover, "max_new");
    rule->dry_run = schema_boolean(node, &schema_discover, "dry_run");
    fill_subscriptions(resolve, node, rule);
    fill_types(resolve, node, rule);
    fill_filter(resolve, node, &rule->wanted);
    fill_exclusions(resolve, schema_get(node, "exclude"), rule);
    check_samples(resolve, node, rule);
}

const struct tree_node *resolve_rule_node(const struct resolve *resolve, const char *name)
{
    const struct tree_node *section = schema_get(resolve->root, "discover");

    for (const struct tree_node *node = section ? section->first : NULL; node; node = node->next)
        if (!node->invalid && str_equal(schema_text(node, &schema_discover, "name"), name))
            return node;
    return NULL;
}

void resolve_rules(struct resolve *resolve)
{
    const struct tree_node *section = schema_get(resolve->root, "discover");
    struct discovery_rule *rules;

    if (!section)
        return;
    rules = arena_alloc_array(resolve->arena, DISCOVERY_RULES_MAX, sizeof(*rules));
    resolve->config->rules = rules;
    for (const struct tree_node *node = section->first; rules && node; node = node->next) {
        if (node->invalid)
            continue;
        if (resolve->config->rule_count == DISCOVERY_RULES_MAX) {
            report_error(resolve->report, node, "is one too many; %d are the most",
                         DISCOVERY_RULES_MAX);
            return;
        }
        fill_rule(resolve, node, &rules[resolve->config->rule_count]);
        resolve->config->rule_count++;
    }
}
