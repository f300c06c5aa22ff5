/* Messages, events and relays. */
#include "types.h"

/* Where the keys of a rule lie, ENTITY ends the connection strings of those of one entity. */
#define RULE_STRING(which, slot, entity)                                                           \
    ",\"" which                                                                                    \
    "ConnectionString\":\"Endpoint=sb://$0.servicebus.localhost/;"                                 \
    "SharedAccessKeyName=$Z;SharedAccessKey=$K" slot entity "\""
#define RULE_KEYS(entity)                                                                          \
    "{\"primaryKey\":\"$K0\",\"secondaryKey\":\"$K1\",\"keyName\":\"$Z\"" RULE_STRING(             \
        "primary", "0", entity) RULE_STRING("secondary", "1", entity) "}"
#define OF_ENTITY ";EntityPath=$1"

#define RULE_SLOTS                                                                                 \
    {                                                                                              \
        {"PrimaryKey", "primaryKey"},                                                              \
        {                                                                                          \
            "SecondaryKey", "secondaryKey"                                                         \
        }                                                                                          \
    }
#define RULE_RIGHTS         "{\"rights\":[\"Listen\",\"Manage\",\"Send\"]}"
#define NAMESPACE_ENDPOINTS "{\"serviceBusEndpoint\":\"https://$0.servicebus.localhost$P/\"}"
#define NAMESPACE_WITH_SWITCH                                                                      \
    "{\"provisioningState\":\"Succeeded\",\"status\":\"Active\",\"disableLocalAuth\":false}"
#define NAMESPACE_WITHOUT "{\"provisioningState\":\"Succeeded\",\"status\":\"Active\"}"
#define SWITCH_OF_NAMESPACE                                                                        \
    {                                                                                              \
        .property = "disableLocalAuth", .on = "false", .off = "true", .is_at_parent = true         \
    }

#define RULE_ROW(type_name, type_word, all_versions, body_member, own, entity)                     \
    .name = type_name, .word = type_word, .versions = all_versions,                                \
    .list = {.suffix = "listKeys", .answer = RULE_KEYS(entity)},                                   \
    .regenerate = {.suffix = "regenerateKeys", .member = body_member, .own_value = own},           \
    .slots = RULE_SLOTS, .key = KEY_SHORT_BASE64, .properties = RULE_RIGHTS,                       \
    .parent_endpoints = NAMESPACE_ENDPOINTS

#define BUS_VERSIONS "2017-04-01 2021-11-01 2024-01-01 2026-01-01"
#define BUS_ROW(name, word, entity)                                                                \
    RULE_ROW("Microsoft.ServiceBus/namespaces/" name, word, BUS_VERSIONS, "keyType", "key",        \
             entity),                                                                              \
        .off = SWITCH_OF_NAMESPACE, .parent_properties = NAMESPACE_WITH_SWITCH
#define HUBS_VERSIONS "2017-04-01 2021-11-01 2024-01-01 2026-01-01"
#define HUBS_ROW(name, word, entity)                                                               \
    RULE_ROW("Microsoft.EventHub/namespaces/" name, word, HUBS_VERSIONS, "keyType", "key",         \
             entity),                                                                              \
        .off = SWITCH_OF_NAMESPACE, .parent_properties = NAMESPACE_WITH_SWITCH
#define RELAY_ROW(name, word, entity)                                                              \
    RULE_ROW("Microsoft.Relay/namespaces/" name, word, "2017-04-01 2021-11-01 2026-01-01",         \
             "keyType", "key", entity),                                                            \
        .parent_properties = NAMESPACE_WITHOUT
#define NOTIFICATION_ROW(name, word)                                                               \
    RULE_ROW("Microsoft.NotificationHubs/namespaces/" name, word, "2017-04-01 2023-09-01",         \
             "policyKey", NULL, ""),                                                               \
        .parent_properties = NAMESPACE_WITHOUT

