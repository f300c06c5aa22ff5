#include "proto/two_key/redis_probe.h"
#include "proto/two_key/shapes.h"

/*
 * Azure Cache for Redis (Microsoft.Cache/redis).
 */

static const struct two_key_switch switches[] = {
    {.path = "properties.disableAccessKeyAuthentication",
     .off = OFF_IF_TRUE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the cache's disableAccessKeyAuthentication is true"},
    {.path = NULL},
};

const struct two_key_resource two_key_redis = {
    .type = "Microsoft.Cache/redis",
    .short_name = "redis",
    .noun = "an Azure Cache for Redis",
    .api_version = "2024-11-01",
    .name = {1, 63, "-", "1 to 63 letters, digits and '-'"},
    TWO_KEY_RANKED("Primary", "Secondary"),
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.hostName",
    .port_path = "properties.sslPort",
    .state_path = "properties.provisioningState",
    .switches = switches,
    .keys_on = "set the cache's disableAccessKeyAuthentication to false",
    .probe = &redis_probe,
    TWO_KEY_ACTIONS("Microsoft.Cache/redis", "listKeys", "regenerateKey"),
    .role = "Redis Key Rotator",
    .grants = "do everything with the data of the cache",
    .env_name = "AZURE_REDIS_NAME",
    .env_key = "AZURE_REDIS_KEY",
    .env_endpoint = "AZURE_REDIS_HOST",
    .env_host = true,
    .env_connection_string = "AZURE_REDIS_CONNECTIONSTRING",
    .connection_string = "{endpoint}:6380,password={key},ssl=True,abortConnect=False",
};
