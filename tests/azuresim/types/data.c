/* Stores of data. */
#include "types.h"

const struct type type_batch = {
    .name = "Microsoft.Batch/batchAccounts",
    .word = "batch",
    .versions =
        "2015-12-01 2017-01-01 2017-05-01 2017-09-01 2018-12-01 2019-04-01 2019-08-01 "
        "2020-03-01 2020-05-01 2020-09-01 2021-01-01 2021-06-01 2022-01-01 2022-06-01 "
        "2022-10-01 2023-05-01 2023-11-01 2024-02-01 2024-07-01 2025-06-01",
    .list = {.suffix = "listKeys",
             .answer = "{\"accountName\":\"$0\",\"primary\":\"$K0\",\"secondary\":\"$K1\"}"},
    .regenerate = {.suffix = "regenerateKeys", .member = "keyName"},
    .slots = {{"Primary", "primary"}, {"Secondary", "secondary"}},
    .decodes_key = true,
    .off = {.property = "allowedAuthenticationModes",
            .on = "[\"SharedKey\",\"AAD\",\"TaskAuthenticationToken\"]",
            .off = "[\"AAD\"]",
            .status = 409,
            .code = "SharedKeyAuthenticationNotAllowed",
            .message = "The operation is not allowed because shared key authentication is disabled "
                       "for the account."},
    .resource = "{\"identity\":{\"type\":\"None\"}}",
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"poolAllocationMode\":\"BatchService\","
        "\"publicNetworkAccess\":\"Enabled\",\"allowedAuthenticationModes\":"
        "[\"SharedKey\",\"AAD\",\"TaskAuthenticationToken\"]}",
    .endpoints =
        "{\"accountEndpoint\":\"$0.$L.$B\",\"nodeManagementEndpoint\":\"node.$L.$B\","
        "\"dedicatedCoreQuota\":100,\"lowPriorityCoreQuota\":100,\"poolQuota\":100,"
        "\"activeJobAndJobScheduleQuota\":300,\"privateEndpointConnections\":[],"
        "\"encryption\":{\"keySource\":\"Microsoft.Batch\"}}",
};

/* The portal shows the permissions as "FULL", the model as "Full". */
#define STORAGE_KEY(slot)                                                                          \
    "{\"keyName\":\"$W" slot "\",\"value\":\"$K" slot                                              \
    "\",\"permissions\":\"FULL\","                                                                 \
    "\"creationTime\":\"$T" slot "\"}"

static const struct type storage = {
    .name = "Microsoft.Storage/storageAccounts",
    .word = "storage",
    .versions =
        "2019-06-01 2021-09-01 2022-09-01 2023-05-01 2024-01-01 2025-08-01 2026-04-01 "
        "2026-09-01",
    .list = {.suffix = "listKeys",
             .answer = "{\"keys\":[" STORAGE_KEY("0") "," STORAGE_KEY("1") "]}",
             .expand = "kerb",
             .expanded = "{\"keys\":[" STORAGE_KEY("0") "," STORAGE_KEY("1") "," STORAGE_KEY(
                 "2") "," STORAGE_KEY("3") "]}"},
    .regenerate = {.suffix = "regenerateKey", .member = "keyName"},
    .slots = {{"key1", NULL}, {"key2", NULL}, {"kerb1", NULL}, {"kerb2", NULL}},
    .pairs = {"key", "kerb"},
    .decodes_key = true,
    .off = {.property = "allowSharedKeyAccess", .on = "true", .off = "false"},
    .resource =
        "{\"kind\":\"StorageV2\",\"sku\":{\"name\":\"Standard_LRS\",\"tier\":\"Standard\"}}",
    .properties = "{\"provisioningState\":\"Succeeded\",\"publicNetworkAccess\":\"Enabled\"}",
    .endpoints =
        "{\"primaryEndpoints\":{\"blob\":\"https://$0.blob.localhost$P/\","
        "\"queue\":\"https://$0.queue.localhost$P/\","
        "\"table\":\"https://$0.table.localhost$P/\","
        "\"file\":\"https://$0.file.localhost$P/\"},"
        "\"keyCreationTime\":{\"key1\":\"$T0\",\"key2\":\"$T1\"}}",
};

#define COSMOS_TIME(member, slot) "\"" member "\":{\"generationTime\":\"$T" slot "\"}"