static const struct type bus = {BUS_ROW("AuthorizationRules", "service_bus", "")};
static const struct type bus_queue = {
    BUS_ROW("queues/authorizationRules", "service_bus_queue", OF_ENTITY)};
static const struct type bus_topic = {
    BUS_ROW("topics/authorizationRules", "service_bus_topic", OF_ENTITY)};
static const struct type hubs = {HUBS_ROW("authorizationRules", "event_hubs", "")};
static const struct type hub = {HUBS_ROW("eventhubs/authorizationRules", "event_hub", OF_ENTITY)};
static const struct type relay = {RELAY_ROW("authorizationRules", "relay", "")};
static const struct type hybrid_connection = {
    RELAY_ROW("hybridConnections/authorizationRules", "relay_hybrid_connection", OF_ENTITY)};
static const struct type wcf_relay = {
    RELAY_ROW("wcfRelays/authorizationRules", "relay_wcf", OF_ENTITY)};
static const struct type notifications = {
    NOTIFICATION_ROW("AuthorizationRules", "notification_hubs")};
static const struct type notification_hub = {
    NOTIFICATION_ROW("notificationHubs/AuthorizationRules", "notification_hub")};

#define GRID_KEYS                                                                                  \
    .list = {.suffix = "listKeys", .answer = "{\"key1\":\"$K0\",\"key2\":\"$K1\"}"},               \
    .regenerate = {.suffix = "regenerateKey", .member = "keyName"},                                \
    .slots = {{"key1", "key1"}, {"key2", "key2"}}, .key = KEY_SHORT_BASE64
