#include "conf/identity.h"
#include "conf/schema_row.h"

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("tenant_id", SCHEMA_TENANT, .required = true),
    SCHEMA_ROW("client_id", SCHEMA_GUID, .required = true),
    SCHEMA_ROW("client_secret_file", SCHEMA_CREDENTIAL, .required = true),
    SCHEMA_END,
}};

static void describe(const struct identity *identity, struct buf *out)
{
    const char *file = identity_setting(identity, "client_secret_file");

    (void)buf_append_format(
        out, "application %s of tenant %s, secret from %s%s, read again for every token",
        identity_setting(identity, "client_id"), identity_setting(identity, "tenant_id"),
        file[0] == '/' ? "" : "$CREDENTIALS_DIRECTORY/", file);
}

const struct identity_type identity_client_secret = {
    .variant = {.name = "client_secret", .map = &keys},
    .noun = "identity",
    .describe = describe,
};
