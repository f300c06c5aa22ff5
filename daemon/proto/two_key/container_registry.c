#include "proto/two_key/registry_probe.h"
#include "proto/two_key/shapes.h"

/*
 * Azure Container Registry (Microsoft.ContainerRegistry/registries): the two passwords of the admin
 * user, who is switched off unless somebody switched him on. The first is called "password".
 */

static const struct two_key_switch switches[] = {
    {.path = "properties.adminUserEnabled",
     .off = OFF_UNLESS_TRUE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the registry's adminUserEnabled is not true"},
    {.path = NULL},
};

const struct two_key_resource two_key_container_registry = {
    .type = "Microsoft.ContainerRegistry/registries",
    .short_name = "container_registry",
    .noun = "a container registry",
    .api_version = "2025-11-01",
    .name = {5, 50, "", "5 to 50 letters and digits"},
    .list = {.name = "listCredentials"},
    TWO_KEY_REGENERATE("regenerateCredential", "name", "password", "password2"),
    .regenerate_answers = ANSWERS_BOTH,
    .key_paths = {[SLOT_PRIMARY] = "passwords[name=password].value",
                  [SLOT_SECONDARY] = "passwords[name=password2].value"},
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.loginServer",
    .state_path = "properties.provisioningState",
    .switches = switches,
    .keys_on = "set the registry's adminUserEnabled to true",
    .probe = &registry_probe,
    TWO_KEY_ACTIONS("Microsoft.ContainerRegistry/registries", "listCredentials",
                    "regenerateCredential"),
    .role = "Container Registry Password Rotator",
    .grants = "pull, push and delete images, as the admin user",
    .env_name = "AZURE_CONTAINER_REGISTRY_USERNAME",
    .env_key = "AZURE_CONTAINER_REGISTRY_PASSWORD",
    .env_endpoint = "AZURE_CONTAINER_REGISTRY_LOGIN_SERVER",
    .env_host = true,
};
