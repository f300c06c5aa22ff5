#include "proto/two_key/shapes.h"

/*
 * Azure Event Grid: domains and partner namespaces (Microsoft.EventGrid/…), whose regenerate
 * answers at once; and topics, whose regenerate is a long-running operation ("Topics - Regenerate
 * Key": 200, or 202 with a Location).
 */

/* What is sent is no list of events, so that a good key publishes nothing: 400 ("Post to custom
 * topic for Azure Event Grid", response codes). The page does not say which is looked at first, the
 * key or the events. */
static const struct two_key_probe_form probe = {
    .build = probe_build_plain,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a POST of something that is no event",
    .service = "Event Grid",
    .method = "POST",
    .path = "/api/events?api-version=2018-01-01",
    .body = "{}",
    .header = "aeg-sas-key",
    .acceptance_is_uncertain = true,
    .accepted = {200, 400},
    .refused = {401},
};

const struct two_key_resource two_key_event_grid_domain = {
    .type = "Microsoft.EventGrid/domains",
    .short_name = "event_grid_domain",
    .noun = "an Event Grid domain",
    .api_version = "2025-02-15",
    .name = {3, 50, "-", "3 to 50 letters, digits and '-'"},
    TWO_KEY_NUMBERED("key1", "key2"),
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.endpoint",
    .state_path = "properties.provisioningState",
    TWO_KEY_LOCAL_AUTH("its"),
    .probe = &probe,
    TWO_KEY_ACTIONS("Microsoft.EventGrid/domains", "listKeys", "regenerateKey"),
    .role = "Event Grid Domain Key Rotator",
    .grants = "publish events to all topics of the domain",
    .dies = "every SAS token that was signed with the key",
    .env_name = "AZURE_EVENTGRID_DOMAIN",
    .env_key = "AZURE_EVENTGRID_KEY",
    .env_endpoint = "AZURE_EVENTGRID_ENDPOINT",
};

const struct two_key_resource two_key_event_grid_partner_namespace = {
    .type = "Microsoft.EventGrid/partnerNamespaces",
    .short_name = "event_grid_partner_namespace",
    .noun = "an Event Grid partner namespace",
    .api_version = "2025-02-15",
    .name = {3, 50, "-", "3 to 50 letters, digits and '-'"},
    TWO_KEY_NUMBERED("key1", "key2"),
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.endpoint",
    .state_path = "properties.provisioningState",
    TWO_KEY_LOCAL_AUTH("its"),
    .probe = &probe,
    TWO_KEY_ACTIONS("Microsoft.EventGrid/partnerNamespaces", "listKeys", "regenerateKey"),
    .role = "Event Grid Partner Namespace Key Rotator",
    .grants = "publish events to all channels of the namespace",
    .dies = "every SAS token that was signed with the key",
    .env_name = "AZURE_EVENTGRID_PARTNER_NAMESPACE",
    .env_key = "AZURE_EVENTGRID_KEY",
    .env_endpoint = "AZURE_EVENTGRID_ENDPOINT",
};

/* How long Azure may take is nowhere said; an hour is taken for the longest. */
const struct two_key_resource two_key_event_grid_topic = {
    .type = "Microsoft.EventGrid/topics",
    .short_name = "event_grid_topic",
    .noun = "an Event Grid topic",
    .api_version = "2025-02-15",
    .name = {3, 50, "-", "3 to 50 letters, digits and '-'"},
    TWO_KEY_NUMBERED("key1", "key2"),
    .slow_for = MS_HOUR,
    .list_delay = MS_MINUTE,
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.endpoint",
    .state_path = "properties.provisioningState",
    TWO_KEY_LOCAL_AUTH("its"),
    .probe = &probe,
    TWO_KEY_ACTIONS("Microsoft.EventGrid/topics", "listKeys", "regenerateKey"),
    .role = "Event Grid Topic Key Rotator",
    .grants = "publish events to the topic",
    .env_name = "AZURE_EVENTGRID_TOPIC",
    .env_key = "AZURE_EVENTGRID_KEY",
    .env_endpoint = "AZURE_EVENTGRID_ENDPOINT",
};
