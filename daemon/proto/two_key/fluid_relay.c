#include "proto/two_key/shapes.h"

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
    TWO_KEY_NUMBERED("key1", "key2"),
    .key_shape = &key_shape_text,
    .state_path = "properties.provisioningState",
    TWO_KEY_ACTIONS("Microsoft.FluidRelay/fluidRelayServers", "listKeys", "regenerateKey"),
    .role = "Fluid Relay Key Rotator",
    .grants = "sign tokens for all documents of the server",
    .dies = "every token that was signed with the key",
    .env_name = "AZURE_FLUID_RELAY_SERVER",
    .env_key = "AZURE_FLUID_RELAY_KEY",
};
