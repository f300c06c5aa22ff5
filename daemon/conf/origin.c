#include "conf/origin.h"

#include <errno.h>
#include <stdio.h>

#include "base/date.h"
#include "base/list.h"
#include "base/str.h"
#include "conf/config_source.h"
#include "conf/discovery.h"
#include "conf/identity.h"
#include "conf/target_type.h"
#include "proto/two_key/two_key.h"

enum { KEY_MAX = 320, FROM_MAX = 300, VALUE_MAX = 64 * 1024 };

struct origins {
    const struct config *config;
    const struct account *account;
    const struct tree_node *root;
    origin_row *row;
    void *context;
    int rc;
};

/* --- rows --- */

/* `mark` NULL: no file says it; then `from` does. */
static void add(struct origins *origins, const char *key, const char *value,
                const struct mark *mark, const char *from)
{
    origins->row(origins->context, &(struct origin){.key = key,
                                                    .value = value,
                                                    .file = mark ? mark->file : NULL,
                                                    .line = mark ? mark->line : 0,
                                                    .from = mark ? "file" : from});
}

static void add_text(struct origins *origins, const char *key, const char *value,
                     const struct mark *mark)
{
    struct buf text;

    buf_init(&text, VALUE_MAX);
    origin_append_masked(&text, value);
    if (text.failed)
        origins->rc = -ENOMEM;
    else
        add(origins, key, buf_str(&text), mark, "default");
    buf_done(&text);
}

/* As the file has it. */
static void add_node(struct origins *origins, const char *key, const struct tree_node *node,
                     enum schema_type type)
{
    struct buf text;

    buf_init(&text, VALUE_MAX);
    origin_append_node(&text, node, type);
    if (text.failed)
        origins->rc = -ENOMEM;
    else
        add(origins, key, buf_str(&text), &node->mark, NULL);
    buf_done(&text);
}

static const struct mark *mark_of(const struct tree_node *node)
{
    return node ? &node->mark : NULL;
}

static const char *join(const char *section, const char *name, char out[KEY_MAX])
{
    (void)snprintf(out, KEY_MAX, "%s.%s", section, name);
    return out;
}

static void add_duration(struct origins *origins, const char *section, const char *name,
                         duration_ms duration, const struct tree_node *map)
{
    char key[KEY_MAX], text[DURATION_TEXT_MAX];

    add(origins, join(section, name, key), duration_to_text(duration, text),
        mark_of(tree_child(map, name)), "default");
}

/* Every key of a mapping that is set or has a default, as the file or the schema has it. */
static void add_map(struct origins *origins, const char *section, const struct tree_node *map,
                    const struct schema_map *schema)
{
    char key[KEY_MAX];

    for (const struct schema_key *row = schema->keys; row->name; row++) {
        const struct tree_node *node = tree_child(map, row->name);

        if (node)
            add_node(origins, join(section, row->name, key), node, row->type);
        else if (row->fallback)
            add(origins, join(section, row->name, key), row->fallback, NULL, "default");
    }
}

/* --- the account --- */

/* The account's own, or that of `defaults`; NULL: neither says it. */
static const struct tree_node *own_or_default(const struct origins *origins, const char *name)
{
    const struct tree_node *own = tree_child(origins->account->node, name);

    return own ? own : tree_child(tree_child(origins->root, "defaults"), name);
}

/* The place that says which entry of a section it is; where it is the only one, that entry. */
static const struct mark *choice_mark(const struct origins *origins, const char *section,
                                      const char *key, const char *name)
{
    const struct tree_node *node = own_or_default(origins, key);
    const struct tree_node *entry = tree_child(tree_child(origins->root, section), name);

    return node ? &node->mark : entry ? &entry->name_mark : NULL;
}

