#include "proto/two_key/shapes.h"

/*
 * Event Grid namespaces and their topics (Microsoft.EventGrid/namespaces/…), each with a pair of
 * keys of its own. A regenerate is a long-running operation ("Namespaces - Regenerate Key": 200, or
 * 202 with a Location). Keys cannot be switched off there. How long Azure may take is nowhere said;
 * an hour is taken for the longest.
 */

/* What is sent is no event, so that nothing is published ("Publish cloud events"). Which is looked
 * at first, the key, the topic or the event, is nowhere said. */
#define PUBLISH(of_topic)                                                                          \
    {                                                                                              \
        .build = probe_build_plain, .read = probe_read, .id_header = "x-ms-request-id",            \
        .words = "a POST of something that is no event", .service = "Event Grid",                  \
        .method = "POST", .path = "/topics/" of_topic ":publish?api-version=2024-06-01",           \
        .body = "{}", .before = "SharedAccessKey ", .accepted = {400, 404, 415}, .refused = {401}, \
        .acceptance_is_uncertain = true                                                            \
    }

static const struct two_key_probe_form of_namespace = PUBLISH("keyrotated-looks-for-nothing");
static const struct two_key_probe_form of_topic = PUBLISH("{2}");

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
    .probe = &of_namespace,
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
    .probe = &of_topic,
    TWO_KEY_ACTIONS_BELOW("Microsoft.EventGrid/namespaces", "Microsoft.EventGrid/namespaces/topics",
                          "listKeys", "regenerateKey"),
    .role = "Event Grid Namespace Topic Key Rotator",
    .grants = "publish events to the topic, and receive them",
    .env_name = "AZURE_EVENTGRID_TOPIC",
};
