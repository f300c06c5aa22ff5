#include "proto/two_key/iot_probe.h"
#include "proto/two_key/shapes.h"

/*
 * Shared access policies of Azure IoT Hub (Microsoft.Devices/IotHubs) and of its Device
 * Provisioning Service (Microsoft.Devices/provisioningServices). No operation regenerates a key:
 * the whole hub is written by PUT with all policies, and the service makes a key that is absent
 * ("Iot Hub Resource - Create Or Update"; so does the Azure CLI, "az iot hub policy renew-key").
 * A policy that is left out would be removed, and any other key that is left out renewed. `etag` of
 * the description goes into If-Match, as both descriptions demand, so that nobody else's change is
 * undone; the published client for Device Provisioning has no parameter for it, so that the body
 * has the etag, too. Secrets of other services, which the description shows masked
 * ("SharedAccessKey=****" in routes), go back masked, as those that the Azure CLI writes back: the
 * service keeps what it has. How long Azure may take is nowhere said; an hour is taken for the
 * longest. Nor is for how long a list may be late, and a late one that is written back would undo
 * what was done since: so nothing is written until the hub has been unchanged, and no change of it
 * has been under way, for `list_delay` and unknown_wait (unchanged.h), and the list fits the
 * records of its other policies (neighbours.h).
 */

static const struct two_key_rewrite policies = {
    .list = "authorizationPolicies",
    .name = "keyName",
    .rights = "rights",
    .keys = {[SLOT_PRIMARY] = "primaryKey", [SLOT_SECONDARY] = "secondaryKey"},
    .listed = "value",
    .noun = "shared access policy",
};

#define POLICY(whole)                                                                              \
    .name = {1, 64, "-._", "1 to 64 letters, digits, '-', '.' and '_'"}, .parent_describes = true, \
    .is_inside = true, .list = {.name = "listkeys", .pages = true}, .rewrite = &policies,          \
    .regenerate_answers = ANSWERS_NOTHING, .slow_for = MS_HOUR, .list_delay = 5 * MS_MINUTE,       \
    TWO_KEY_AT("value[keyName={2}].primaryKey", "value[keyName={2}].secondaryKey"),                \
    .key_shape = &key_shape_text, .state_path = "properties.provisioningState",                    \
    .absent = "the " whole                                                                         \
              " has no such policy: give the one that is in use in `path`, or make "               \
              "it; {account} is rotated from then on",                                             \
    .pair_busy = "a key of another policy of the same " whole                                      \
                 " is being renewed: one change of it at a time",                                  \
    .grants = "do what the policy allows",                                                         \
    .dies = "every shared access signature that was made with the key",                            \
    .note = "to renew a key, the whole " whole                                                     \
            " is written back as it was just read: the permission to do so allows any change of "  \
            "it; because a list of keys that is late would undo what was done since, it is "       \
            "written only when its etag has been the same for timing.unknown_wait and "            \
            "timing.list_wait together, counted anew after a start and from the end of each "      \
            "change, and when the list fits what is known of its other policies that are "         \
            "accounts; what the api-version of this type does not show is not written back, so "   \
            "give a newer one in api_versions where the " whole " was made with it"

#define POLICY_ACTIONS(whole)                                                                      \
    .read_action = whole "/read", .list_action = whole "/listkeys/action",                         \
    .regenerate_action = whole "/write"

const struct two_key_resource two_key_iot_hub_policy = {
    .type = "Microsoft.Devices/IotHubs/IotHubKeys",
    .short_name = "iot_hub",
    .noun = "a shared access policy of an IoT hub",
    .api_version = "2023-06-30",
    POLICY("hub"),
    TWO_KEY_LOCAL_AUTH("the hub's"),
    .endpoint_path = "properties.hostName",
    .probe = &iot_hub_probe,
    POLICY_ACTIONS("Microsoft.Devices/IotHubs"),
    .role = "IoT Hub Key Rotator",
    .env_name = "IOTHUB_POLICY",
    .env_key = "IOTHUB_KEY",
    .env_endpoint = "IOTHUB_HOST",
    .env_host = true,
    .env_connection_string = "IOTHUB_CONNECTION_STRING",
    .connection_string = "HostName={endpoint};SharedAccessKeyName={name_2};SharedAccessKey={key}",
};

const struct two_key_resource two_key_device_provisioning_policy = {
    .type = "Microsoft.Devices/provisioningServices/keys",
    .short_name = "device_provisioning",
    .noun = "a shared access policy of a Device Provisioning Service",
    .api_version = "2022-12-12",
    POLICY("service"),
    .endpoint_path = "properties.serviceOperationsHostName",
    .probe = &device_provisioning_probe,
    POLICY_ACTIONS("Microsoft.Devices/provisioningServices"),
    .role = "Device Provisioning Key Rotator",
    .env_name = "IOTHUB_DEVICE_PROVISIONING_POLICY",
    .env_key = "IOTHUB_DEVICE_PROVISIONING_KEY",
    .env_endpoint = "IOTHUB_DEVICE_PROVISIONING_HOST",
    .env_host = true,
    .env_connection_string = "PROVISIONING_CONNECTION_STRING",
    .connection_string = "HostName={endpoint};SharedAccessKeyName={name_2};SharedAccessKey={key}",
};
