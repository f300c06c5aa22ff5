#include "proto/two_key/hmac_probe.h"
#include "proto/two_key/shapes.h"

/*
 * Azure Communication Services (Microsoft.Communication/communicationServices). The answer to a
 * regenerate may hold the regenerated key alone.
 */

const struct two_key_resource two_key_communication_service = {
    .type = "Microsoft.Communication/communicationServices",
    .short_name = "communication",
    .noun = "a Communication Services resource",
    .api_version = "2026-03-18",
    .name = {1, 63, "-", "1 to 63 letters, digits and '-'"},
    .list = {.name = "listKeys"},
    TWO_KEY_REGENERATE("regenerateKey", "keyType", "Primary", "Secondary"),
    .regenerate_answers = ANSWERS_NOTHING,
    TWO_KEY_AT("primaryKey", "secondaryKey"),
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.hostName",
    .state_path = "properties.provisioningState",
    TWO_KEY_LOCAL_AUTH("the resource's"),
    .probe = &communication_probe,
    TWO_KEY_ACTIONS("Microsoft.Communication/CommunicationServices", "ListKeys", "RegenerateKey"),
    .role = "Communication Services Key Rotator",
    .grants = "send messages, make calls, and issue access tokens of the resource",
    .env_name = "AZURE_COMMUNICATION_RESOURCE",
    .env_key = "AZURE_COMMUNICATION_ACCESS_KEY",
    .env_endpoint = "AZURE_COMMUNICATION_ENDPOINT",
    .env_connection_string = "AZURE_COMMUNICATION_CONNECTION_STRING",
    .connection_string = "endpoint=https://{endpoint}/;accesskey={key}",
};
