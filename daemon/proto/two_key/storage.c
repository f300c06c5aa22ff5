#include "proto/two_key/storage_probe.h"
#include "proto/two_key/shapes.h"

/*
 * Storage accounts (Microsoft.Storage/storageAccounts): key1 and key2 (learn.microsoft.com, Storage
 * Resource Provider REST API, "Storage Accounts - List Keys" and "- Regenerate Key"); and the pair
 * kerb1 and kerb2, the passwords of the identity that stands for the account in Active Directory.
 * Kerberos keys open no data plane, so that allowSharedKeyAccess leaves them as they are.
 */

static const struct two_key_switch switches[] = {
    {.path = "properties.allowSharedKeyAccess",
     .off = OFF_IF_FALSE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the account's allowSharedKeyAccess is false"},
    {.path = NULL},
};

/* What both pairs share; `first` and `second` are the names of their keys. */
#define STORAGE_PAIR(which, first, second)                                                         \
    TWO_KEY_PAIR(which),                                                                           \
        .type = "Microsoft.Storage/storageAccounts", .short_name = "storage",                      \
        .noun = "a Storage account", .api_version = "2026-04-01",                                  \
        .name = {3, 24, "", "3 to 24 letters and digits"},                                         \
        TWO_KEY_REGENERATE("regenerateKey", "keyName", first, second),                             \
        TWO_KEY_AT("keys[keyName=" first "].value", "keys[keyName=" second "].value"),             \
        TWO_KEY_MADE_AT("keys[keyName=" first "].creationTime",                                    \
                        "keys[keyName=" second "].creationTime"),                                  \
        .key_shape = &key_shape_base64, .state_path = "properties.provisioningState",              \
        TWO_KEY_ACTIONS("Microsoft.Storage/storageAccounts", "listkeys", "regeneratekey"),         \
        .role = "Storage Key Rotator", .env_name = "AZURE_STORAGE_ACCOUNT"

const struct two_key_resource two_key_storage_account = {
    STORAGE_PAIR("key", "key1", "key2"),
    .list = {.name = "listKeys"},
    .regenerate_answers = ANSWERS_BOTH,
    .endpoint_path = "properties.primaryEndpoints.blob",
    .switches = switches,
    .keys_on = "set the account's allowSharedKeyAccess to true",
    .probe = &storage_probe,
    .grants = "read, write and delete all data of the account, and sign shared access signatures",
    .env_key = "AZURE_STORAGE_KEY",
    .env_endpoint = "AZURE_STORAGE_BLOB_ENDPOINT",
    .env_connection_string = "AZURE_STORAGE_CONNECTION_STRING",
    .connection_string =
        "DefaultEndpointsProtocol=https;AccountName={name};AccountKey={key};"
        "BlobEndpoint=https://{endpoint}/",
    .dies = "every shared access signature that was made with the key",
};

/* Whether the answer to a regenerate holds these keys is not documented: they are listed. */
const struct two_key_resource two_key_storage_kerberos = {
    STORAGE_PAIR("kerb", "kerb1", "kerb2"),
    .list = {.name = "listKeys", .query = "%24expand=kerb"},
    .regenerate_answers = ANSWERS_NOTHING,
    .absent =
        "let Azure make both Kerberos keys, which a Storage account has not from the start: "
        "`az storage account keys renew --account-name {resource_name} --key-type kerb --key "
        "primary`, and the same with --key secondary",
    .endpoint_path = "properties.primaryEndpoints.file",
    .grants = "answer as the account's identity in Active Directory",
    .env_key = "AZURE_STORAGE_KERBEROS_KEY",
    .dies = "the account's identity in Active Directory, if the key is its password",
    .note =
        "a Storage account has Kerberos keys once they were made (az storage account keys renew "
        "--key-type kerb); deliver them with a program that changes the password of its "
        "identity in Active Directory",
};
