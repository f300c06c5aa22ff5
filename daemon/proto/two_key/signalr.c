#include "proto/two_key/shapes.h"
#include "proto/two_key/web_token_probe.h"

/*
 * Azure SignalR Service and Web PubSub (Microsoft.SignalRService/…). A regenerate is a long-running
 * operation, whose answer may be empty. It also takes a third word besides those of the two keys,
 * Salt, by which both would change: no row can say it. How long Azure may take is nowhere said; an
 * hour is taken for the longest.
 */

#define SERVICE(of_type)                                                                           \
    .name = {3, 63, "-", "3 to 63 letters, digits and '-'"}, .list = {.name = "listKeys"},         \
    TWO_KEY_REGENERATE("regenerateKey", "keyType", "Primary", "Secondary"),                        \
    .regenerate_answers = ANSWERS_NOTHING, .slow_for = MS_HOUR, .list_delay = MS_MINUTE,           \
    TWO_KEY_AT("primaryKey", "secondaryKey"), .key_shape = &key_shape_text,                        \
    .endpoint_path = "properties.hostName", .state_path = "properties.provisioningState",          \
    TWO_KEY_LOCAL_AUTH("the resource's"), TWO_KEY_ACTIONS(of_type, "listkeys", "regeneratekey"),   \
    .grants = "connect as a server, and sign access tokens for all clients",                       \
    .connection_string = "Endpoint=https://{endpoint};AccessKey={key};Version=1.0;",               \
    .dies = "every access token that was signed with the key"

const struct two_key_resource two_key_signalr_service = {
    .type = "Microsoft.SignalRService/signalR",
    .short_name = "signalr",
    .noun = "a SignalR service",
    .api_version = "2024-03-01",
    SERVICE("Microsoft.SignalRService/SignalR"),
    .probe = &signalr_probe,
    .role = "SignalR Key Rotator",
    .env_name = "AZURE_SIGNALR_NAME",
    .env_key = "AZURE_SIGNALR_KEY",
    .env_endpoint = "AZURE_SIGNALR_ENDPOINT",
    .env_connection_string = "AZURE_SIGNALR_CONNECTIONSTRING",
};

const struct two_key_resource two_key_web_pubsub_service = {
    .type = "Microsoft.SignalRService/webPubSub",
    .short_name = "web_pubsub",
    .noun = "a Web PubSub service",
    .api_version = "2024-03-01",
    SERVICE("Microsoft.SignalRService/WebPubSub"),
    .probe = &web_pubsub_probe,
    .role = "Web PubSub Key Rotator",
    .env_name = "AZURE_WEBPUBSUB_NAME",
    .env_key = "AZURE_WEBPUBSUB_KEY",
    .env_endpoint = "AZURE_WEBPUBSUB_ENDPOINT",
    .env_connection_string = "AZURE_WEBPUBSUB_CONNECTIONSTRING",
};
