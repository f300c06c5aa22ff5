#include "proto/two_key/shapes.h"

/*
 * Event Grid namespaces and their topics (Microsoft.EventGrid/namespaces/…), each with a pair of
 * keys of its own. A regenerate is a long-running operation ("Namespaces - Regenerate Key": 200, or
 * 202 with a Location). Keys cannot be switched off there. How long Azure may take is nowhere said;
 * an hour is taken for the longest.
 */

#define NAMESPACE                                                                                  \
    .api_version = "2025-02-15", .name = {3, 50, "-", "3 to 50 letters, digits and '-'"},          \
    TWO_KEY_NUMBERED("key1", "key2"), .slow_for = MS_HOUR, .list_delay = MS_MINUTE,                \
    .key_shape = &key_shape_text, .endpoint_path = "properties.topicsConfiguration.hostname",      \
    .state_path = "properties.provisioningState", .env_key = "AZURE_EVENTGRID_KEY",                \
    .env_endpoint = "AZURE_EVENTGRID_ENDPOINT"

const struct two_key_resource two_key_event_grid_namespace = {
    .type = "Microsoft.EventGrid/namespaces",
    .short_name = "event_grid_namespace",
    .noun = "an Event Grid namespace",
    NAMESPACE,
    TWO_KEY_ACTIONS("Microsoft.EventGrid/namespaces", "listKeys", "regenerateKey"),
    .role = "Event Grid Namespace Key Rotator",
    .grants = "publish events to all topics of the namespace, and receive them",
    .env_name = "AZURE_EVENTGRID_NAMESPACE",
};

const struct two_key_resource two_key_event_grid_namespace_topic = {
    .type = "Microsoft.EventGrid/namespaces/topics",
    .short_name = "event_grid_namespace_topic",
    .noun = "a topic of an Event Grid namespace",
    .parent_describes = true,
    NAMESPACE,
    TWO_KEY_ACTIONS_BELOW("Microsoft.EventGrid/namespaces", "Microsoft.EventGrid/namespaces/topics",
                          "listKeys", "regenerateKey"),
    .role = "Event Grid Namespace Topic Key Rotator",
    .grants = "publish events to the topic, and receive them",
    .env_name = "AZURE_EVENTGRID_TOPIC",
};
