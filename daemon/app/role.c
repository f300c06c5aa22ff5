#include "app/role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/discovery_run.h"
#include "app/reading.h"
#include "app/texts.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/discovery.h"
#include "conf/target_type.h"
#include "proto/two_key/two_key.h"

enum { ROLE_MAX = 16 * 1024 * 1024, SCOPE_MAX = 512, NOTE_MAX = 1024 };

/* What one identity needs. */
struct role {
    const struct identity *identity;
    const struct two_key_resource *type; /* the only one whose keys it rotates */
    bool has_types;                      /* … it rotates those of several */
    bool rewrites;                       /* some are written as a whole to renew a key */
    bool has_targets;                    /* some actions are those of targets */
    struct texts actions;
    struct texts scopes;
    struct texts notes;               /* what a role for Resource Manager cannot give */
    const struct discovery_rule *all; /* a rule that looks in all subscriptions; NULL: none does */
};

/* Case does not count, as in Azure. */
static void add_once(struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (str_equal_nocase(texts->items[i], text))
            return;
    texts_add(texts, text);
}

static void role_done(struct role *role)
{
    texts_done(&role->actions);
    texts_done(&role->scopes);
    texts_done(&role->notes);
}

/* --- what it needs --- */

static void add_type(struct role *role, const struct two_key_resource *type)
{
    const char *actions[TWO_KEY_ACTIONS_MAX];
    const size_t count = two_key_actions(type, actions);

    for (size_t i = 0; i < count; i++)
        add_once(&role->actions, actions[i]);
    if (!role->type)
        role->type = type;
    role->rewrites = role->rewrites || type->rewrite;
    role->has_types = role->has_types || !str_equal(role->type->role, type->role);
}

/* The part of the id that ends before that text. */
static void add_scope_of(struct role *role, const char *resource_id, const char *before)
{
    char scope[SCOPE_MAX];
    const char *end = strcasestr(resource_id, before);

    if (!end)
        return;
    (void)snprintf(scope, sizeof(scope), "%.*s", (int)(end - resource_id), resource_id);
    add_once(&role->scopes, scope);
}

/* The resource group of a resource: the narrowest scope that Azure lets a role be assignable at. */
static void add_group_of(struct role *role, const char *resource_id)
{
    add_scope_of(role, resource_id, "/providers/");
}

static void add_destinations(struct role *role, const struct destination *destinations,
                             size_t count, bool has_places)
{
    for (size_t i = 0; i < count; i++) {
        const struct destination *destination = &destinations[i];
        struct target_rights rights = {.resource = NULL};
        char note[NOTE_MAX];

        if (!destination->type->rights ||
            !str_equal(destination->identity->name, role->identity->name))
            continue;
        destination->type->rights(destination, &rights);
        for (size_t k = 0; k < TARGET_RIGHTS_MAX && rights.actions[k]; k++)
            add_once(&role->actions, rights.actions[k]);
        role->has_targets = role->has_targets || rights.actions[0];
        if (has_places && rights.resource)
            add_group_of(role, rights.resource);
        if (!rights.role)
            continue;
        (void)snprintf(note, sizeof(note),
                       "target %s: identity %s needs the role \"%s\" besides, at the vault %.*s",
                       destination->name, role->identity->name, rights.role,
                       (int)rights.vault_length, rights.vault);
        add_once(&role->notes, note);
    }
}

static void add_account(struct role *role, const struct account *account)
{
    if (str_equal(account->identity->name, role->identity->name)) {
        const struct two_key_resource *type = two_key_resource_find(account->id);
        const char *polls[TWO_KEY_POLL_ACTIONS_MAX];

        add_type(role, type);
        if (two_key_poll_actions(type, polls) > 0) /* operations stand below the subscription */
            add_scope_of(role, account->id, "/resourceGroups/");
        else
            add_group_of(role, account->id);
    }
    add_destinations(role, account->destinations, account->destination_count, true);
}

