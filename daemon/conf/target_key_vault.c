#include "conf/target_key_vault.h"

#include <stdio.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/str.h"
#include "conf/schema_row.h"
#include "conf/target_value.h"
#include "conf/url.h"
#include "conf/value.h"
#include "proto/key_vault.h"

/* learn.microsoft.com, "Azure Key Vault secrets": limits of a name and of contentType. */
enum { SECRET_NAME_MAX = 127, CONTENT_TYPE_MAX = 255, URL_MAX = 1024 };

#define LOCATION "{location}"

static const struct schema_choice off_word[] = {{"off", 0}, {NULL, 0}};

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("vault", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("secret_name", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("identity", SCHEMA_TEXT),
    SCHEMA_ROW("content_type", SCHEMA_TEMPLATE),
    SCHEMA_ROW("expires", SCHEMA_DURATION, .maximum = SCHEMA_LONGEST, .choices = off_word),
    SCHEMA_ROW("recover_deleted", SCHEMA_BOOLEAN, .fallback = "false"),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

static void check(struct resolve *resolve, const struct tree_node *target)
{
    target_value_refuse_location(resolve, tree_child(target, "content_type"), "in a content type");
}

/* What is wrong with the URL of a vault, or NULL. {location} counts as a name. */
static const char *vault_problem(struct resolve *resolve, const char *vault, char *out, size_t size)
{
    const struct cloud *cloud = &resolve->config->cloud;
    const char *problem, *path;
    char plain[URL_MAX];
    size_t length = 0;

    for (const char *c = vault; *c != '\0' && length < sizeof(plain) - 1; c++) {
        if (str_starts_with(c, LOCATION))
            c += strlen(LOCATION) - 1;
        plain[length++] = *c == '}' ? 'x' : *c;
    }
    plain[length] = '\0';
    problem = url_problem(plain);
    if (problem)
        return problem;
    path = strchr(strstr(plain, "//") + 2, '/');
    if (path && !str_equal(path, "/"))
        return "holds a path; write the vault's URL alone, https://NAME.vault.azure.net";
    if (!cloud->key_vault_audience)
        return "is a vault, and nothing says which tokens the vaults of this cloud take; write "
               "cloud.key_vault_audience, such as https://vault.contoso.example";
    if (cloud->key_vault_audience[0] == '\0' || /* it is being discovered */
        key_vault_is_below(plain, cloud->key_vault_audience))
        return NULL;
    (void)snprintf(out, size,
                   "is no vault of %s, whose tokens are for %s (cloud.key_vault_audience); write "
                   "https://NAME.%s",
                   cloud->name, cloud->key_vault_audience,
                   strstr(cloud->key_vault_audience, "://")
                       ? strstr(cloud->key_vault_audience, "://") + strlen("://")
                       : cloud->key_vault_audience);
    return out;
}

static char *expand_vault(struct resolve *resolve, struct tree_node *node,
                          const struct placeholder_values *values)
{
    char *vault = target_value_expand(resolve, node, values, URL_MAX / 2, "512 characters");
    char sentence[URL_MAX];
    const char *problem;

    if (!vault)
        return NULL;
    problem = vault_problem(resolve, vault, sentence, sizeof(sentence));
    if (problem) {
        target_value_refuse(resolve, node, vault, problem);
        return NULL;
    }
    return url_normal(resolve->arena, vault, true);
}

static bool name_is_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

    while (*name != '\0') {
        if (str_starts_with(name, LOCATION))
            name += strlen(LOCATION);
        else if (strchr(letters, *name))
            name++;
        else
            return false;
    }
    return true;
}

static char *expand_name(struct resolve *resolve, struct tree_node *node,
                         const struct placeholder_values *values)
{
    char *name = target_value_expand(resolve, node, values, SECRET_NAME_MAX, "127 characters");
    char shown[VALUE_SHOWN_MAX];

    if (!name || name_is_valid(name))
        return name;
    report_invalid(
        resolve->report, node,
        "\"%s\" cannot name a secret of Key Vault; those are 1 to %d letters, digits and "
        "'-'",
        value_shown(name, shown), SECRET_NAME_MAX);
    return NULL;
}

static bool fill_place(struct resolve *resolve, const struct tree_node *target,
                       const struct placeholder_values *values, struct destination *destination,
                       struct target_key_vault *settings)
{
    struct tree_node *vault_node = tree_child(target, "vault");
    struct tree_node *name_node = tree_child(target, "secret_name");
    char *vault, *name, *place;

    if (!target_value_is_given(vault_node) || !target_value_is_given(name_node))
        return false;
    vault = expand_vault(resolve, vault_node, values);
    name = expand_name(resolve, name_node, values);
    if (!vault || !name)
        return false;
    place = arena_format(resolve->arena, "%s" KEY_VAULT_SECRETS "%s", vault, name);
    if (!place)
        return false;
    str_lower(place);
    settings->secret_name = name;
    destination->place = place;
    destination->needs_location = placeholder_needs_location(place);
    return true;
}

/* The longest time for which a delivered key stays the active one when all goes well. */
static duration_ms validity_of(const struct policy *policy)
{
    return policy ? 2 * policy->rotate_every + policy->overdue_after : MS_DAY;
}

static void fill_expiry(struct resolve *resolve, const struct tree_node *target,
                        const struct policy *policy, struct target_key_vault *settings)
{
    struct tree_node *child = tree_child(target, "expires");
    struct tree_node *node = target_value_is_given(child) ? child : NULL;
    const bool off = node && str_equal_nocase(node->text, "off");
    duration_ms validity =
        node && !off ? schema_duration(target, &keys, "expires") : validity_of(policy);
    char least[DURATION_TEXT_MAX];

    settings->expires = off ? 0 : validity;
    settings->validity_days = (unsigned)((validity + MS_DAY - 1) / MS_DAY);
    if (!node || off || !policy || validity >= 4 * policy->check_every || node->noted)
        return;
    report_warning(resolve->report, node,
                   "is short: the date is pushed out at looks, every check_every; write %s or "
                   "more, or the secret expires while its key is in use",
                   duration_to_text(4 * policy->check_every, least));
    node->noted = true;
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct target_key_vault *settings = arena_alloc(resolve->arena, sizeof(*settings));
    struct tree_node *content_type = tree_child(target, "content_type");

    if (!settings || !fill_place(resolve, target, values, destination, settings))
        return false;
    if (target_value_is_given(content_type)) {
        settings->content_type =
            target_value_expand(resolve, content_type, values, CONTENT_TYPE_MAX, "255 characters");
        if (!settings->content_type)
            return false;
    }
    settings->resource_id = account->id;
    settings->audience = resolve->config->cloud.key_vault_audience;
    settings->recover_deleted = schema_boolean(target, &keys, "recover_deleted");
    fill_expiry(resolve, target, account->policy, settings);
    destination->settings = settings;
    return true;
}

static void describe(const struct destination *destination, struct buf *out)
{
    const struct target_key_vault *settings = target_key_vault_of(destination);
    char expires[DURATION_TEXT_MAX];

    (void)buf_append_format(out, "key_vault %s (by identity %s, ", destination->place,
                            destination->identity->name);
    if (settings->content_type)
        (void)buf_append_format(out, "content type %s, ", settings->content_type);
    if (settings->expires == 0)
        (void)buf_append_str(out, "without a date of expiry)");
    else
        (void)buf_append_format(out, "expires %s after a delivery)",
                                duration_to_words(settings->expires, expires));
}

static void tell_rights(const struct destination *destination, struct target_rights *ret_rights)
{
    ret_rights->role = "Key Vault Secrets Officer";
    ret_rights->vault = destination->place;
    ret_rights->vault_length =
        (size_t)(strstr(destination->place, KEY_VAULT_SECRETS) - destination->place);
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_key_vault *settings = target_key_vault_of(destination);
    const char *name = strstr(destination->place, KEY_VAULT_SECRETS);
    char text[URL_MAX];

    (void)snprintf(text, sizeof(text), "%.*s", (int)(name - destination->place),
                   destination->place);
    json_write_text(out, "vault", text);
    json_write_text(out, "secret_name", settings->secret_name);
    json_write_text(out, "identity", destination->identity->name);
    json_write_text(out, "content_type", settings->content_type);
    if (settings->expires == 0)
        json_write_text(out, "expires", "off");
    else
        json_write_text(out, "expires", duration_to_text(settings->expires, text));
    json_write_bool(out, "recover_deleted", settings->recover_deleted);
}

const struct target_type target_key_vault_type = {
    .variant = {.name = "key_vault", .map = &keys},
    .place_key = "secret_name",
    .check = check,
    .fill = fill,
    .rights = tell_rights,
    .describe = describe,
    .write = write_keys,
};
