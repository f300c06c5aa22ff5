#include "proto/two_key/two_key.h"

/*
 * Access policies of Azure Notification Hubs: of a namespace, of a hub
 * (Microsoft.NotificationHubs/namespaces/…). The member of a regenerate is policyKey, unlike that
 * of their siblings. Keys cannot be switched off there. For a namespace no request is known that
 * proves a key.
 */

static const struct two_key_probe_form of_hub = {
    .build = probe_build_sas,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a listing of one registration",
    .service = "Notification Hubs",
    .method = "GET",
    .path = "/{2}/registrations?api-version=2015-01&$top=1",
    .accepted = {200},
    .refused = {401},
    .refused_text = "SubCode=40103",
};

const struct two_key_resource two_key_notification_hubs_rule = {
    .type = "Microsoft.NotificationHubs/namespaces/AuthorizationRules",
    .short_name = "notification_hubs",
    .noun = "a policy of a Notification Hubs namespace",
    .api_version = "2023-09-01",
    .name = {1, 256, "-._", "1 to 256 letters, digits, '-', '.' and '_'"},
    .parent_describes = true,
    .list = {.name = "listKeys"},
    .regenerate = {[SLOT_PRIMARY] = {.name = "regenerateKeys",
                                     .body = "{\"policyKey\":\"PrimaryKey\"}"},
                   [SLOT_SECONDARY] = {.name = "regenerateKeys",
                                       .body = "{\"policyKey\":\"SecondaryKey\"}"}},
    .regenerate_answers_keys = true,
    .key_paths = {[SLOT_PRIMARY] = "primaryKey", [SLOT_SECONDARY] = "secondaryKey"},
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.serviceBusEndpoint",
    .state_path = "properties.provisioningState",
    .read_action = "Microsoft.NotificationHubs/namespaces/read",
    .list_action = "Microsoft.NotificationHubs/namespaces/authorizationRules/listkeys/action",
    .regenerate_action =
        "Microsoft.NotificationHubs/namespaces/authorizationRules/regenerateKeys/action",
    .role = "Notification Hubs Key Rotator",
    .env_name = "AZURE_NOTIFICATIONHUB_RULE",
    .env_key = "AZURE_NOTIFICATIONHUB_KEY",
    .env_endpoint = "AZURE_NOTIFICATIONHUB_HOST",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/;SharedAccessKeyName={name_2};SharedAccessKey={key}",
};

const struct two_key_resource two_key_notification_hub_rule = {
    .type = "Microsoft.NotificationHubs/namespaces/notificationHubs/AuthorizationRules",
    .short_name = "notification_hub",
    .noun = "a policy of a notification hub",
    .api_version = "2023-09-01",
    .name = {1, 256, "-._", "1 to 256 letters, digits, '-', '.' and '_'"},
    .parent_describes = true,
    .list = {.name = "listKeys"},
    .regenerate = {[SLOT_PRIMARY] = {.name = "regenerateKeys",
                                     .body = "{\"policyKey\":\"PrimaryKey\"}"},
                   [SLOT_SECONDARY] = {.name = "regenerateKeys",
                                       .body = "{\"policyKey\":\"SecondaryKey\"}"}},
    .regenerate_answers_keys = true,
    .key_paths = {[SLOT_PRIMARY] = "primaryKey", [SLOT_SECONDARY] = "secondaryKey"},
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.serviceBusEndpoint",
    .state_path = "properties.provisioningState",
    .probe = &of_hub,
    .read_action = "Microsoft.NotificationHubs/namespaces/read",
    .list_action =
        "Microsoft.NotificationHubs/namespaces/NotificationHubs/authorizationRules/listkeys/action",
    .regenerate_action =
        "Microsoft.NotificationHubs/namespaces/NotificationHubs/authorizationRules/regenerateKeys/"
        "action",
    .role = "Notification Hub Key Rotator",
    .env_name = "AZURE_NOTIFICATIONHUB_RULE",
    .env_key = "AZURE_NOTIFICATIONHUB_KEY",
    .env_endpoint = "AZURE_NOTIFICATIONHUB_HOST",
    .env_host = true,
    .connection_string =
        "Endpoint=sb://{endpoint}/"
        ";SharedAccessKeyName={name_3};SharedAccessKey={key};EntityPath={name_2}",
};
