#include <string.h>

#include "base/str.h"
#include "conf/resolve.h"
#include "conf/resource_id.h"
#include "conf/schema.h"
#include "conf/value.h"

static const char *const id_parts[] = {"name", "resource_group", "subscription_id"};
/* "type" and "path" may stand beside them. */
enum { ID_PARTS = sizeof(id_parts) / sizeof(id_parts[0]), PATH_FORM_MAX = 256 };

/* Checks that either `id` or its three parts are given; reports missing and surplus keys. */
static bool has_identification(struct resolve *resolve, const struct tree_node *node)
{
    static const char *const beside[] = {"type", "path"};
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
    for (size_t i = 0; id && i < sizeof(beside) / sizeof(beside[0]); i++) {
        if (!tree_child(node, beside[i]))
            continue;
        present++;
        if (!tree_child(node, beside[i])->invalid)
            report_key_error(resolve->report, tree_child(node, beside[i]),
                             "says again what id says; leave it out");
    }
    return id ? present == 0 : present == ID_PARTS;
}

/* Which names are legal depends on the type. */
static bool is_legal_name(struct resolve *resolve, const struct tree_node *name,
                          const struct two_key_resource *type)
{
    char shown[VALUE_SHOWN_MAX];
    struct err err = {.code = 0};

    if (!name)
        return false;
    if (resource_name_check(type, name->text, &err) == 0)
        return true;
    report_error(resolve->report, name, "\"%s\" %s", value_shown(name->text, shown), err.text);
    return false;
}

/* The outermost of several names. */
static bool is_legal_outermost(struct resolve *resolve, const struct tree_node *name)
{
    char shown[VALUE_SHOWN_MAX];

    if (!name)
        return false;
    if (two_key_above_name_ok(name->text, strlen(name->text)))
        return true;
    report_error(resolve->report, name,
                 "\"%s\" is not one name; those are " TWO_KEY_ABOVE_WORDS
                 ", and the names below stand in path",
                 value_shown(name->text, shown));
    return false;
}

/* How many names follow the outermost one in ids of the type. */
static size_t names_below(const struct two_key_resource *type)
{
    return two_key_depth(type) - 1;
}

static size_t segments_of(const char *path)
{
    size_t count = 1;

    for (const char *c = path; *c != '\0'; c++)
        count += *c == '/';
    return count;
}

static void report_no_path(struct resolve *resolve, const struct tree_node *node,
                           const struct two_key_resource *type)
{
    struct buf form;

    buf_init(&form, PATH_FORM_MAX);
    two_key_append_path_form(type, &form);
    report_missing(resolve->report, node, "path", "is missing; give the names below %s, as in %s",
                   type->type, buf_str(&form));
    buf_done(&form);
}

/* `path` has a name for each type below the outermost one. */
static bool is_legal_path(struct resolve *resolve, const struct tree_node *node,
                          const struct two_key_resource *type)
{
    const struct tree_node *path = tree_child(node, "path");
    const size_t wanted = names_below(type);

    if (!path && schema_is_misspelt(node, &schema_account, "path"))
        return false; /* which has been reported */
    if (!path && wanted > 0)
        report_no_path(resolve, node, type);
    else if (path && wanted == 0)
        report_key_error(resolve->report, path, "has no meaning for type %s; leave it out",
                         type->short_name);
    else if (path && segments_of(path->text) != wanted)
        report_error(resolve->report, path, "holds %zu names; type %s has %zu below `name`",
                     segments_of(path->text), type->short_name, wanted);
    else
        return true;
    return false;
}

/* "namespaces/NAME/queues/NAME/authorizationRules/NAME", out of the type, and of the names in
 * `name` and `path`. */