static void add_account(struct origins *origins)
{
    const struct account *account = origins->account;
    const struct tree_node *id = tree_child(account->node, "id");
    const struct tree_node *adopt = own_or_default(origins, "adopt_active");
    const struct two_key_resource *type = two_key_resource_find(account->id);
    char from[FROM_MAX] = "default";

    add(origins, "id", account->id, id ? &id->mark : &account->node->mark, NULL);
    add(origins, "type", type->short_name, mark_of(tree_child(account->node, "type")), "id");
    if (account->rule)
        add(origins, "rule", account->rule, &account->node->mark, NULL);
    if (!account->has_adopt_active)
        return;
    /* A tag of the resource says more than its rule does. */
    if (account->rule && !account->presumes_active) {
        const struct discovery_rule *rule = discovery_rule_named(origins->config, account->rule);

        (void)snprintf(from, sizeof(from), "tag %s",
                       rule && rule->active_tag ? rule->active_tag : "");
        adopt = NULL;
    }
    add(origins, "adopt_active", slot_name(account->adopt_active), mark_of(adopt), from);
}

static void add_identity(struct origins *origins)
{
    const struct identity *identity = origins->account->identity;
    const struct tree_node *map =
        tree_child(tree_child(origins->root, "identities"), identity->name);
    const struct schema_key *rows = identity->type->variant.map->keys;
    char key[KEY_MAX], from[FROM_MAX];

    add(origins, "identity", identity->name,
        choice_mark(origins, "identities", "identity", identity->name), "default");
    for (size_t i = 0; i < IDENTITY_SETTINGS_MAX && rows[i].name; i++) {
        const struct tree_node *node = tree_child(map, rows[i].name);

        if (node) {
            add_node(origins, join("identity", rows[i].name, key), node, rows[i].type);
        } else if (identity->settings[i]) {
            const bool is_from_environment = identity_is_from_environment(identity, rows[i].name);

            (void)snprintf(from, sizeof(from), "environment %s",
                           is_from_environment ? identity_variable(identity->type, rows[i].name)
                                               : "");
            add(origins, join("identity", rows[i].name, key), identity->settings[i], NULL,
                is_from_environment ? from : "default");
        }
    }
}

/* --- the policy --- */

static const char *choice_name(const char *key, int value)
{
    const struct schema_choice *choice = schema_key(&schema_policy, key)->choices;

    while (choice->name && choice->value != value)
        choice++;
    return choice->name ? choice->name : "";
}

/* Is it one of the policies that the freeze is about? */
static bool binds(const struct tree_node *freeze, const char *policy)
{
    const struct tree_node *names = tree_child(freeze, "policies");

    for (const struct tree_node *name = schema_first_item(names); name;
         name = schema_next_item(names, name))
        if (str_equal(name->text, policy))
            return true;
    return !names;
}

static void add_freezes(struct origins *origins)
{
    const struct tree_node *freezes = tree_child(origins->root, "freeze");

    for (const struct tree_node *freeze = freezes ? freezes->first : NULL; freeze;
         freeze = freeze->next)
        if (binds(freeze, origins->account->policy_name))
            add_node(origins, "freeze", freeze, SCHEMA_TEXT);
}

static void add_policy(struct origins *origins)
{
    const struct policy *policy = origins->account->policy;
    const char *name = origins->account->policy_name;
    const struct tree_node *map = tree_child(tree_child(origins->root, "policies"), name);
    const struct tree_node *window = tree_child(map, "window");
    const struct tree_node *rotate = own_or_default(origins, "rotate");

    add(origins, "policy", name, choice_mark(origins, "policies", "policy", name), "default");
    if (policy->max_key_age != 0)
        add_duration(origins, "policy", "max_key_age", policy->max_key_age, map);
    add_duration(origins, "policy", "rotate_every", policy->rotate_every, map);
    add_duration(origins, "policy", "overlap", policy->overlap, map);
    if (window)
        add_node(origins, "policy.window", window, SCHEMA_MAP);
    else
        add(origins, "policy.window", "any time", NULL, "default");
    add_duration(origins, "policy", "splay", policy->splay, map);
    add_duration(origins, "policy", "check_every", policy->check_every, map);
    add(origins, "policy.verify", choice_name("verify", (int)policy->verify),
        mark_of(tree_child(map, "verify")), "default");
    add(origins, "policy.on_drift", choice_name("on_drift", (int)policy->on_drift),
        mark_of(tree_child(map, "on_drift")), "default");
    add_duration(origins, "policy", "overdue_after", policy->overdue_after, map);
    add(origins, "rotate", policy->rotate ? "true" : "false",
        mark_of(rotate ? rotate : tree_child(map, "rotate")), "default");
    add_freezes(origins);
}

/* --- the targets --- */

