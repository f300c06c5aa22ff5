#include "conf/identity.h"

#include <stdio.h>

#include "base/str.h"

static bool find_key(const struct identity_type *type, const char *key, size_t *ret_index)
{
    const struct schema_key *keys = type->variant.map->keys;

    for (size_t i = 0; keys[i].name; i++) {
        if (str_equal(keys[i].name, key)) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

const char *identity_setting(const struct identity *identity, const char *key)
{
    size_t index;

    return find_key(identity->type, key, &index) ? identity->settings[index] : NULL;
}

const char *identity_variable(const struct identity_type *type, const char *key)
{
    const struct identity_variable *row = type->variables;

    for (; row && row->key; row++) {
        if (str_equal(row->key, key))
            return row->variable;
    }
    return NULL;
}

bool identity_is_from_environment(const struct identity *identity, const char *key)
{
    size_t index;

    return find_key(identity->type, key, &index) && (identity->from_environment >> index & 1);
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
