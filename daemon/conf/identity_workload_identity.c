#include "base/str.h"
#include "conf/identity.h"
#include "conf/schema_row.h"

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("tenant_id", SCHEMA_TENANT),
    SCHEMA_ROW("client_id", SCHEMA_GUID),
    SCHEMA_ROW("federated_token_file", SCHEMA_CREDENTIAL),
    SCHEMA_ROW("authority_host", SCHEMA_URL),
    SCHEMA_END,
}};

/* What Azure's webhook for Kubernetes sets in a pod ("Azure AD Workload Identity", mutating
 * admission webhook). */
static const struct identity_variable variables[] = {
    {"tenant_id", "AZURE_TENANT_ID", true},
    {"client_id", "AZURE_CLIENT_ID", true},
    {"federated_token_file", "AZURE_FEDERATED_TOKEN_FILE", true},
    {"authority_host", "AZURE_AUTHORITY_HOST", false},
    {NULL, NULL, false},
};

/* "tenant 1111 (AZURE_TENANT_ID)" */
static void describe_setting(const struct identity *identity, const char *noun, const char *key,
                             struct buf *out)
{
    const char *value = identity_setting(identity, key);
    const char *variable = identity_variable(identity->type, key);

    (void)buf_append_format(out, "%s ", noun);
    if (value && identity_is_from_environment(identity, key))
        (void)buf_append_format(out, "%s (%s)", value, variable);
    else if (value)
        (void)buf_append_str(out, value);
    else
        (void)buf_append_format(out, "$%s (not set here)", variable);
}

static void describe(const struct identity *identity, struct buf *out)
{
    describe_setting(identity, "application", "client_id", out);
    (void)buf_append_char(out, ' ');
    describe_setting(identity, "of tenant", "tenant_id", out);
    (void)buf_append_char(out, ',');
    (void)buf_append_char(out, ' ');
    describe_setting(identity, "federated token from", "federated_token_file", out);
    (void)buf_append_str(out, ", read again for every token");
    if (identity_setting(identity, "authority_host")) {
        (void)buf_append_char(out, ',');
        (void)buf_append_char(out, ' ');
        describe_setting(identity, "login", "authority_host", out);
    }
}

/* A token of one cloud opens nothing in another. */
static void review(struct report *report, const struct tree_node *map,
                   const struct identity *identity, const struct config *config)
{
    const char *authority = identity_setting(identity, "authority_host");

    if (!authority || !config->cloud.login || str_equal_nocase(authority, config->cloud.login))
        return;
    report_key_warning(
        report, map,
        "gets its tokens from %s%s, but the login of the cloud is %s; where that is not "
        "meant, set `authority_host: %s` here, or `cloud` to the other one",
        authority,
        identity_is_from_environment(identity, "authority_host") ? " (AZURE_AUTHORITY_HOST)" : "",
        config->cloud.login, config->cloud.login);
}

const struct identity_type identity_workload_identity = {
    .variant = {.name = "workload_identity", .map = &keys},
    .noun = "workload identity",
    .variables = variables,
    .review = review,
    .describe = describe,
};
