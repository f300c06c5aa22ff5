#include <string.h>

#include "base/list.h"
#include "conf/exposure.h"
#include "conf/identity.h"
#include "conf/resolve.h"
#include "conf/value.h"

/* The items, on a line each. */
static const char *lines_of(struct resolve *resolve, const struct tree_node *list)
{
    const char *lines = NULL;

    for (const struct tree_node *item = schema_first_item(list); item;
         item = schema_next_item(list, item))
        lines = lines ? arena_format(resolve->arena, "%s\n%s", lines, item->text) : item->text;
    return lines;
}

/* As written, or NULL. */
static const char *text_of(struct resolve *resolve, const struct tree_node *map,
                           const struct schema_map *schema, const struct schema_key *key)
{
    const struct tree_node *node = tree_child(map, key->name);
    const char *text;

    if (node && node->kind == TREE_LIST)
        return lines_of(resolve, node);
    text = schema_text(map, schema, key->name);
    /* systemd protects the files in $CREDENTIALS_DIRECTORY; check the others. */
    if (text && key->type == SCHEMA_CREDENTIAL && text[0] == '/' &&
        !(key->public_with && tree_child(map, key->public_with)))
        exposure_check_secret(resolve->report, tree_child(map, key->name), text);
    return text;
}

/* The value of the key's environment variable, or NULL. */
static const char *from_environment(struct resolve *resolve, const struct tree_node *map,
                                    const struct schema_key *key,
                                    const struct identity_variable *variable)
{
    const char *(*read)(const char *name) = resolve->environment->variable;
    const char *value = read ? read(variable->variable) : NULL;
    const struct tree_node node = {.kind = TREE_SCALAR,
                                   .mark = map->mark,
                                   .parent = map,
                                   .name = key->name,
                                   .name_mark = map->name_mark,
                                   .text = value};

    if (!value || value[0] == '\0') {
        if (variable->required)
            report_key_warning(resolve->report, map,
                               "has no %s, and neither is %s set here; the daemon needs one of "
                               "them to get tokens",
                               key->name, variable->variable);
        return NULL;
    }
    if (value_check(resolve->report, &node, key))
        return value;
    report_key_error(resolve->report, map,
                     "takes this %s from the environment variable %s; correct that, or set %s here",
                     key->name, variable->variable, key->name);
    return NULL;
}

static const struct identity_variable *variable_of(const struct identity_type *type,
                                                   const struct schema_key *key)
{
    const struct identity_variable *row = type->variables;

    while (row && row->key && strcmp(row->key, key->name) != 0)
        row++;
    return row && row->key ? row : NULL;
}

static const char *setting_of(struct resolve *resolve, const struct schema_key *key,
                              const char *text)
{
    size_t length = text ? strlen(text) : 0;

    while (key->type == SCHEMA_URL && length > 0 && text[length - 1] == '/')
        length--;
    return text ? arena_dup_n(resolve->arena, text, length) : NULL;
}

static void fill(struct resolve *resolve, const struct tree_node *map,
                 const struct identity_type *type, struct identity *identity)
{
    const struct schema_key *keys = type->variant.map->keys;

    identity->name = arena_dup(resolve->arena, map->name);
    identity->type = type;
    for (size_t i = 0; i < IDENTITY_SETTINGS_MAX && keys[i].name; i++) {
        const struct identity_variable *variable = variable_of(type, &keys[i]);
        const char *text = text_of(resolve, map, type->variant.map, &keys[i]);

        if (!text && variable && !tree_child(map, keys[i].name)) {
            text = from_environment(resolve, map, &keys[i], variable);
            identity->from_environment |= text ? 1U << i : 0;
        }
        identity->settings[i] = setting_of(resolve, &keys[i], text);
    }
    if (type->check)
        type->check(resolve->report, map);
    if (type->review)
        type->review(resolve->report, map, identity, resolve->config);
}

void resolve_identities(struct resolve *resolve)
{
    const struct tree_node *section = schema_get(resolve->root, "identities");
    struct identity *identities;
    size_t count = 0;

    if (!section)
        return;
    identities = arena_alloc_array(resolve->arena, section->count, sizeof(*identities));
    if (!identities)
        return;
    for (const struct tree_node *map = section->first; map; map = map->next) {
        const struct schema_variant *variant = schema_variant_of(schema_identity_types, map);

        if (map->invalid || !variant)
            continue;
        fill(resolve, map, container_of(variant, struct identity_type, variant),
             &identities[count++]);
    }
    resolve->config->identities = identities;
    resolve->config->identity_count = count;
}