static void add_target(struct origins *origins, const struct destination *destination)
{
    const struct tree_node *map =
        tree_child(tree_child(origins->root, "targets"), destination->name);
    char key[KEY_MAX];
    struct buf text;

    buf_init(&text, VALUE_MAX);
    destination->type->describe(destination, &text);
    if (!destination->required)
        (void)buf_append_str(&text, ", not required");
    join("target", destination->name, key);
    if (text.failed)
        origins->rc = -ENOMEM;
    else
        add_text(origins, key, buf_str(&text), map ? &map->name_mark : NULL);
    buf_done(&text);
    if (map)
        add_map(origins, key, map, destination->type->variant.map);
}

/* Hooks stand in the key `after` of their targets. */
static void add_targets(struct origins *origins)
{
    const struct account *account = origins->account;
    const struct tree_node *list = own_or_default(origins, "deliver_to");

    if (list)
        add_node(origins, "deliver_to", list, SCHEMA_TEXT);
    else if (account->destination_count > 0)
        add(origins, "deliver_to", account->destinations[0].name,
            choice_mark(origins, "targets", "deliver_to", account->destinations[0].name),
            "default");
    for (size_t i = 0; i < account->destination_count; i++)
        if (!account->destinations[i].after)
            add_target(origins, &account->destinations[i]);
}

/* --- what all accounts have --- */

static void add_timing(struct origins *origins)
{
    const struct timing *timing = &origins->config->timing;
    const struct account *account = origins->account;
    const struct tree_node *map = tree_child(origins->root, "timing");

    add_duration(origins, "timing", "retry_initial", timing->retry_initial, map);
    add_duration(origins, "timing", "retry_max", timing->retry_max, map);
    add_duration(origins, "timing", "unknown_wait", timing->unknown_wait, map);
    add_duration(origins, "timing", "verify_timeout", timing->verify_timeout, map);
    add_duration(origins, "timing", "settle", timing->settle, map);
    add_duration(origins, "timing", "repair_turn", timing->repair_turn, map);
    if (account->regenerate_takes > 0)
        add_duration(origins, "timing", "operation_wait", account->regenerate_takes, map);
    if (account->list_delay > 0)
        add_duration(origins, "timing", "list_wait", account->list_delay, map);
}

static const struct tree_node *api_version_node(const struct origins *origins,
                                                const struct two_key_resource *type)
{
    const struct two_key_resource *first = two_key_pair_at(type, 0);
    const struct tree_node *own =
        tree_child(tree_child(origins->root, "api_versions"), first->short_name);

    if (own || first != two_key_resource_at(0))
        return own;
    return tree_child(tree_child(origins->root, "cloud"), "api_version"); /* of Batch accounts */
}

static void add_service(struct origins *origins)
{
    const struct config *config = origins->config;
    const struct two_key_resource *type = two_key_resource_find(origins->account->id);
    const struct tree_node *cloud = tree_child(origins->root, "cloud");
    const struct tree_node *url = tree_child(cloud, "resource_manager");

    add(origins, "api_version", config_api_version(config, type),
        mark_of(api_version_node(origins, type)), "default");
    add(origins, "cloud", config->cloud.name, mark_of(cloud), "default");
    add_text(origins, "cloud.resource_manager", config->cloud.resource_manager,
             mark_of(url ? url : cloud));
    add_map(origins, "limits", tree_child(origins->root, "limits"), &schema_limits);
    if (config->ca_file)
        add(origins, "ca_file", config->ca_file, mark_of(tree_child(origins->root, "ca_file")),
            "default");
    if (config->proxy)
        add_node(origins, "proxy", tree_child(origins->root, "proxy"), SCHEMA_TEXT);
    if (config->no_proxy)
        add_node(origins, "no_proxy", tree_child(origins->root, "no_proxy"), SCHEMA_TEXT);
}

int config_origins(const struct config *config, const struct account *account, origin_row *row,
                   void *context)
{
    struct origins origins = {.config = config,
                              .account = account,
                              .root = config_source_root(config->source),
                              .row = row,
                              .context = context};

    add_account(&origins);
    add_identity(&origins);
    add_policy(&origins);
    add_targets(&origins);
    add_timing(&origins);
    add_service(&origins);
    return origins.rc;
}