static const struct type cosmos = {
    .name = "Microsoft.DocumentDB/databaseAccounts",
    .word = "cosmos",
    .versions = "2021-10-15 2023-11-15 2024-11-15 2025-10-15 2026-03-15",
    .list = {.suffix = "listKeys",
             .answer = "{\"primaryMasterKey\":\"$K0\",\"secondaryMasterKey\":\"$K1\","
                       "\"primaryReadonlyMasterKey\":\"$K2\","
                       "\"secondaryReadonlyMasterKey\":\"$K3\"}"},
    .regenerate = {.suffix = "regenerateKey", .member = "keyKind", .answer = ""},
    .operation = {.is_long = true,
                  .has_async_header = true,
                  .has_location = true,
                  .status = {.word = "operationsStatus"},
                  .result = {.word = "operationResults", .is_undocumented = true}},
    .slots = {{"primary", "primaryMasterKey"},
              {"secondary", "secondaryMasterKey"},
              {"primaryReadonly", "primaryReadonlyMasterKey"},
              {"secondaryReadonly", "secondaryReadonlyMasterKey"}},
    .pairs = {"read_write", "read_only"},
    .decodes_key = true,
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true"},
    .resource = "{\"kind\":\"GlobalDocumentDB\"}",
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"publicNetworkAccess\":\"Enabled\","
        "\"disableLocalAuth\":false,\"disableKeyBasedMetadataWriteAccess\":false}",
    .endpoints = "{\"documentEndpoint\":\"https://$0.documents.localhost$P/\",\"keysMetadata\":{" //
    COSMOS_TIME("primaryMasterKey", "0") "," COSMOS_TIME("secondaryMasterKey", "1") ","           //
    COSMOS_TIME("primaryReadonlyMasterKey", "2") ","                                              //
    COSMOS_TIME("secondaryReadonlyMasterKey", "3") "}}",
};

static const struct type redis = {
    .name = "Microsoft.Cache/redis",
    .word = "redis",
    .versions = "2020-06-01 2022-06-01 2023-08-01 2024-03-01 2024-11-01",
    .list = {.suffix = "listKeys", .answer = "{\"primaryKey\":\"$K0\",\"secondaryKey\":\"$K1\"}"},
    .regenerate = {.suffix = "regenerateKey", .member = "keyType"},
    .slots = {{"Primary", "primaryKey"}, {"Secondary", "secondaryKey"}},
    .key = KEY_SHORT_BASE64,
    .off = {.property = "disableAccessKeyAuthentication", .on = "false", .off = "true"},
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"redisVersion\":\"6.0\","
        "\"enableNonSslPort\":false,\"publicNetworkAccess\":\"Enabled\","
        "\"disableAccessKeyAuthentication\":false,\"accessKeys\":null}",
    .endpoints = "{\"hostName\":\"$0.redis.localhost\",\"port\":6379,\"sslPort\":$R}",
};

static const struct type redis_enterprise = {
    .name = "Microsoft.Cache/redisEnterprise/databases",
    .word = "redis_enterprise",
    .versions = "2022-01-01 2023-11-01 2024-10-01 2025-04-01 2025-07-01",
    .list = {.suffix = "listKeys", .answer = "{\"primaryKey\":\"$K0\",\"secondaryKey\":\"$K1\"}"},
    .regenerate = {.suffix = "regenerateKey", .member = "keyType"},
    .operation = {.is_long = true,
                  .has_async_header = true,
                  .has_location = true,
                  .status = {.word = "operationsStatus"},
                  .result = {.word = "operationResults", .is_undocumented = true}},
    .slots = {{"Primary", "primaryKey"}, {"Secondary", "secondaryKey"}},
    .key = KEY_SHORT_BASE64,
    .off = {.property = "accessKeysAuthentication", .on = "\"Enabled\"", .off = "\"Disabled\""},
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"resourceState\":\"Running\","
        "\"clientProtocol\":\"Encrypted\",\"accessKeysAuthentication\":\"Enabled\"}",
    .endpoints = "{\"port\":$R}",
    .parent_properties = "{\"provisioningState\":\"Succeeded\",\"resourceState\":\"Running\"}",
    .parent_endpoints = "{\"hostName\":\"$0.redis.localhost\"}",
};

/* Of any slot: the list names the four by their names in the portal. */
#define STORE_KEY(slot)                                                                            \
    "{\"id\":\"$I" slot "\",\"name\":\"$M" slot "\",\"value\":\"$K" slot                           \
    "\","                                                                                          \
    "\"connectionString\":\"Endpoint=https://$0.azconfig.localhost$P;Id=$I" slot ";Secret=$K" slot \
    "\",\"lastModified\":\"$T" slot "\",\"readOnly\":$O" slot "}"

static const struct type app_configuration = {
    .name = "Microsoft.AppConfiguration/configurationStores",
    .word = "app_configuration",
    .versions = "2019-10-01 2020-06-01 2022-05-01 2023-03-01 2024-05-01 2024-06-01",
    .list = {.suffix = "listKeys",
             .answer = "{\"value\":[" STORE_KEY("0") "," STORE_KEY("1") "," STORE_KEY(
                 "2") "," STORE_KEY("3") "]}"},
    .regenerate = {.suffix = "regenerateKey",
                   .body = BODY_KEY_ID,
                   .member = "id",
                   .answer = STORE_KEY("*")},
    .slots = {{NULL, "Primary"},
              {NULL, "Secondary"},
              {NULL, "Primary Read Only"},
              {NULL, "Secondary Read Only"}},
    .pairs = {"read_write", "read_only"},
    .key = KEY_SHORT_BASE64,
    .decodes_key = true,
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true"},
    .resource = "{\"sku\":{\"name\":\"standard\"}}",
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"publicNetworkAccess\":\"Enabled\","
        "\"disableLocalAuth\":false}",
    .endpoints = "{\"endpoint\":\"https://$0.azconfig.localhost$P\"}",
};

const struct type *const types_of_data[] = {
    &type_batch, &storage, &cosmos, &redis, &redis_enterprise, &app_configuration, NULL,
};
