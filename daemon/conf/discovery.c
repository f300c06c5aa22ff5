#include "conf/discovery.h"

#include <string.h>

#include "base/glob.h"
#include "base/str.h"
#include "conf/resource_id.h"

enum { PART_MAX = 512 };

static bool matches_any(const struct discovery_patterns *patterns, const char *text, bool any_case)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (glob_match(patterns->items[i], text, any_case))
            return true;
    return patterns->count == 0;
}

/* "West Europe" and "westeurope" are one region. */
static void without_blanks(char out[PART_MAX], const char *text)
{
    size_t length = 0;

    for (; *text != '\0' && length < PART_MAX - 1; text++)
        if (*text != ' ')
            out[length++] = *text;
    out[length] = '\0';
}

static bool matches_location(const struct discovery_patterns *patterns, const char *location)
{
    char plain[PART_MAX];

    without_blanks(plain, location);
    for (size_t i = 0; i < patterns->count; i++) {
        char pattern[PART_MAX];

        without_blanks(pattern, patterns->items[i]);
        if (glob_match(pattern, plain, true))
            return true;
    }
    return patterns->count == 0;
}

static const char *tag_value(const struct arm_resource *resource, const char *name)
{
    for (size_t i = 0; i < resource->tag_count; i++)
        if (str_equal_nocase(resource->tags[i].name, name))
            return resource->tags[i].value;
    return NULL;
}

static bool matches_tags(const struct discovery_filter *filter, const struct arm_resource *resource)
{
    for (size_t i = 0; i < filter->tag_count; i++) {
        const char *value = tag_value(resource, filter->tags[i].name);

        if (!value || !matches_any(&filter->tags[i].values, value, false))
            return false;
    }
    return true;
}

static void copy_part(char out[PART_MAX], const char *text, size_t length)
{
    if (length >= PART_MAX)
        length = PART_MAX - 1;
    memcpy(out, text, length);
    out[length] = '\0';
}

static bool passes(const struct discovery_filter *filter, const struct resource_id *id,
                   const struct arm_resource *resource)
{
    char name[PART_MAX], group[PART_MAX];

    copy_part(name, id->name, id->name_length);
    copy_part(group, id->group, id->group_length);
    return matches_any(&filter->names, name, true) && matches_any(&filter->groups, group, true) &&
           matches_location(&filter->locations, resource->location) &&
           matches_tags(filter, resource);
}

static bool is_in_subscriptions(const struct discovery_rule *rule, const struct resource_id *id)
{
    char subscription[PART_MAX];

    copy_part(subscription, id->subscription, id->subscription_length);
    for (size_t i = 0; i < rule->subscription_count; i++)
        if (str_equal_nocase(rule->subscriptions[i], subscription))
            return true;
    return rule->subscription_count == 0;
}

static bool is_of_types(const struct discovery_rule *rule, const char *id)
{
    const struct two_key_resource *type = two_key_resource_find(id);

    for (size_t i = 0; i < rule->type_count; i++)
        if (rule->types[i] == type)
            return true;
    return false;
}

const char *discovery_by_name(enum discovery_by by)
{
    return by == DISCOVERY_BY_MANAGER ? "resource_manager"
           : by == DISCOVERY_BY_GRAPH ? "resource_graph"
                                      : "auto";
}

bool discovery_matches(const struct discovery_rule *rule, const struct arm_resource *resource)
{
    struct resource_id id;
    struct err err;

    if (resource_id_parse(resource->id, &id, &err) != 0 || !is_of_types(rule, resource->id) ||
        !is_in_subscriptions(rule, &id) || !passes(&rule->wanted, &id, resource))
        return false;
    for (size_t i = 0; i < rule->excluded_count; i++)
        if (passes(&rule->excluded[i], &id, resource))
            return false;
    return true;
}

const struct discovery_rule *discovery_find_rule(const struct config *config, const char *identity,
                                                 const struct arm_resource *resource)
{
    for (size_t i = 0; i < config->rule_count; i++) {
        const struct discovery_rule *rule = &config->rules[i];

        if (str_equal(rule->identity->name, identity) && discovery_matches(rule, resource))
            return rule;
    }
    return NULL;
}

const struct discovery_rule *discovery_rule_named(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->rule_count; i++)
        if (str_equal(config->rules[i].name, name))
            return &config->rules[i];
    return NULL;
}

bool discovery_active_key(const struct discovery_rule *rule, const struct arm_resource *resource,
                          enum slot *ret_active)
{
    const char *value = rule->active_tag ? tag_value(resource, rule->active_tag) : NULL;

    return value && slot_from_name(value, ret_active);
}

bool discovery_is_explicit(const struct config *config, const char *key)
{
    size_t low = 0, high = config->account_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(config->accounts[middle].key, key);

        if (order == 0)
            return !config->accounts[middle].rule;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
