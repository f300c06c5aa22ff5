/* Registries, gateways, automation and runtimes. */
#include "types.h"

#define BOTH_KEYS "{\"primaryKey\":\"$K0\",\"secondaryKey\":\"$K1\"}"

static const struct type container_registry = {
    .name = "Microsoft.ContainerRegistry/registries",
    .word = "container_registry",
    .versions = "2019-05-01 2021-09-01 2022-12-01 2023-07-01 2025-04-01 2025-11-01",
    .list = {.suffix = "listCredentials",
             .answer = "{\"username\":\"$0\",\"passwords\":["
                       "{\"name\":\"password\",\"value\":\"$K0\"},"
                       "{\"name\":\"password2\",\"value\":\"$K1\"}]}"},
    .regenerate = {.suffix = "regenerateCredential", .member = "name"},
    .slots = {{"password", "password"}, {"password2", "password2"}},
    .key = KEY_LETTERS,
    .off = {.property = "adminUserEnabled",
            .on = "true",
            .off = "false",
            .needs_on = true,
            .status = 400,
            .code = "UnAuthorizedForCredentialOperations",
            .message = "Cannot perform credential operations as admin user is disabled."},
    .resource = "{\"sku\":{\"name\":\"Basic\",\"tier\":\"Basic\"}}",
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"adminUserEnabled\":true,"
        "\"publicNetworkAccess\":\"Enabled\"}",
    .endpoints = "{\"loginServer\":\"$0.azurecr.localhost$P\"}",
};

static const struct type fluid_relay = {
    .name = "Microsoft.FluidRelay/fluidRelayServers",
    .word = "fluid_relay",
    .versions = "2022-05-26 2022-06-01",
    .list = {.suffix = "listKeys", .answer = "{\"key1\":\"$K0\",\"key2\":\"$K1\"}"},
    .regenerate = {.suffix = "regenerateKey", .member = "keyName"},
    .slots = {{"key1", "key1"}, {"key2", "key2"}},
    .key = KEY_HEX,
    .properties = "{\"provisioningState\":\"Succeeded\"}",
    .endpoints =
        "{\"frsTenantId\":\"88888888-0000-4000-8000-$0\",\"fluidRelayEndpoints\":{"
        "\"ordererEndpoints\":[\"https://$0.fluidrelay.localhost$P\"],"
        "\"storageEndpoints\":[\"https://$0.fluidrelay.localhost$P\"]}}",
};

static const struct type automation = {
    .name = "Microsoft.Automation/automationAccounts",
    .word = "automation",
    .versions = "2018-01-15 2020-01-13-preview 2022-08-08 2023-11-01 2024-10-23",
    .list = {.method = "GET",
             .suffix = "agentRegistrationInformation",
             .answer = "{\"dscMetaConfiguration\":\"instance of MSFT\","
                       "\"endpoint\":\"https://$0.automation.localhost$P/accounts/$0\","
                       "\"keys\":{\"primary\":\"$K0\",\"secondary\":\"$K1\"}}"},
    .regenerate = {.suffix = "agentRegistrationInformation/regenerateKey", .member = "keyName"},
    .slots = {{"primary", "primary"}, {"secondary", "secondary"}},
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true"},
    .properties = "{\"state\":\"Ok\",\"publicNetworkAccess\":true,\"disableLocalAuth\":false}",
    .endpoints = "{\"RegistrationUrl\":\"https://$0.automation.localhost$P\"}",
};

static const struct type spring = {
    .name = "Microsoft.AppPlatform/Spring",
    .word = "spring",
    .versions = "2020-07-01 2022-04-01 2023-12-01",
    .list = {.suffix = "listTestKeys",
             .answer = "{\"primaryKey\":\"$K0\",\"secondaryKey\":\"$K1\",\"primaryTestEndpoint\":"
                       "\"https://primary:$K0@$0.test.azuremicroservices.localhost$P\","
                       "\"secondaryTestEndpoint\":"
                       "\"https://secondary:$K1@$0.test.azuremicroservices.localhost$P\","
                       "\"enabled\":true}"},
    .regenerate = {.suffix = "regenerateTestKey", .member = "keyType"},
    .slots = {{"Primary", "primaryKey"}, {"Secondary", "secondaryKey"}},
    .key = KEY_LETTERS,
    .properties = "{\"provisioningState\":\"Succeeded\",\"powerState\":\"Running\"}",
};

