#include "proto/two_key/shapes.h"

/*
 * Azure Spring Apps (Microsoft.AppPlatform/Spring): the keys of the test endpoint, which stand in
 * its URL. Whether it is switched on stands in the answer to the list.
 */

static const struct two_key_switch switches[] = {
    {.path = "enabled",
     .off = OFF_IF_FALSE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the service's test endpoint is off: listTestKeys says enabled false"},
    {.path = NULL},
};

const struct two_key_resource two_key_spring_apps = {
    .type = "Microsoft.AppPlatform/Spring",
    .short_name = "spring",
    .noun = "an Azure Spring Apps service",
    .api_version = "2023-12-01",
    .name = {4, 32, "-", "4 to 32 letters, digits and '-'"},
    .list = {.name = "listTestKeys"},
    TWO_KEY_REGENERATE("regenerateTestKey", "keyType", "Primary", "Secondary"),
    .regenerate_answers = ANSWERS_BOTH,
    TWO_KEY_AT("primaryKey", "secondaryKey"),
    .key_shape = &key_shape_text,
    .state_path = "properties.provisioningState",
    .list_switches = switches,
    .keys_on = "enable the service's test endpoint",
    TWO_KEY_ACTIONS("Microsoft.AppPlatform/Spring", "listTestKeys", "regenerateTestKey"),
    .role = "Spring Apps Test Key Rotator",
    .grants = "call the test endpoints of the apps",
    .env_name = "AZURE_SPRING_APPS_SERVICE",
    .env_key = "AZURE_SPRING_APPS_TEST_KEY",
    .dies = "the URL of the test endpoint that holds the key",
    .note = "Azure is retiring Spring Apps",
    .is_retiring = true,
};