static bool may_use_graph(const struct discovery_rule *rule)
{
    if (rule->by != DISCOVERY_BY_AUTO)
        return rule->by == DISCOVERY_BY_GRAPH;
    return rule->subscription_count == 0 ||
           rule->subscription_count * rule->type_count > DISCOVERY_LISTS_MAX;
}

static void add_rule(struct role *role, const struct discovery_rule *rule)
{
    char scope[SCOPE_MAX];

    add_destinations(role, rule->destinations, rule->destination_count, false);
    if (!str_equal(rule->identity->name, role->identity->name))
        return;
    for (size_t i = 0; i < rule->type_count; i++)
        add_type(role, rule->types[i]);
    if (rule->subscription_count == 0 || may_use_graph(rule))
        add_once(&role->actions, "Microsoft.Resources/subscriptions/read");
    if (may_use_graph(rule))
        add_once(&role->actions, "Microsoft.ResourceGraph/resources/read");
    for (size_t i = 0; i < rule->subscription_count; i++) {
        (void)snprintf(scope, sizeof(scope), "/subscriptions/%s", rule->subscriptions[i]);
        add_once(&role->scopes, scope);
    }
    if (rule->subscription_count == 0)
        role->all = rule;
}

/* Rules count where no accounts are asked for. */
static void role_init(struct role *role, const struct identity *identity,
                      const struct reading *reading, bool has_rules)
{
    *role = (struct role){.identity = identity};
    for (size_t i = 0; i < reading->account_count; i++)
        add_account(role, reading->accounts[i]);
    for (size_t i = 0; has_rules && i < reading->config->rule_count; i++)
        add_rule(role, &reading->config->rules[i]);
}

/* --- as JSON --- */

/* A resource group of a subscription that is a scope, too. */
static bool is_inside(const char *scope, const struct texts *scopes)
{
    const char *group = strcasestr(scope, "/resourceGroups/");

    for (size_t i = 0; group && i < scopes->count; i++)
        if (strlen(scopes->items[i]) == (size_t)(group - scope) &&
            strncasecmp(scopes->items[i], scope, (size_t)(group - scope)) == 0)
            return true;
    return false;
}

static void append_quoted(struct buf *out, const char *text)
{
    (void)json_append_string(out, text, strlen(text));
}

static void append_list(struct buf *out, const char *name, const struct texts *texts,
                        const char *end)
{
    const char *separator = "\n    ";

    (void)buf_append_format(out, "  \"%s\": [", name);
    for (size_t i = 0; i < texts->count; i++) {
        if (is_inside(texts->items[i], texts))
            continue;
        (void)buf_append_str(out, separator);
        append_quoted(out, texts->items[i]);
        separator = ",\n    ";
    }
    (void)buf_append_format(out, "%s]%s\n", texts->count > 0 ? "\n  " : "", end);
}

/* The name that README and remedies give a role for one type; names are unique in a tenant. */
static void append_name(struct buf *out, const struct role *role)
{
    char name[NOTE_MAX];

    if (role->type && !role->has_types && !role->has_targets)
        (void)str_copy(name, sizeof(name), role->type->role);
    else
        (void)snprintf(name, sizeof(name), "Shared Key Rotator (%s)", role->identity->name);
    (void)buf_append_str(out, "  \"Name\": ");
    append_quoted(out, name);
    (void)buf_append_str(out, ",\n");
}

static void append_role(struct buf *out, const struct role *role, const struct texts *scopes)
{
    const struct texts none = {.count = 0};

    (void)buf_append_str(out, "{\n");
    append_name(out, role);
    (void)buf_append_format(
        out,
        "  \"IsCustom\": true,\n"
        "  \"Description\": \"What keyrotated needs to rotate shared keys.%s\",\n",
        role->rewrites ? " Write allows any change of the resource: "
                         "no smaller permission renews its keys."
                       : "");
    append_list(out, "Actions", &role->actions, ",");
    append_list(out, "NotActions", &none, ",");
    append_list(out, "DataActions", &none, ",");
    append_list(out, "NotDataActions", &none, ",");
    append_list(out, "AssignableScopes", scopes, "");
    (void)buf_append_str(out, "}\n");
}