/* The recorded answers to a regeneration hold the regenerated key only. */
#define RUNTIME_ROW(all_versions)                                                                  \
    .versions = all_versions,                                                                      \
    .list = {.suffix = "listAuthKeys", .answer = "{\"authKey1\":\"$K0\",\"authKey2\":\"$K1\"}"},   \
    .regenerate = {.suffix = "regenerateAuthKey",                                                  \
                   .member = "keyName",                                                            \
                   .answer = "{\"$M*\":\"$K*\"}"},                                                 \
    .slots = {{"authKey1", "authKey1"}, {"authKey2", "authKey2"}}, .key = KEY_RUNTIME,             \
    .off = {.property = "type", .on = "\"SelfHosted\"", .off = "\"Managed\"", .needs_on = true},   \
    .properties = "{\"type\":\"SelfHosted\"}",                                                     \
    .parent_properties = "{\"provisioningState\":\"Succeeded\"}"

static const struct type data_factory_runtime = {
    .name = "Microsoft.DataFactory/factories/integrationRuntimes",
    .word = "data_factory_runtime",
    RUNTIME_ROW("2018-06-01"),
};

static const struct type synapse_runtime = {
    .name = "Microsoft.Synapse/workspaces/integrationRuntimes",
    .word = "synapse_runtime",
    RUNTIME_ROW("2021-06-01-preview 2021-06-01"),
};

static const struct type data_migration = {
    .name = "Microsoft.DataMigration/sqlMigrationServices",
    .word = "data_migration",
    .versions = "2022-03-30-preview 2025-06-30",
    .list = {.suffix = "listAuthKeys", .answer = "{\"authKey1\":\"$K0\",\"authKey2\":\"$K1\"}"},
    .regenerate = {.suffix = "regenerateAuthKeys",
                   .member = "keyName",
                   .answer = "{\"keyName\":\"$W*\",\"$M*\":\"$K*\"}"},
    .slots = {{"authKey1", "authKey1"}, {"authKey2", "authKey2"}},
    .key = KEY_RUNTIME,
    .properties = "{\"provisioningState\":\"Succeeded\",\"integrationRuntimeState\":\"Online\"}",
};

#define APIM_VERSIONS "2021-08-01 2022-08-01 2024-05-01"
#define APIM_PARENT                                                                                \
    .parent_properties = "{\"provisioningState\":\"Succeeded\"}",                                  \
    .parent_endpoints = "{\"gatewayUrl\":\"https://$0.azure-api.localhost$P\"}"
/* The path names the slot, and the answer is empty. */
#define APIM_PATHS                                                                                 \
    .regenerate = {.suffix = "", .body = BODY_NONE, .status = 204, .answer = ""},                  \
    .slots = {{"regeneratePrimaryKey", "primaryKey"}, {"regenerateSecondaryKey", "secondaryKey"}}, \
    .key = KEY_HEX
#define APIM_SUBSCRIPTION                                                                          \
    .versions = APIM_VERSIONS, .list = {.suffix = "listSecrets", .answer = BOTH_KEYS}, APIM_PATHS, \
    .off = {.property = "state", .on = "\"active\"", .off = "\"suspended\"", .needs_on = true},    \
    .properties = "{\"displayName\":\"for tests\",\"scope\":\"/apis\",\"state\":\"active\"}",      \
    APIM_PARENT

static const struct type apim_subscription = {
    .name = "Microsoft.ApiManagement/service/subscriptions",
    .word = "apim_subscription",
    APIM_SUBSCRIPTION,
};

static const struct type apim_workspace_subscription = {
    .name = "Microsoft.ApiManagement/service/workspaces/subscriptions",
    .word = "apim_workspace_subscription",
    APIM_SUBSCRIPTION,
};

static const struct type apim_tenant = {
    .name = "Microsoft.ApiManagement/service/tenant",
    .word = "apim_tenant",
    .versions = APIM_VERSIONS,
    .list = {.suffix = "listSecrets",
             .answer = "{\"id\":\"$1\",\"principalId\":null,\"primaryKey\":\"$K0\","
                       "\"secondaryKey\":\"$K1\",\"enabled\":true}"},
    APIM_PATHS,
    .off = {.property = "enabled", .on = "true", .off = "false", .needs_on = true},
    .properties = "{\"id\":\"integration\",\"enabled\":true}",
    APIM_PARENT,
};

static const struct type apim_gateway = {
    .name = "Microsoft.ApiManagement/service/gateways",
    .word = "apim_gateway",
    .versions = APIM_VERSIONS,
    .list = {.suffix = "listKeys", .answer = "{\"primary\":\"$K0\",\"secondary\":\"$K1\"}"},
    .regenerate = {.suffix = "regenerateKey", .member = "keyType", .status = 204, .answer = ""},
    .slots = {{"primary", "primary"}, {"secondary", "secondary"}},
    .properties = "{\"description\":\"for tests\"}",
    APIM_PARENT,
};

const struct type *const types_of_platforms[] = {
    &container_registry,          &fluid_relay,     &automation,     &spring,
    &data_factory_runtime,        &synapse_runtime, &data_migration, &apim_subscription,
    &apim_workspace_subscription, &apim_tenant,     &apim_gateway,   NULL,
};
