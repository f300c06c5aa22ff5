#include "proto/two_key/shapes.h"

/*
 * Shared access rules of Azure Service Bus: of a namespace, of a queue, of a topic
 * (Microsoft.ServiceBus/namespaces/…). Switch and host stand in the description of the namespace.
 */

/* A rule that may only send or listen is refused with another sub-code than a wrong key (40103). */
static const struct two_key_probe_form of_namespace = {
    TWO_KEY_RULE_PROBE,
    .accepted = {200},
    .words = "a listing of one queue",
    .service = "Service Bus",
    .path = "/$Resources/Queues?api-version=2021-05&$top=1",
};

static const struct two_key_probe_form of_entity = {
    TWO_KEY_RULE_PROBE,
    .accepted = {200},
    .words = "a GET of the queue or topic",
    .service = "Service Bus",
    .path = "/{2}?api-version=2021-05",
};

const struct two_key_resource two_key_service_bus_rule = {
    .type = "Microsoft.ServiceBus/namespaces/AuthorizationRules",
    .short_name = "service_bus",
    .noun = "a rule of a Service Bus namespace",
    .api_version = "2026-01-01",
    TWO_KEY_RULE("listKeys", "keyType"),
    TWO_KEY_LOCAL_AUTH("the namespace's"),
    .probe = &of_namespace,
    TWO_KEY_RULE_ACTIONS("Microsoft.ServiceBus/namespaces"),
    .role = "Service Bus Key Rotator",
    .env_name = "AZURE_SERVICEBUS_RULE",
    .env_key = "AZURE_SERVICEBUS_KEY",
    .env_endpoint = "AZURE_SERVICEBUS_FULLY_QUALIFIED_NAMESPACE",
    .env_connection_string = "AZURE_SERVICEBUS_CONNECTIONSTRING",
    TWO_KEY_RULE_CONNECTION,
};

const struct two_key_resource two_key_service_bus_queue_rule = {
    .type = "Microsoft.ServiceBus/namespaces/queues/authorizationRules",
    .short_name = "service_bus_queue",
    .noun = "a rule of a Service Bus queue",
    .api_version = "2026-01-01",
    TWO_KEY_RULE("ListKeys", "keyType"),
    TWO_KEY_LOCAL_AUTH("the namespace's"),
    .probe = &of_entity,
    TWO_KEY_ENTITY_RULE_ACTIONS("Microsoft.ServiceBus/namespaces", "queues"),
    .role = "Service Bus Queue Key Rotator",
    .env_name = "AZURE_SERVICEBUS_RULE",
    .env_key = "AZURE_SERVICEBUS_KEY",
    .env_endpoint = "AZURE_SERVICEBUS_FULLY_QUALIFIED_NAMESPACE",
    .env_connection_string = "AZURE_SERVICEBUS_CONNECTIONSTRING",
    TWO_KEY_ENTITY_RULE_CONNECTION,
};

const struct two_key_resource two_key_service_bus_topic_rule = {
    .type = "Microsoft.ServiceBus/namespaces/topics/authorizationRules",
    .short_name = "service_bus_topic",
    .noun = "a rule of a Service Bus topic",
    .api_version = "2026-01-01",
    TWO_KEY_RULE("ListKeys", "keyType"),
    TWO_KEY_LOCAL_AUTH("the namespace's"),
    .probe = &of_entity,
    TWO_KEY_ENTITY_RULE_ACTIONS("Microsoft.ServiceBus/namespaces", "topics"),
    .role = "Service Bus Topic Key Rotator",
    .env_name = "AZURE_SERVICEBUS_RULE",
    .env_key = "AZURE_SERVICEBUS_KEY",
    .env_endpoint = "AZURE_SERVICEBUS_FULLY_QUALIFIED_NAMESPACE",
    .env_connection_string = "AZURE_SERVICEBUS_CONNECTIONSTRING",
    TWO_KEY_ENTITY_RULE_CONNECTION,
};
