#include "proto/two_key/shapes.h"

/*
 * Azure Maps (Microsoft.Maps/accounts). All accounts of a cloud have the same host.
 */

/* The smallest request ("Render - Get Copyright Caption"). It may count as one that is billed. */
static const struct two_key_probe_form probe = {
    .build = probe_build_plain,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a GET of the line about copyright (Azure may bill a transaction)",
    .service = "Azure Maps",
    .shared_host = SHARED_HOST_MAPS,
    .method = "GET",
    .path = "/map/copyright/caption?api-version=2024-04-01",
    .header = "subscription-key",
    .accepted = {200},
    .refused = {401},
};

const struct two_key_resource two_key_maps_account = {
    .type = "Microsoft.Maps/accounts",
    .short_name = "maps",
    .noun = "an Azure Maps account",
    .api_version = "2023-06-01",
    .name = {1, 98, "-._", "1 to 98 letters, digits, '-', '.' and '_'"},
    TWO_KEY_RANKED("primary", "secondary"),
    TWO_KEY_MADE_AT("primaryKeyLastUpdated", "secondaryKeyLastUpdated"),
    .key_shape = &key_shape_text,
    .state_path = "properties.provisioningState",
    TWO_KEY_LOCAL_AUTH("the account's"),
    .probe = &probe,
    TWO_KEY_ACTIONS("Microsoft.Maps/accounts", "listKeys", "regenerateKey"),
    .role = "Maps Key Rotator",
    .grants = "use all services of the account, at its cost",
    .env_name = "AZURE_MAPS_ACCOUNT",
    .env_key = "AZURE_MAPS_SUBSCRIPTION_KEY",
    .dies = "every SAS token that was signed with the key",
};
