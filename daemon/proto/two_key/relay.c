#include "proto/two_key/shapes.h"

/*
 * Shared access rules of Azure Relay: of a namespace, of a hybrid connection, of a WCF relay
 * (Microsoft.Relay/namespaces/…). Keys cannot be switched off there. The rule of a namespace may
 * ask for an endpoint that does not exist; what proves the key of another rule would reach a
 * listener, so such a key is not verified.
 */

static const struct two_key_probe_form of_namespace = {
    TWO_KEY_RULE_PROBE,
    .words = "a GET of an endpoint that there is not",
    .service = "Relay",
    .path = "/keyrotated-looks-for-nothing",
    .header = "ServiceBusAuthorization",
    .accepted = {404},
    .acceptance_is_uncertain = true,
};

const struct two_key_resource two_key_relay_rule = {
    .type = "Microsoft.Relay/namespaces/authorizationRules",
    .short_name = "relay",
    .noun = "a rule of a Relay namespace",
    .api_version = "2026-01-01",
    TWO_KEY_RULE("listKeys", "keyType"),
    .probe = &of_namespace,
    TWO_KEY_RULE_ACTIONS("Microsoft.Relay/namespaces"),
    .role = "Relay Key Rotator",
    .env_name = "AZURE_RELAY_RULE",
    .env_key = "AZURE_RELAY_KEY",
    .env_endpoint = "AZURE_RELAY_HOST",
    .env_connection_string = "AZURE_RELAY_CONNECTION_STRING",
    TWO_KEY_RULE_CONNECTION,
};

const struct two_key_resource two_key_relay_hybrid_connection_rule = {
    .type = "Microsoft.Relay/namespaces/hybridConnections/authorizationRules",
    .short_name = "relay_hybrid_connection",
    .noun = "a rule of a hybrid connection",
    .api_version = "2026-01-01",
    TWO_KEY_RULE("listKeys", "keyType"),
    TWO_KEY_ENTITY_RULE_ACTIONS("Microsoft.Relay/namespaces", "HybridConnections"),
    .role = "Relay Hybrid Connection Key Rotator",
    .env_name = "AZURE_RELAY_RULE",
    .env_key = "AZURE_RELAY_KEY",
    .env_endpoint = "AZURE_RELAY_HOST",
    .env_connection_string = "AZURE_RELAY_CONNECTION_STRING",
    TWO_KEY_ENTITY_RULE_CONNECTION,
};

const struct two_key_resource two_key_relay_wcf_rule = {
    .type = "Microsoft.Relay/namespaces/wcfRelays/authorizationRules",
    .short_name = "relay_wcf",
    .noun = "a rule of a WCF relay",
    .api_version = "2026-01-01",
    TWO_KEY_RULE("listKeys", "keyType"),
    TWO_KEY_ENTITY_RULE_ACTIONS("Microsoft.Relay/namespaces", "WcfRelays"),
    .role = "WCF Relay Key Rotator",
    .env_name = "AZURE_RELAY_RULE",
    .env_key = "AZURE_RELAY_KEY",
    .env_endpoint = "AZURE_RELAY_HOST",
    .env_connection_string = "AZURE_RELAY_CONNECTION_STRING",
    TWO_KEY_ENTITY_RULE_CONNECTION,
};
