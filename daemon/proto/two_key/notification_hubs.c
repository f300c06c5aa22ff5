#include "proto/two_key/shapes.h"

/*
 * Access policies of Azure Notification Hubs: of a namespace, of a hub
 * (Microsoft.NotificationHubs/namespaces/…). The member of a regenerate is policyKey, unlike that
 * of their siblings. Keys cannot be switched off there.
 */

/* Of a hub that there is not: a policy of the namespace holds for all hubs. */
static const struct two_key_probe_form of_namespace = {
    TWO_KEY_RULE_PROBE,
    .words = "a listing of the registrations of a hub that there is not",
    .service = "Notification Hubs",
    .path = "/keyrotated-looks-for-nothing/registrations?api-version=2015-01&$top=1",
    .accepted = {200, 404},
    .acceptance_is_uncertain = true,
};

static const struct two_key_probe_form of_hub = {
    TWO_KEY_RULE_PROBE,
    .accepted = {200},
    .words = "a listing of one registration",
    .service = "Notification Hubs",
    .path = "/{2}/registrations?api-version=2015-01&$top=1",
};

const struct two_key_resource two_key_notification_hubs_rule = {
    .type = "Microsoft.NotificationHubs/namespaces/AuthorizationRules",
    .short_name = "notification_hubs",
    .noun = "a policy of a Notification Hubs namespace",
    .api_version = "2023-09-01",
    TWO_KEY_RULE("listKeys", "policyKey"),
    .probe = &of_namespace,
    TWO_KEY_RULE_ACTIONS("Microsoft.NotificationHubs/namespaces"),
    .role = "Notification Hubs Key Rotator",
    .env_name = "AZURE_NOTIFICATIONHUB_RULE",
    .env_key = "AZURE_NOTIFICATIONHUB_KEY",
    .env_endpoint = "AZURE_NOTIFICATIONHUB_HOST",
    .env_connection_string = "AZURE_NOTIFICATIONHUB_CONNECTION_STRING",
    TWO_KEY_RULE_CONNECTION,
};

const struct two_key_resource two_key_notification_hub_rule = {
    .type = "Microsoft.NotificationHubs/namespaces/notificationHubs/AuthorizationRules",
    .short_name = "notification_hub",
    .noun = "a policy of a notification hub",
    .api_version = "2023-09-01",
    TWO_KEY_RULE("listKeys", "policyKey"),
    .probe = &of_hub,
    TWO_KEY_ENTITY_RULE_ACTIONS("Microsoft.NotificationHubs/namespaces", "NotificationHubs"),
    .role = "Notification Hub Key Rotator",
    .env_name = "AZURE_NOTIFICATIONHUB_RULE",
    .env_key = "AZURE_NOTIFICATIONHUB_KEY",
    .env_endpoint = "AZURE_NOTIFICATIONHUB_HOST",
    .env_connection_string = "AZURE_NOTIFICATIONHUB_CONNECTION_STRING",
    TWO_KEY_ENTITY_RULE_CONNECTION,
};
