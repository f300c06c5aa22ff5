#include <string.h>

#include "base/list.h"
#include "conf/exposure.h"
#include "conf/identity.h"
#include "conf/resolve.h"

static const char *setting_of(struct resolve *resolve, const struct tree_node *map,
                              const struct schema_map *schema, const struct schema_key *key)
{
    const char *text = schema_text(map, schema, key->name);
    size_t length = text ? strlen(text) : 0;

    /* systemd protects the files in $CREDENTIALS_DIRECTORY; check the others. */
    if (text && key->type == SCHEMA_CREDENTIAL && text[0] == '/')
        exposure_check_secret(resolve->report, tree_child(map, key->name), text);
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
    for (size_t i = 0; i < IDENTITY_SETTINGS_MAX && keys[i].name; i++)
        identity->settings[i] = setting_of(resolve, map, type->variant.map, &keys[i]);
    if (type->check)
        type->check(resolve->report, map);
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

        if (map->invalid || !variant || variant->later)
            continue;
        fill(resolve, map, container_of(variant, struct identity_type, variant),
             &identities[count++]);
    }
    resolve->config->identities = identities;
    resolve->config->identity_count = count;
}
