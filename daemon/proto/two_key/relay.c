#include "proto/two_key/two_key.h"

/*
 * Shared access rules of Azure Relay: of a namespace, of a hybrid connection, of a WCF relay
 * (Microsoft.Relay/namespaces/…). Keys cannot be switched off there. A request that proves a key
 * would reach a listener, so a new key is not verified.
 */

const struct two_key_resource two_key_relay_rule = {
    .type = "Microsoft.Relay/namespaces/authorizationRules",
    .short_name = "relay",
    .noun = "a rule of a Relay namespace",
    .api_version = "2026-01-01",
    .name = {1, 256, "-._", "1 to 256 letters, digits, '-', '.' and '_'"},
    .parent_describes = true,
    .list = {.name = "listKeys"},
    .regenerate = {[SLOT_PRIMARY] = {.name = "regenerateKeys",
                                     .body = "{\"keyType\":\"PrimaryKey\"}"},
                   [SLOT_SECONDARY] = {.name = "regenerateKeys",
                                       .body = "{\"keyType\":\"SecondaryKey\"}"}},
    .regenerate_answers_keys = true,
    .key_paths = {[SLOT_PRIMARY] = "primaryKey", [SLOT_SECONDARY] = "secondaryKey"},
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.serviceBusEndpoint",
    .state_path = "properties.provisioningState",
    .read_action = "Microsoft.Relay/namespaces/read",
    .list_action = "Microsoft.Relay/namespaces/authorizationRules/listkeys/action",
    .regenerate_action = "Microsoft.Relay/namespaces/authorizationRules/regenerateKeys/action",
    .role = "Relay Key Rotator",
    .env_name = "AZURE_RELAY_RULE",
    .env_key = "AZURE_RELAY_KEY",
    .env_endpoint = "AZURE_RELAY_HOST",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/;SharedAccessKeyName={name_2};SharedAccessKey={key}",
};

const struct two_key_resource two_key_relay_hybrid_connection_rule = {
    .type = "Microsoft.Relay/namespaces/hybridConnections/authorizationRules",
    .short_name = "relay_hybrid_connection",
    .noun = "a rule of a hybrid connection",
    .api_version = "2026-01-01",
    .name = {1, 256, "-._", "1 to 256 letters, digits, '-', '.' and '_'"},
    .parent_describes = true,
    .list = {.name = "listKeys"},
    .regenerate = {[SLOT_PRIMARY] = {.name = "regenerateKeys",
                                     .body = "{\"keyType\":\"PrimaryKey\"}"},
                   [SLOT_SECONDARY] = {.name = "regenerateKeys",
                                       .body = "{\"keyType\":\"SecondaryKey\"}"}},
    .regenerate_answers_keys = true,
    .key_paths = {[SLOT_PRIMARY] = "primaryKey", [SLOT_SECONDARY] = "secondaryKey"},
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.serviceBusEndpoint",
    .state_path = "properties.provisioningState",
    .read_action = "Microsoft.Relay/namespaces/read",
    .list_action =
        "Microsoft.Relay/namespaces/HybridConnections/authorizationRules/listkeys/action",
    .regenerate_action =
        "Microsoft.Relay/namespaces/HybridConnections/authorizationRules/regenerateKeys/action",
    .role = "Relay Hybrid Connection Key Rotator",
    .env_name = "AZURE_RELAY_RULE",
    .env_key = "AZURE_RELAY_KEY",
    .env_endpoint = "AZURE_RELAY_HOST",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/"
        ";SharedAccessKeyName={name_3};SharedAccessKey={key};EntityPath={name_2}",
};

const struct two_key_resource two_key_relay_wcf_rule = {
    .type = "Microsoft.Relay/namespaces/wcfRelays/authorizationRules",
    .short_name = "relay_wcf",
    .noun = "a rule of a WCF relay",
    .api_version = "2026-01-01",
    .name = {1, 256, "-._", "1 to 256 letters, digits, '-', '.' and '_'"},
    .parent_describes = true,
    .list = {.name = "listKeys"},
    .regenerate = {[SLOT_PRIMARY] = {.name = "regenerateKeys",
                                     .body = "{\"keyType\":\"PrimaryKey\"}"},
                   [SLOT_SECONDARY] = {.name = "regenerateKeys",
                                       .body = "{\"keyType\":\"SecondaryKey\"}"}},
    .regenerate_answers_keys = true,
    .key_paths = {[SLOT_PRIMARY] = "primaryKey", [SLOT_SECONDARY] = "secondaryKey"},
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.serviceBusEndpoint",
    .state_path = "properties.provisioningState",
    .read_action = "Microsoft.Relay/namespaces/read",
    .list_action = "Microsoft.Relay/namespaces/WcfRelays/authorizationRules/listkeys/action",
    .regenerate_action =
        "Microsoft.Relay/namespaces/WcfRelays/authorizationRules/regenerateKeys/action",
    .role = "WCF Relay Key Rotator",
    .env_name = "AZURE_RELAY_RULE",
    .env_key = "AZURE_RELAY_KEY",
    .env_endpoint = "AZURE_RELAY_HOST",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/"
        ";SharedAccessKeyName={name_3};SharedAccessKey={key};EntityPath={name_2}",
};
