#include "proto/two_key/two_key.h"

/*
 * Azure Fluid Relay (Microsoft.FluidRelay/fluidRelayServers). No request that proves a key is
 * documented, so a new key is not verified.
 */

const struct two_key_resource two_key_fluid_relay_server = {
    .type = "Microsoft.FluidRelay/fluidRelayServers",
    .short_name = "fluid_relay",
    .noun = "a Fluid Relay server",
    .api_version = "2022-06-01",
    .name = {1, 50, "-", "1 to 50 letters, digits and '-'"},
    .list = {.name = "listKeys"},
    .regenerate = {[SLOT_PRIMARY] = {.name = "regenerateKey", .body = "{\"keyName\":\"key1\"}"},
                   [SLOT_SECONDARY] = {.name = "regenerateKey", .body = "{\"keyName\":\"key2\"}"}},
    .regenerate_answers_keys = true,
    .key_paths = {[SLOT_PRIMARY] = "key1", [SLOT_SECONDARY] = "key2"},
    .key_shape = &key_shape_text,
    .state_path = "properties.provisioningState",
    .read_action = "Microsoft.FluidRelay/fluidRelayServers/read",
    .list_action = "Microsoft.FluidRelay/fluidRelayServers/listKeys/action",
    .regenerate_action = "Microsoft.FluidRelay/fluidRelayServers/regenerateKey/action",
    .role = "Fluid Relay Key Rotator",
    .env_name = "AZURE_FLUID_RELAY_SERVER",
    .env_key = "AZURE_FLUID_RELAY_KEY",
};