static const char *compose_names(struct arena *arena, const char *types, const char *name,
                                 const char *path)
{
    const size_t length = strcspn(types, "/");
    const char *below = types[length] == '\0' ? "" : types + length + 1;
    const size_t first = path ? strcspn(path, "/") : 0;
    const char *rest = path && path[first] == '/' ? path + first + 1 : NULL;
    char *next;

    if (below[0] == '\0' || !path)
        return arena_format(arena, "%.*s/%s", (int)length, types, name);
    next = arena_dup_n(arena, path, first);
    return arena_format(arena, "%.*s/%s/%s", (int)length, types, name,
                        next ? compose_names(arena, below, next, rest) : "");
}

/* The id of an account that is given by its parts; NULL: one of them is wrong, and reported. */
static const char *compose_id(struct resolve *resolve, const struct tree_node *node)
{
    const struct tree_node *named = tree_child(node, "type");
    const struct two_key_resource *type =
        two_key_resource_at((size_t)schema_choice(node, &schema_account, "type"));
    const size_t provider = strcspn(type->type, "/");

    if ((named && named->invalid) || schema_is_misspelt(node, &schema_account, "type"))
        return NULL; /* which has been reported; another type has other names */
    if (names_below(type) == 0 && !is_legal_name(resolve, schema_get(node, "name"), type))
        return NULL;
    if (names_below(type) > 0 && !is_legal_outermost(resolve, schema_get(node, "name")))
        return NULL;
    if (!is_legal_path(resolve, node, type))
        return NULL;
    for (size_t i = 0; i < ID_PARTS; i++) {
        if (!schema_get(node, id_parts[i]))
            return NULL;
    }
    return arena_format(resolve->arena, "/subscriptions/%s/resourceGroups/%s/providers/%.*s/%s",
                        schema_text(node, &schema_account, "subscription_id"),
                        schema_text(node, &schema_account, "resource_group"), (int)provider,
                        type->type,
                        compose_names(resolve->arena, type->type + provider + 1,
                                      schema_text(node, &schema_account, "name"),
                                      schema_text(node, &schema_account, "path")));
}

static void refuse_pair(struct resolve *resolve, const struct tree_node *pair,
                        const struct two_key_resource *type)
{
    const struct two_key_resource *one;
    char shown[VALUE_SHOWN_MAX];
    struct buf known;

    if (!type->pair) {
        report_key_error(resolve->report, pair,
                         "has no meaning for type %s, which has one pair of keys; leave it out",
                         type->short_name);
        return;
    }
    buf_init(&known, 256);
    for (size_t i = 0; (one = two_key_pair_at(type, i)); i++)
        (void)buf_append_format(&known, "%s%s", i > 0 ? " or " : "", one->pair);
    report_error(resolve->report, pair, "\"%s\" is no pair of keys of %s; write %s",
                 value_shown(pair->text, shown), type->noun, report_part(resolve->report, &known));
    buf_done(&known);
}

/* The id of the account: that of the resource and, for a pair besides the first one, its name.
 * NULL: there is no such pair, which is reported. */
static const char *choose_pair(struct resolve *resolve, const struct tree_node *node,
                               const char *resource_id)
{
    const struct two_key_resource *type = two_key_resource_find(resource_id);
    const struct tree_node *pair = schema_get(node, "pair");
    const struct two_key_resource *found =
        pair && type ? two_key_pair_named(type, pair->text) : type;

    if (type && pair && !found)
        refuse_pair(resolve, pair, type);
    if (!found)
        return NULL;
    return two_key_is_further_pair(found)
               ? arena_format(resolve->arena, "%s%c%s", resource_id, TWO_KEY_PAIR_MARK, found->pair)
               : arena_dup(resolve->arena, resource_id);
}

