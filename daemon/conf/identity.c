#include "conf/identity.h"

#include <stdio.h>

#include "base/str.h"

const char *identity_setting(const struct identity *identity, const char *key)
{
    const struct schema_key *keys = identity->type->variant.map->keys;

    for (size_t i = 0; keys[i].name; i++) {
        if (str_equal(keys[i].name, key))
            return identity->settings[i];
    }
    return NULL;
}

const char *identity_assignee(const struct identity *identity)
{
    const char *client_id = identity_setting(identity, "client_id");

    return client_id ? client_id : identity_setting(identity, "object_id");
}

void identity_describe_principal(const struct identity *identity, char out[IDENTITY_PRINCIPAL_MAX])
{
    const char *id = identity_assignee(identity);

    if (!id)
        id = identity_setting(identity, "resource_id");
    (void)snprintf(out, IDENTITY_PRINCIPAL_MAX, "%s \"%s\"%s%s%s", identity->type->noun,
                   identity->name, id ? " (" : "", id ? id : "", id ? ")" : "");
}
