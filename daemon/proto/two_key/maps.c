#include "proto/two_key/shapes.h"

/*
 * Azure Maps (Microsoft.Maps/accounts). Its description names no host, so a new key is not
 * verified.
 */

const struct two_key_resource two_key_maps_account = {
    .type = "Microsoft.Maps/accounts",
    .short_name = "maps",
    .noun = "an Azure Maps account",
    .api_version = "2023-06-01",
    .name = {1, 98, "-._", "1 to 98 letters, digits, '-', '.' and '_'"},
    TWO_KEY_RANKED("primary", "secondary"),
    .key_shape = &key_shape_text,
    .state_path = "properties.provisioningState",
    TWO_KEY_LOCAL_AUTH("the account's"),
    TWO_KEY_ACTIONS("Microsoft.Maps/accounts", "listKeys", "regenerateKey"),
    .role = "Maps Key Rotator",
    .env_name = "AZURE_MAPS_ACCOUNT",
    .env_key = "AZURE_MAPS_SUBSCRIPTION_KEY",
    .dies = "every SAS token that was signed with the key",
};
