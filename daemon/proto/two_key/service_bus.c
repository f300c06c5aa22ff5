#include "proto/two_key/two_key.h"

/*
 * Shared access rules of Azure Service Bus: of a namespace, of a queue, of a topic
 * (Microsoft.ServiceBus/namespaces/…). Switch and host stand in the description of the namespace.
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
    .words = "a listing of one queue",
    .service = "Service Bus",
    .method = "GET",
    .path = "/$Resources/Queues?api-version=2021-05&$top=1",
    .accepted = {200},
    .refused = {401},
    .refused_text = "SubCode=40103",
};

static const struct two_key_probe_form of_entity = {
    .build = probe_build_sas,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a GET of the queue or topic",
    .service = "Service Bus",
    .method = "GET",
    .path = "/{2}?api-version=2021-05",
    .accepted = {200},
    .refused = {401},
    .refused_text = "SubCode=40103",
};

const struct two_key_resource two_key_service_bus_rule = {
    .type = "Microsoft.ServiceBus/namespaces/AuthorizationRules",
    .short_name = "service_bus",
    .noun = "a rule of a Service Bus namespace",
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
    .read_action = "Microsoft.ServiceBus/namespaces/read",
    .list_action = "Microsoft.ServiceBus/namespaces/authorizationRules/listkeys/action",
    .regenerate_action = "Microsoft.ServiceBus/namespaces/authorizationRules/regenerateKeys/action",
    .role = "Service Bus Key Rotator",
    .env_name = "AZURE_SERVICEBUS_RULE",
    .env_key = "AZURE_SERVICEBUS_KEY",
    .env_endpoint = "AZURE_SERVICEBUS_FULLY_QUALIFIED_NAMESPACE",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/;SharedAccessKeyName={name_2};SharedAccessKey={key}",
};

const struct two_key_resource two_key_service_bus_queue_rule = {
    .type = "Microsoft.ServiceBus/namespaces/queues/authorizationRules",
    .short_name = "service_bus_queue",
    .noun = "a rule of a Service Bus queue",
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
    .probe = &of_entity,
    .read_action = "Microsoft.ServiceBus/namespaces/read",
    .list_action = "Microsoft.ServiceBus/namespaces/queues/authorizationRules/listkeys/action",
    .regenerate_action =
        "Microsoft.ServiceBus/namespaces/queues/authorizationRules/regenerateKeys/action",
    .role = "Service Bus Queue Key Rotator",
    .env_name = "AZURE_SERVICEBUS_RULE",
    .env_key = "AZURE_SERVICEBUS_KEY",
    .env_endpoint = "AZURE_SERVICEBUS_FULLY_QUALIFIED_NAMESPACE",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/"
        ";SharedAccessKeyName={name_3};SharedAccessKey={key};EntityPath={name_2}",
};

const struct two_key_resource two_key_service_bus_topic_rule = {
    .type = "Microsoft.ServiceBus/namespaces/topics/authorizationRules",
    .short_name = "service_bus_topic",
    .noun = "a rule of a Service Bus topic",
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
    .probe = &of_entity,
    .read_action = "Microsoft.ServiceBus/namespaces/read",
    .list_action = "Microsoft.ServiceBus/namespaces/topics/authorizationRules/listkeys/action",
    .regenerate_action =
        "Microsoft.ServiceBus/namespaces/topics/authorizationRules/regenerateKeys/action",
    .role = "Service Bus Topic Key Rotator",
    .env_name = "AZURE_SERVICEBUS_RULE",
    .env_key = "AZURE_SERVICEBUS_KEY",
    .env_endpoint = "AZURE_SERVICEBUS_FULLY_QUALIFIED_NAMESPACE",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/"
        ";SharedAccessKeyName={name_3};SharedAccessKey={key};EntityPath={name_2}",
};
