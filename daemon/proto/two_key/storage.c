#include "proto/two_key/storage_probe.h"
#include "proto/two_key/shapes.h"

/*
 * Storage accounts (Microsoft.Storage/storageAccounts): key1 and key2 (learn.microsoft.com, Storage
 * Resource Provider REST API, "Storage Accounts - List Keys" and "- Regenerate Key").
 */

static const struct two_key_switch switches[] = {
    {.path = "properties.allowSharedKeyAccess",
     .off = OFF_IF_FALSE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the account's allowSharedKeyAccess is false"},
    {.path = NULL},
};

const struct two_key_resource two_key_storage_account = {
    .type = "Microsoft.Storage/storageAccounts",
    .short_name = "storage",
    .noun = "a Storage account",
    .api_version = "2026-04-01",
    .name = {3, 24, "", "3 to 24 letters and digits"},
    .list = {.name = "listKeys"},
    TWO_KEY_REGENERATE("regenerateKey", "keyName", "key1", "key2"),
    .regenerate_answers = ANSWERS_BOTH,
    .key_paths = {[SLOT_PRIMARY] = "keys[keyName=key1].value",
                  [SLOT_SECONDARY] = "keys[keyName=key2].value"},
    .key_shape = &key_shape_base64,
    .endpoint_path = "properties.primaryEndpoints.blob",
    .state_path = "properties.provisioningState",
    .switches = switches,
    .keys_on = "set the account's allowSharedKeyAccess to true",
    .probe = &storage_probe,
    TWO_KEY_ACTIONS("Microsoft.Storage/storageAccounts", "listkeys", "regeneratekey"),
    .role = "Storage Key Rotator",
    .env_name = "AZURE_STORAGE_ACCOUNT",
    .env_key = "AZURE_STORAGE_KEY",
    .env_endpoint = "AZURE_STORAGE_BLOB_ENDPOINT",
    .connection_string =
        "DefaultEndpointsProtocol=https;AccountName={name};AccountKey={key};"
        "BlobEndpoint=https://{endpoint}/",
    .dies = "every shared access signature that was made with the key",
};
