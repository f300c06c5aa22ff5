#include "proto/two_key/two_key.h"

/*
 * Azure Maps (Microsoft.Maps/accounts). Its description names no host, so a new key is not
 * verified.
 */

static const struct two_key_switch switches[] = {
    {.path = "properties.disableLocalAuth",
     .off = OFF_IF_TRUE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the account's disableLocalAuth is true"},
    {.path = NULL},
};

const struct two_key_resource two_key_maps_account = {
    .type = "Microsoft.Maps/accounts",
    .short_name = "maps",
    .noun = "an Azure Maps account",
    .api_version = "2023-06-01",
    .name = {1, 98, "-._", "1 to 98 letters, digits, '-', '.' and '_'"},
    .list = {.name = "listKeys"},
    .regenerate = {[SLOT_PRIMARY] = {.name = "regenerateKey", .body = "{\"keyType\":\"primary\"}"},
                   [SLOT_SECONDARY] = {.name = "regenerateKey",
                                       .body = "{\"keyType\":\"secondary\"}"}},
    .regenerate_answers_keys = true,
    .key_paths = {[SLOT_PRIMARY] = "primaryKey", [SLOT_SECONDARY] = "secondaryKey"},
    .key_shape = &key_shape_text,
    .state_path = "properties.provisioningState",
    .switches = switches,
    .keys_on = "set the account's disableLocalAuth to false",
    .read_action = "Microsoft.Maps/accounts/read",
    .list_action = "Microsoft.Maps/accounts/listKeys/action",
    .regenerate_action = "Microsoft.Maps/accounts/regenerateKey/action",
    .role = "Maps Key Rotator",
    .env_name = "AZURE_MAPS_ACCOUNT",
    .env_key = "AZURE_MAPS_SUBSCRIPTION_KEY",
    .dies = "every SAS token that was signed with the key",
};
