#include "proto/two_key/two_key.h"

/*
 * Shared access rules of Azure Event Hubs: of a namespace, of an event hub
 * (Microsoft.EventHub/namespaces/…). Switch and host stand in the description of the namespace.
 */

static const struct two_key_switch switches[] = {
    {.path = "properties.disableLocalAuth",
     .off = OFF_IF_TRUE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the namespace's disableLocalAuth is true"},
    {.path = NULL},
};

/* A rule that may only send or listen is refused with another sub-code than a wrong key (40103). */
static const struct two_key_probe_form of_namespace = {
    .build = probe_build_sas,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a listing of one event hub",
    .service = "Event Hubs",
    .method = "GET",
    .path = "/$Resources/EventHubs?api-version=2014-01&$top=1",
    .accepted = {200},
    .refused = {401},
    .refused_text = "SubCode=40103",
};

static const struct two_key_probe_form of_hub = {
    .build = probe_build_sas,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a GET of the event hub",
    .service = "Event Hubs",
    .method = "GET",
    .path = "/{2}?api-version=2014-01",
    .accepted = {200},
    .refused = {401},
    .refused_text = "SubCode=40103",
};

const struct two_key_resource two_key_event_hubs_rule = {
    .type = "Microsoft.EventHub/namespaces/authorizationRules",
    .short_name = "event_hubs",
    .noun = "a rule of an Event Hubs namespace",
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
    .switches = switches,
    .keys_on = "set the namespace's disableLocalAuth to false",
    .probe = &of_namespace,
    .read_action = "Microsoft.EventHub/namespaces/read",
    .list_action = "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",
    .regenerate_action = "Microsoft.EventHub/namespaces/authorizationRules/regenerateKeys/action",
    .role = "Event Hubs Key Rotator",
    .env_name = "AZURE_EVENTHUB_RULE",
    .env_key = "AZURE_EVENTHUB_KEY",
    .env_endpoint = "AZURE_EVENTHUB_FULLY_QUALIFIED_NAMESPACE",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/;SharedAccessKeyName={name_2};SharedAccessKey={key}",
};

const struct two_key_resource two_key_event_hub_rule = {
    .type = "Microsoft.EventHub/namespaces/eventhubs/authorizationRules",
    .short_name = "event_hub",
    .noun = "a rule of an event hub",
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
    .switches = switches,
    .keys_on = "set the namespace's disableLocalAuth to false",
    .probe = &of_hub,
    .read_action = "Microsoft.EventHub/namespaces/read",
    .list_action = "Microsoft.EventHub/namespaces/eventhubs/authorizationRules/listkeys/action",
    .regenerate_action =
        "Microsoft.EventHub/namespaces/eventhubs/authorizationRules/regenerateKeys/action",
    .role = "Event Hub Key Rotator",
    .env_name = "AZURE_EVENTHUB_RULE",
    .env_key = "AZURE_EVENTHUB_KEY",
    .env_endpoint = "AZURE_EVENTHUB_FULLY_QUALIFIED_NAMESPACE",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/"
        ";SharedAccessKeyName={name_3};SharedAccessKey={key};EntityPath={name_2}",
};
