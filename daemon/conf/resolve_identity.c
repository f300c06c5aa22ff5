#include <string.h>

#include "conf/exposure.h"
#include "conf/resolve.h"
#include "conf/schema.h"

static char *copy_text(struct resolve *resolve, const struct tree_node *map,
                       const struct schema_map *schema, const char *name)
{
    return arena_dup(resolve->arena, schema_text(map, schema, name));
}

static void fill_client_secret(struct resolve *resolve, const struct tree_node *map,
                               struct identity *identity)
{
    identity->tenant_id = copy_text(resolve, map, &schema_client_secret, "tenant_id");
    identity->client_id = copy_text(resolve, map, &schema_client_secret, "client_id");
    identity->client_secret_file =
        copy_text(resolve, map, &schema_client_secret, "client_secret_file");
    /* Those of $CREDENTIALS_DIRECTORY have systemd to look after them. */
    if (identity->client_secret_file && identity->client_secret_file[0] == '/')
        exposure_check_secret(resolve->report, tree_child(map, "client_secret_file"),
                              identity->client_secret_file);
}

static void fill_managed_identity(struct resolve *resolve, const struct tree_node *map,
                                  struct identity *identity)
{
    static const char *const selectors[] = {"client_id", "object_id", "resource_id"};
    const struct tree_node *chosen = NULL;
    char *endpoint = copy_text(resolve, map, &schema_managed_identity, "endpoint");

    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        const struct tree_node *selector = tree_child(map, selectors[i]);

        if (selector && chosen)
            report_key_error(resolve->report, selector,
                             "names the identity again after %s; keep one of client_id, object_id "
                             "and resource_id",
                             chosen->name);
        if (selector)
            chosen = selector;
    }
    identity->client_id = copy_text(resolve, map, &schema_managed_identity, "client_id");
    identity->object_id = copy_text(resolve, map, &schema_managed_identity, "object_id");
    identity->resource_id = copy_text(resolve, map, &schema_managed_identity, "resource_id");
    for (size_t end = endpoint ? strlen(endpoint) : 0; end > 0 && endpoint[end - 1] == '/';)
        endpoint[--end] = '\0';
    identity->endpoint = endpoint;
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
        identities[count] = (struct identity){
            .name = arena_dup(resolve->arena, map->name),
            .type = (enum identity_type)variant->value,
        };
        if (identities[count].type == IDENTITY_CLIENT_SECRET)
            fill_client_secret(resolve, map, &identities[count]);
        else
            fill_managed_identity(resolve, map, &identities[count]);
        count++;
    }
    resolve->config->identities = identities;
    resolve->config->identity_count = count;
}
