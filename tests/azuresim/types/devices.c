/* IoT Hub and the Device Provisioning Service. */
#include "types.h"

#define POLICIES                                                                                   \
    .list = {.suffix = "listkeys"},                                                                \
    .regenerate = {.suffix = "", .body = BODY_WHOLE, .answer = ""},                                \
    .operation = {.is_long = true,                                                                 \
                  .has_async_header = true,                                                        \
                  .status = {.word = "operationResults"},                                          \
                  .result = {.word = "operations", .is_undocumented = true}},                      \
    .slots = {{"primaryKey", "primaryKey"}, {"secondaryKey", "secondaryKey"}},                     \
    .key = KEY_SHORT_BASE64, .decodes_key = true

static const struct type iot_hub = {
    .name = "Microsoft.Devices/IotHubs",
    .word = "iot_hub",
    .versions = "2021-07-02 2023-06-30",
    POLICIES,
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true", .is_at_parent = true},
    .properties = "{\"rights\":\"RegistryRead, ServiceConnect\"}",
    .parent_properties =
        "{\"provisioningState\":\"Succeeded\",\"state\":\"Active\",\"disableLocalAuth\":false,"
        "\"routing\":{\"routes\":[],\"enrichments\":[]},\"comments\":\"a \\\"hub\\\"\"}",
    .parent_endpoints = "{\"hostName\":\"$0.devices.localhost$P\"}",
};

static const struct type device_provisioning = {
    .name = "Microsoft.Devices/provisioningServices",
    .word = "device_provisioning",
    .versions = "2021-10-15 2022-02-05 2022-12-12 2026-08-31",
    POLICIES,
    .shows_parts = true,
    .properties = "{\"rights\":\"ServiceConfig, EnrollmentRead\"}",
    .parent_properties =
        "{\"provisioningState\":\"Succeeded\",\"state\":\"Active\",\"iotHubs\":[],"
        "\"allocationPolicy\":\"Hashed\"}",
    .parent_endpoints =
        "{\"serviceOperationsHostName\":\"$0.devices-provisioning.localhost$P\","
        "\"idScope\":\"0ne00000000\"}",
};

const struct type *const types_of_devices[] = {&iot_hub, &device_provisioning, NULL};