/* --- which one --- */

static int refuse_all(const struct role *role)
{
    fprintf(stderr,
            "keyrotated: rule %s looks in all subscriptions that its identity sees: say where the "
            "role is to be assigned, with --scope /subscriptions/ID for each of them, or with "
            "--scope /providers/Microsoft.Management/managementGroups/NAME\n",
            role->all->name);
    return STATUS_USAGE;
}

static int print_role(const struct role *role, const struct options *options)
{
    struct texts given = {.count = 0};
    struct buf out;

    if (role->actions.count == 0) {
        fprintf(stderr,
                "keyrotated: identity %s needs no action of Resource Manager, so it needs "
                "no role of its own\n",
                role->identity->name);
        return STATUS_OK;
    }
    if (role->all && options->scope_count == 0)
        return refuse_all(role);
    for (size_t i = 0; i < options->scope_count; i++)
        add_once(&given, options->scopes[i]);
    buf_init(&out, ROLE_MAX);
    append_role(&out, role, given.count > 0 ? &given : &role->scopes);
    if (out.failed)
        fault_out_of_memory();
    fputs(buf_str(&out), stdout);
    buf_done(&out);
    texts_done(&given);
    return STATUS_OK;
}

static void print_notes(const struct role *role)
{
    for (size_t i = 0; i < role->notes.count; i++)
        fprintf(stderr, "keyrotated: %s\n", role->notes.items[i]);
}

static int refuse_unknown(const struct reading *reading, const char *name)
{
    fprintf(stderr, "keyrotated: no identity is called %s; %s has", name, reading->config->path);
    for (size_t i = 0; i < reading->config->identity_count; i++)
        fprintf(stderr, "%s %s", i > 0 ? "," : "", reading->config->identities[i].name);
    fputc('\n', stderr);
    return STATUS_USAGE;
}

static int tell_none(const struct options *options)
{
    fprintf(stderr,
            "keyrotated: no identity of %s needs an action of Resource Manager, so there is no "
            "role to print; add accounts or rules to it\n",
            options->config_path);
    return STATUS_OK;
}

static int refuse_several(const struct role *roles, size_t count)
{
    const char *separator = " ";

    fputs("keyrotated: several identities need a role each; choose one with --identity:", stderr);
    for (size_t i = 0; i < count; i++) {
        if (roles[i].actions.count == 0)
            continue;
        fprintf(stderr, "%s%s", separator, roles[i].identity->name);
        separator = ", ";
    }
    fputc('\n', stderr);
    return STATUS_USAGE;
}

/* The role of the identity that is asked for, or else of the only one that needs one. */
static int print_chosen(const struct reading *reading, const struct options *options)
{
    const size_t count = reading->config->identity_count;
    struct role *roles = must_alloc_array(count, sizeof(*roles));
    const struct role *chosen = NULL;
    size_t found = 0;
    int status;

    for (size_t i = 0; i < count; i++) {
        const struct identity *identity = &reading->config->identities[i];
        const bool is_asked = options->identity && str_equal(identity->name, options->identity);

        role_init(&roles[i], identity, reading, options->account_count == 0);
        if (is_asked || !options->identity)
            print_notes(&roles[i]);
        if (is_asked || (!options->identity && roles[i].actions.count > 0)) {
            chosen = &roles[i];
            found++;
        }
    }
    if (found > 1)
        status = refuse_several(roles, count);
    else if (!chosen && options->identity)
        status = refuse_unknown(reading, options->identity);
    else if (!chosen)
        status = tell_none(options);
    else
        status = print_role(chosen, options);
    for (size_t i = 0; i < count; i++)
        role_done(&roles[i]);
    free(roles);
    return status;
}

int role_run(const struct options *options)
{
    struct reading reading;
    int status = reading_open(&reading, options);

    if (status == STATUS_OK && !reading.config)
        status = STATUS_CONFIG;
    if (status == STATUS_OK)
        status = print_chosen(&reading, options);
    reading_close(&reading);
    return status;
}