static bool fill_id(struct resolve *resolve, const struct tree_node *node, struct account *account)
{
    struct arena *arena = resolve->arena;
    const char *id = schema_text(node, &schema_account, "id");
    char name[TWO_KEY_ACCOUNT_NAME_MAX];
    struct resource_id parts;
    struct err err;
    char *key;

    if (!has_identification(resolve, node))
        return false;
    if (!id)
        id = compose_id(resolve, node);
    if (!id)
        return false;
    if (resource_id_parse(id, &parts, &err) < 0) {
        /* One that is written out has been checked with the schema. */
        if (!tree_child(node, "id"))
            report_error(resolve->report, node, "%s %s", id, err.text);
        return false;
    }
    account->id = choose_pair(resolve, node, id);
    if (!account->id)
        return false;
    key = arena_dup(arena, account->id);
    account->name = arena_dup(arena, two_key_account_name(account->id, name, sizeof(name)));
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

/* What an account has otherwise than its policy: bits of its number among `variants`. */
enum { VARIANT_ROTATE = 1, VARIANT_UNVERIFIED = 2 };

static const struct policy *policy_variant(struct resolve *resolve, size_t index, unsigned variant)
{
    struct policy **place = &resolve->variants[index * RESOLVE_VARIANTS + variant];
    struct policy *copy = *place;

    if (variant == 0)
        return &resolve->policies[index];
    if (!copy)
        copy = arena_alloc(resolve->arena, sizeof(*copy));
    if (!copy)
        return NULL;
    *copy = resolve->policies[index];
    if ((variant & VARIANT_ROTATE) != 0)
        copy->rotate = !copy->rotate;
    if ((variant & VARIANT_UNVERIFIED) != 0)
        copy->verify = VERIFY_OFF;
    *place = copy;
    return copy;
}

/* Where no request can prove a key of its type, `auto` means `off`. */
static bool is_never_verified(struct resolve *resolve, const struct tree_node *node,
                              const struct account *account, const struct policy *policy)
{
    const struct two_key_resource *type = account->id ? two_key_resource_find(account->id) : NULL;

    const char *why = type ? cloud_cannot_verify(&resolve->config->cloud, type) : NULL;

    if (!why || policy->verify == VERIFY_OFF)
        return false;
    if (policy->verify == VERIFY_REQUIRED && policy->rotate)
        report_error(resolve->report, node,
                     "policy %s has verify: required, and a key of %s cannot be verified: %s; give "
                     "the account a policy with verify: auto",
                     account->policy_name, type->noun, why);
    return true;
}

static void fill_policy(struct resolve *resolve, const struct tree_node *node,
                        struct account *account)
{
    const struct tree_node *chosen = resolve_reference(resolve, node, "policies", "policy");
    const struct tree_node *rotate = own_or_default(resolve, node, "rotate");

    for (size_t i = 0; chosen && i < resolve->config->policy_count; i++) {
        const struct policy *policy = &resolve->policies[i];
        unsigned variant = 0;

        if (!str_equal(resolve->config->policy_names[i], chosen->name))
            continue;
        account->policy_name = resolve->config->policy_names[i];
        if (rotate && str_equal(rotate->text, "true") != policy->rotate)
            variant |= VARIANT_ROTATE;
        if (is_never_verified(resolve, node, account, policy))
            variant |= VARIANT_UNVERIFIED;
        account->policy = policy_variant(resolve, i, variant);
    }
}

/* What Azure is ending is worth a look before the end. */
static void warn_of_end(struct resolve *resolve, const struct tree_node *node,
                        const struct account *account)
{
    const struct two_key_resource *type = two_key_resource_find(account->id);

    if (type && type->is_retiring)
        report_warning(resolve->report, node, "%s: move what uses it to another service",
                       type->note);
}

/* How long Azure may take for a new key. */
static void fill_pace(const struct resolve *resolve, struct account *account)
{
    const struct two_key_resource *type = two_key_resource_find(account->id);

    account->regenerate_takes = config_regenerate_takes(resolve->config, account->id);
    account->list_delay = type->list_delay;
    account->writes_whole = !!type->rewrite;
    if (type->list_delay > 0 && resolve->config->list_wait > 0)
        account->list_delay = resolve->config->list_wait;
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
        warn_of_end(resolve, node, account);
    if (identified)
        fill_pace(resolve, account);
    if (identified)
        resolve_check_pace(resolve, node, account);
    if (identified)
        resolve_destinations(resolve, node, account);
    return identified;
}
