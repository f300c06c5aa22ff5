#include "proto/two_key/shapes.h"

/*
 * Databases of Azure Managed Redis and of Redis Enterprise (Microsoft.Cache/redisEnterprise/
 * databases). A regenerate is a long-running operation. The host stands in the description of the
 * cluster, the switch in that of the database, which is the one that is read; so a new key is not
 * verified.
 */

static const struct two_key_switch switches[] = {
    {.path = "properties.accessKeysAuthentication",
     .off = OFF_IF_TEXT,
     .text = "Disabled",
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the database's accessKeysAuthentication is Disabled"},
    {.path = NULL},
};

/* How long Azure may take is nowhere said; an hour is taken for the longest. */
const struct two_key_resource two_key_redis_enterprise_database = {
    .type = "Microsoft.Cache/redisEnterprise/databases",
    .short_name = "redis_enterprise",
    .noun = "a database of Azure Managed Redis",
    .api_version = "2025-07-01",
    .name = {1, 60, "-", "1 to 60 letters, digits and '-'"},
    TWO_KEY_RANKED("Primary", "Secondary"),
    .slow_for = MS_HOUR,
    .list_delay = MS_MINUTE,
    .key_shape = &key_shape_text,
    .state_path = "properties.provisioningState",
    .switches = switches,
    .keys_on = "set the database's accessKeysAuthentication to Enabled",
    TWO_KEY_ACTIONS("Microsoft.Cache/redisEnterprise/databases", "listKeys", "regenerateKey"),
    .role = "Managed Redis Key Rotator",
    .grants = "do everything with the data of the database",
    .env_name = "AZURE_REDIS_DATABASE",
    .env_key = "AZURE_REDIS_KEY",
};
