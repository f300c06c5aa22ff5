#include "proto/two_key/batch_probe.h"
#include "proto/two_key/shapes.h"

/*
 * Azure Batch accounts (Microsoft.Batch/batchAccounts).
 */

/* The service's own policies take an absent list, and null, for every mode. */
static const struct two_key_switch switches[] = {
    {.path = "properties.poolAllocationMode",
     .off = OFF_IF_TEXT,
     .text = "UserSubscription",
     .reason = REASON_USER_SUBSCRIPTION_MODE,
     .words = "the account's poolAllocationMode is UserSubscription: it has no usable keys"},
    {.path = "properties.allowedAuthenticationModes",
     .off = OFF_UNLESS_LISTED,
     .text = "SharedKey",
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "SharedKey is not among the account's allowedAuthenticationModes"},
    {.path = NULL},
};

const struct two_key_resource two_key_batch_account = {
    .type = "Microsoft.Batch/batchAccounts",
    .short_name = "batch",
    .noun = "a Batch account",
    .api_version = "2024-02-01",
    .name = {3, 24, "", "3 to 24 letters and digits"},
    .list = {.name = "listKeys"},
    TWO_KEY_REGENERATE("regenerateKeys", "keyName", "Primary", "Secondary"),
    .regenerate_answers = ANSWERS_BOTH,
    .key_paths = {[SLOT_PRIMARY] = "primary", [SLOT_SECONDARY] = "secondary"},
    .name_path = "accountName",
    .key_shape = &key_shape_base64,
    .endpoint_path = "properties.accountEndpoint",
    .state_path = "properties.provisioningState",
    .switches = switches,
    .keys_on = "add SharedKey to the account's allowedAuthenticationModes",
    .probe = &batch_probe,
    TWO_KEY_ACTIONS("Microsoft.Batch/batchAccounts", "listkeys", "regeneratekeys"),
    .role = "Batch Key Rotator",
    .grants = "do everything with pools, jobs and tasks of the account",
    .env_name = "AZURE_BATCH_ACCOUNT",
    .env_key = "AZURE_BATCH_ACCESS_KEY",
    .env_endpoint = "AZURE_BATCH_ENDPOINT",
    .connection_string = NULL, /* its SDKs take the three apart: BatchSharedKeyCredentials */
};
