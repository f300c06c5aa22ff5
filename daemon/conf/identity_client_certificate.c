#include "base/str.h"
#include "conf/identity.h"
#include "conf/schema_row.h"

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("tenant_id", SCHEMA_TENANT, .required = true),
    SCHEMA_ROW("client_id", SCHEMA_GUID, .required = true),
    SCHEMA_ROW("client_certificate_file", SCHEMA_CREDENTIAL, .required = true,
               .public_with = "client_certificate_key_file"),
    SCHEMA_ROW("client_certificate_key_file", SCHEMA_CREDENTIAL),
    SCHEMA_ROW("client_certificate_password_file", SCHEMA_CREDENTIAL),
    SCHEMA_ROW("send_certificate_chain", SCHEMA_BOOLEAN, .fallback = "false"),
    SCHEMA_END,
}};

static void append_file(struct buf *out, const char *file)
{
    (void)buf_append_format(out, "%s%s", file[0] == '/' ? "" : "$CREDENTIALS_DIRECTORY/", file);
}

static void describe(const struct identity *identity, struct buf *out)
{
    const char *key = identity_setting(identity, "client_certificate_key_file");

    (void)buf_append_format(out, "application %s of tenant %s, certificate from ",
                            identity_setting(identity, "client_id"),
                            identity_setting(identity, "tenant_id"));
    append_file(out, identity_setting(identity, "client_certificate_file"));
    if (key) {
        (void)buf_append_str(out, ", key from ");
        append_file(out, key);
    }
    (void)buf_append_str(out, ", read again for every token");
    if (str_equal(identity_setting(identity, "send_certificate_chain"), "true"))
        (void)buf_append_str(out, ", sent with its chain");
}

const struct identity_type identity_client_certificate = {
    .variant = {.name = "client_certificate", .map = &keys},
    .noun = "identity",
    .describe = describe,
};
