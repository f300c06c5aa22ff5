#include "proto/two_key/hmac_probe.h"
#include "proto/two_key/shapes.h"

/*
 * Azure App Configuration (Microsoft.AppConfiguration/configurationStores): a pair of keys that may
 * read and write, and one that may only read. A regenerate names the key by the id that the list
 * gives it, and answers with that key alone. Its users send the id together with the key.
 */

#define REGENERATE_BY_ID                                                                           \
    {                                                                                              \
        .name = "regenerateKey", .member = "id"                                                    \
    }

/* What both pairs have. */
#define STORE                                                                                      \
    .type = "Microsoft.AppConfiguration/configurationStores", .short_name = "app_configuration",   \
    .noun = "an App Configuration store", .api_version = "2024-06-01",                             \
    .name = {5, 50, "-_", "5 to 50 letters, digits, '-' and '_'"},                                 \
    .list = {.name = "listKeys", .pages = true},                                                   \
    .regenerate = {[SLOT_PRIMARY] = REGENERATE_BY_ID, [SLOT_SECONDARY] = REGENERATE_BY_ID},        \
    .regenerate_answers = ANSWERS_ONE, .key_shape = &key_shape_text,                               \
    .endpoint_path = "properties.endpoint", .state_path = "properties.provisioningState",          \
    TWO_KEY_LOCAL_AUTH("the store's"), .probe = &app_configuration_probe,                          \
    TWO_KEY_ACTIONS("Microsoft.AppConfiguration/configurationStores", "ListKeys",                  \
                    "RegenerateKey"),                                                              \
    .role = "App Configuration Key Rotator", .env_name = "AZURE_APPCONFIG_NAME",                   \
    .env_key = "AZURE_APPCONFIG_SECRET", .env_key_id = "AZURE_APPCONFIG_ID",                       \
    .env_endpoint = "AZURE_APPCONFIG_ENDPOINT",                                                    \
    .env_connection_string = "AZURE_APPCONFIG_CONNECTION_STRING",                                  \
    .connection_string = "Endpoint=https://{endpoint};Id={key_id};Secret={key}"

const struct two_key_resource two_key_app_configuration_store = {
    STORE,
    TWO_KEY_PAIR("read_write"),
    .grants = "read and write all settings of the store",
    TWO_KEY_AT("value[name=Primary].value", "value[name=Secondary].value"),
    TWO_KEY_MADE_AT("value[name=Primary].lastModified", "value[name=Secondary].lastModified"),
    .id_paths =
        {[SLOT_PRIMARY] = "value[name=Primary].id", [SLOT_SECONDARY] = "value[name=Secondary].id"},
};

const struct two_key_resource two_key_app_configuration_read_only = {
    STORE,
    TWO_KEY_PAIR("read_only"),
    .grants = "read all settings of the store",
    TWO_KEY_AT("value[name=Primary Read Only].value", "value[name=Secondary Read Only].value"),
    TWO_KEY_MADE_AT("value[name=Primary Read Only].lastModified",
                    "value[name=Secondary Read Only].lastModified"),
    .id_paths = {[SLOT_PRIMARY] = "value[name=Primary Read Only].id",
                 [SLOT_SECONDARY] = "value[name=Secondary Read Only].id"},
};