#define GRID_SWITCH                                                                                \
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true"},                         \
    .properties =                                                                                  \
        "{\"provisioningState\":\"Succeeded\",\"publicNetworkAccess\":\"Enabled\","                \
        "\"disableLocalAuth\":false}",                                                             \
    .endpoints = "{\"endpoint\":\"https://$0.eventgrid.localhost$P/api/events\"}"

static const struct type grid_domain = {
    .name = "Microsoft.EventGrid/domains",
    .word = "event_grid_domain",
    .versions = "2020-06-01 2021-12-01 2022-06-15 2025-02-15",
    GRID_KEYS,
    GRID_SWITCH,
};

static const struct type grid_partner = {
    .name = "Microsoft.EventGrid/partnerNamespaces",
    .word = "event_grid_partner_namespace",
    .versions = "2022-06-15 2025-02-15",
    GRID_KEYS,
    GRID_SWITCH,
};

#define GRID_OPERATION                                                                             \
    {                                                                                              \
        .is_long = true, .has_location = true, .status = {.word = "operationsStatus"},             \
        .result = {.word = "operationResults"},                                                    \
    }

static const struct type grid_topic = {
    .name = "Microsoft.EventGrid/topics",
    .word = "event_grid_topic",
    .versions = "2020-06-01 2021-12-01 2022-06-15 2025-02-15",
    .operation = GRID_OPERATION,
    GRID_KEYS,
    GRID_SWITCH,
};

#define GRID_HOST "{\"topicsConfiguration\":{\"hostname\":\"$0.ts.eventgrid.localhost$P\"}}"

static const struct type grid_namespace = {
    .name = "Microsoft.EventGrid/namespaces",
    .word = "event_grid_namespace",
    .versions = "2025-02-15",
    .operation = GRID_OPERATION,
    GRID_KEYS,
    .properties = "{\"provisioningState\":\"Succeeded\",\"publicNetworkAccess\":\"Enabled\"}",
    .endpoints = GRID_HOST,
};

static const struct type grid_namespace_topic = {
    .name = "Microsoft.EventGrid/namespaces/topics",
    .word = "event_grid_namespace_topic",
    .versions = "2025-02-15",
    .operation = GRID_OPERATION,
    GRID_KEYS,
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"publisherType\":\"Custom\","
        "\"inputSchema\":\"CloudEventSchemaV1_0\",\"eventRetentionInDays\":7}",
    .parent_properties =
        "{\"provisioningState\":\"Succeeded\",\"publicNetworkAccess\":\"Enabled\"}",
    .parent_endpoints = GRID_HOST,
};

/* Azure also takes "Salt" for keyType, which kills both keys; here that is refused. */
#define SIGNALR_STRING(which, slot, domain)                                                        \
    ",\"" which "ConnectionString\":\"Endpoint=https://$0." domain                                 \
    ".localhost$P;AccessKey=$K" slot ";Version=1.0;\""
#define SIGNALR_ROW(domain)                                                                        \
    .versions = "2022-02-01 2023-02-01 2024-03-01",                                                \
    .list = {.suffix = "listKeys",                                                                 \
             .answer = "{\"primaryKey\":\"$K0\",\"secondaryKey\":\"$K1\"" SIGNALR_STRING(          \
                 "primary", "0", domain) SIGNALR_STRING("secondary", "1", domain) "}"},            \
    .regenerate = {.suffix = "regenerateKey", .member = "keyType", .answer = "{}"},                \
    .operation = {.is_long = true,                                                                 \
                  .has_async_header = true,                                                        \
                  .has_location = true,                                                            \
                  .status = {.word = "operationStatuses", .below = domain},                        \
                  .result = {.word = "operationResults", .below = domain}},                        \
    .slots = {{"Primary", "primaryKey"}, {"Secondary", "secondaryKey"}}, .key = KEY_SHORT_BASE64,  \
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true"},                         \
    .properties =                                                                                  \
        "{\"provisioningState\":\"Succeeded\",\"publicNetworkAccess\":\"Enabled\","                \
        "\"disableLocalAuth\":false,\"disableAadAuth\":false}",                                    \
    .endpoints = "{\"hostName\":\"$0." domain ".localhost$P\",\"publicPort\":443}"

static const struct type signalr = {
    .name = "Microsoft.SignalRService/signalR",
    .word = "signalr",
    SIGNALR_ROW("signalr"),
};

static const struct type web_pubsub = {
    .name = "Microsoft.SignalRService/webPubSub",
    .word = "web_pubsub",
    SIGNALR_ROW("webpubsub"),
};

#define COMMUNICATION_STRING(which, slot)                                                          \
    "\"" which                                                                                     \
    "ConnectionString\":\"endpoint=https://$0.communication.localhost$P/;"                         \
    "accesskey=$K" slot "\""

/* The recorded answer to a regeneration holds the regenerated key only. */
static const struct type communication = {
    .name = "Microsoft.Communication/communicationServices",
    .word = "communication",
    .versions = "2020-08-20 2023-04-01 2025-09-01 2026-03-18",
    .list = {.suffix = "listKeys",
             .answer = "{\"primaryKey\":\"$K0\",\"secondaryKey\":\"$K1\"," COMMUNICATION_STRING(
                 "primary", "0") "," COMMUNICATION_STRING("secondary", "1") "}"},
    .regenerate = {.suffix = "regenerateKey", .member = "keyType", .answer = "{\"$M*\":\"$K*\"}"},
    .slots = {{"Primary", "primaryKey"}, {"Secondary", "secondaryKey"}},
    .decodes_key = true,
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true"},
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"dataLocation\":\"Europe\","
        "\"disableLocalAuth\":false}",
    .endpoints = "{\"hostName\":\"$0.communication.localhost$P\"}",
};

const struct type *const types_of_messaging[] = {
    &bus,
    &bus_queue,
    &bus_topic,
    &hubs,
    &hub,
    &relay,
    &hybrid_connection,
    &wcf_relay,
    &notifications,
    &notification_hub,
    &grid_domain,
    &grid_partner,
    &grid_topic,
    &grid_namespace,
    &grid_namespace_topic,
    &signalr,
    &web_pubsub,
    &communication,
    NULL,
};
