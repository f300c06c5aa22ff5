#include "proto/two_key/shapes.h"

/*
 * Azure API Management: subscriptions of a service and of a workspace, access to the management
 * API and to the Git repository (…/tenant/access, …/tenant/gitAccess), and self-hosted gateways
 * (Microsoft.ApiManagement/service/…). The answer to a regenerate is empty (204). A request that
 * proves a key of a subscription would call one of the service's APIs, so a new key is not
 * verified.
 */

/* The path says which key, and either has a permission of its own. */
#define BY_PATH(of_type)                                                                           \
    .api_version = "2024-05-01", .list = {.name = "listSecrets"},                                  \
    TWO_KEY_REGENERATE_BY_PATH("regeneratePrimaryKey", "regenerateSecondaryKey"),                  \
    .regenerate_answers = ANSWERS_NOTHING, TWO_KEY_AT("primaryKey", "secondaryKey"),               \
    .key_shape = &key_shape_text, TWO_KEY_ACTIONS(of_type, "listSecrets", "regeneratePrimaryKey"), \
    .regenerate_secondary_action = of_type "/regenerateSecondaryKey/action"

#define SUBSCRIPTION                                                                               \
    .name = {1, 256, "-._", "1 to 256 letters, digits, '-', '.' and '_'"},                         \
    .switches =                                                                                    \
        (const struct two_key_switch[]){{.path = "properties.state",                               \
                                         .off = OFF_UNLESS_TEXT,                                   \
                                         .text = "active",                                         \
                                         .reason = REASON_SHARED_KEY_DISABLED,                     \
                                         .words = "the subscription's state is not active"},       \
                                        {.path = NULL}},                                           \
    .keys_on = "activate the subscription", .env_name = "AZURE_APIM_SUBSCRIPTION",                 \
    .env_key = "AZURE_APIM_SUBSCRIPTION_KEY"

const struct two_key_resource two_key_apim_subscription = {
    .type = "Microsoft.ApiManagement/service/subscriptions",
    .short_name = "apim_subscription",
    .noun = "a subscription of API Management",
    BY_PATH("Microsoft.ApiManagement/service/subscriptions"),
    SUBSCRIPTION,
    .role = "API Management Subscription Key Rotator",
    .grants = "call the APIs in the subscription's scope",
};

const struct two_key_resource two_key_apim_workspace_subscription = {
    .type = "Microsoft.ApiManagement/service/workspaces/subscriptions",
    .short_name = "apim_workspace_subscription",
    .noun = "a subscription of a workspace of API Management",
    BY_PATH("Microsoft.ApiManagement/service/workspaces/subscriptions"),
    SUBSCRIPTION,
    .role = "API Management Workspace Subscription Key Rotator",
    .grants = "call the APIs in the subscription's scope",
};

const struct two_key_resource two_key_apim_tenant = {
    .type = "Microsoft.ApiManagement/service/tenant",
    .short_name = "apim_tenant",
    .noun = "the tenant access of API Management",
    .name = {.shortest = 6,
             .longest = 9,
             .marks = "",
             .words = "access and gitAccess",
             .only = "access gitAccess"},
    BY_PATH("Microsoft.ApiManagement/service/tenant"),
    .switches =
        (const struct two_key_switch[]){{.path = "properties.enabled",
                                         .off = OFF_UNLESS_TRUE,
                                         .reason = REASON_SHARED_KEY_DISABLED,
                                         .words = "the tenant access's enabled is not true"},
                                        {.path = NULL}},
    .list_switches =
        (const struct two_key_switch[]){{.path = "enabled",
                                         .off = OFF_IF_FALSE,
                                         .reason = REASON_SHARED_KEY_DISABLED,
                                         .words = "the tenant access is off: listSecrets says "
                                                  "enabled false"},
                                        {.path = NULL}},
    .keys_on = "enable the tenant access",
    .role = "API Management Tenant Key Rotator",
    .grants = "sign tokens that manage the service",
    .env_name = "AZURE_APIM_TENANT_ACCESS",
    .env_key = "AZURE_APIM_TENANT_ACCESS_KEY",
    .dies = "every access token that was signed with the key",
};

const struct two_key_resource two_key_apim_gateway = {
    .type = "Microsoft.ApiManagement/service/gateways",
    .short_name = "apim_gateway",
    .noun = "a self-hosted gateway of API Management",
    .api_version = "2024-05-01",
    .name = {1, 80, "-._", "1 to 80 letters, digits, '-', '.' and '_'"},
    .list = {.name = "listKeys"},
    TWO_KEY_REGENERATE("regenerateKey", "keyType", "primary", "secondary"),
    .regenerate_answers = ANSWERS_NOTHING,
    TWO_KEY_AT("primary", "secondary"),
    .key_shape = &key_shape_text,
    TWO_KEY_ACTIONS("Microsoft.ApiManagement/service/gateways", "listKeys", "regenerateKey"),
    .role = "API Management Gateway Key Rotator",
    .grants = "sign the tokens with which gateways connect",
    .env_name = "AZURE_APIM_GATEWAY",
    .env_key = "AZURE_APIM_GATEWAY_KEY",
    .dies = "every token of the gateway that was made with the key",
};
