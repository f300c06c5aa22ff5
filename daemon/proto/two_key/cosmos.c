#include "proto/two_key/cosmos_probe.h"
#include "proto/two_key/shapes.h"

/*
 * Azure Cosmos DB (Microsoft.DocumentDB/databaseAccounts): a pair of keys that may read and write,
 * and one that may only read. A regenerate takes a minute to several hours, and its answer is empty
 * (learn.microsoft.com, "Secure access to data in Azure Cosmos DB", on key rotation). The list goes
 * on to show keys that are switched off.
 */

/* What both pairs have. */
#define ACCOUNT                                                                                    \
    .type = "Microsoft.DocumentDB/databaseAccounts", .short_name = "cosmos",                       \
    .noun = "a Cosmos DB account", .api_version = "2026-03-15",                                    \
    .name = {3, 50, "-", "3 to 50 letters, digits and '-'"}, .list = {.name = "listKeys"},         \
    .regenerate_answers = ANSWERS_NOTHING, .slow_for = 12 * MS_HOUR, .list_delay = 5 * MS_MINUTE,  \
    .key_shape = &key_shape_base64, .endpoint_path = "properties.documentEndpoint",                \
    .state_path = "properties.provisioningState", TWO_KEY_LOCAL_AUTH("the account's"),             \
    .probe = &cosmos_probe,                                                                        \
    TWO_KEY_ACTIONS("Microsoft.DocumentDB/databaseAccounts", "listKeys", "regenerateKey"),         \
    .role = "Cosmos DB Key Rotator", .env_name = "AZURE_COSMOS_ACCOUNT",                           \
    .env_key = "AZURE_COSMOS_KEY", .env_endpoint = "AZURE_COSMOS_ENDPOINT",                        \
    .env_connection_string = "AZURE_COSMOS_CONNECTIONSTRING",                                      \
    .connection_string = "AccountEndpoint=https://{endpoint}/;AccountKey={key};"

const struct two_key_resource two_key_cosmos_account = {
    ACCOUNT,
    TWO_KEY_PAIR("read_write"),
    TWO_KEY_REGENERATE("regenerateKey", "keyKind", "primary", "secondary"),
    TWO_KEY_AT("primaryMasterKey", "secondaryMasterKey"),
    TWO_KEY_DESCRIBED_AS_MADE_AT("properties.keysMetadata.primaryMasterKey.generationTime",
                                 "properties.keysMetadata.secondaryMasterKey.generationTime"),
    .grants = "read and write all data of the account, and make and delete databases",
};

const struct two_key_resource two_key_cosmos_read_only = {
    ACCOUNT,
    TWO_KEY_PAIR("read_only"),
    TWO_KEY_REGENERATE("regenerateKey", "keyKind", "primaryReadonly", "secondaryReadonly"),
    TWO_KEY_AT("primaryReadonlyMasterKey", "secondaryReadonlyMasterKey"),
    TWO_KEY_DESCRIBED_AS_MADE_AT(
        "properties.keysMetadata.primaryReadonlyMasterKey.generationTime",
        "properties.keysMetadata.secondaryReadonlyMasterKey.generationTime"),
    .grants = "read all data of the account",
};
