#include "conf/identity.h"

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
