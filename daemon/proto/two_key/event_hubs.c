#include "proto/two_key/shapes.h"

/*
 * Shared access rules of Azure Event Hubs: of a namespace, of an event hub
 * (Microsoft.EventHub/namespaces/…). Switch and host stand in the description of the namespace.
 */

/* A rule that may only send or listen is refused with another sub-code than a wrong key (40103). */
static const struct two_key_probe_form of_namespace = {
    TWO_KEY_RULE_PROBE,
    .accepted = {200},
    .words = "a listing of one event hub",
    .service = "Event Hubs",
    .path = "/$Resources/EventHubs?api-version=2014-01&$top=1",
};

static const struct two_key_probe_form of_hub = {
    TWO_KEY_RULE_PROBE,
    .accepted = {200},
    .words = "a GET of the event hub",
    .service = "Event Hubs",
    .path = "/{2}?api-version=2014-01",
};

const struct two_key_resource two_key_event_hubs_rule = {
    .type = "Microsoft.EventHub/namespaces/authorizationRules",
    .short_name = "event_hubs",
    .noun = "a rule of an Event Hubs namespace",
    .api_version = "2026-01-01",
    TWO_KEY_RULE("listKeys", "keyType"),
    TWO_KEY_LOCAL_AUTH("the namespace's"),
    .probe = &of_namespace,
    TWO_KEY_RULE_ACTIONS("Microsoft.EventHub/namespaces"),
    .role = "Event Hubs Key Rotator",
    .env_name = "AZURE_EVENTHUB_RULE",
    .env_key = "AZURE_EVENTHUB_KEY",
    .env_endpoint = "AZURE_EVENTHUB_FULLY_QUALIFIED_NAMESPACE",
    .env_connection_string = "AZURE_EVENTHUB_CONNECTIONSTRING",
    TWO_KEY_RULE_CONNECTION,
};

const struct two_key_resource two_key_event_hub_rule = {
    .type = "Microsoft.EventHub/namespaces/eventhubs/authorizationRules",
    .short_name = "event_hub",
    .noun = "a rule of an event hub",
    .api_version = "2026-01-01",
    TWO_KEY_RULE("listKeys", "keyType"),
    TWO_KEY_LOCAL_AUTH("the namespace's"),
    .probe = &of_hub,
    TWO_KEY_ENTITY_RULE_ACTIONS("Microsoft.EventHub/namespaces", "eventhubs"),
    .role = "Event Hub Key Rotator",
    .env_name = "AZURE_EVENTHUB_RULE",
    .env_key = "AZURE_EVENTHUB_KEY",
    .env_endpoint = "AZURE_EVENTHUB_FULLY_QUALIFIED_NAMESPACE",
    .env_connection_string = "AZURE_EVENTHUB_CONNECTIONSTRING",
    TWO_KEY_ENTITY_RULE_CONNECTION,
};
