#include "proto/two_key/shapes.h"

/*
 * Endpoints of Azure Machine Learning (Microsoft.MachineLearningServices/workspaces/…). The list of
 * the keys of a workspace's endpoints has them one level deeper than the answer to a regenerate.
 */

const struct two_key_resource two_key_ml_endpoint = {
    .type = "Microsoft.MachineLearningServices/workspaces/endpoints",
    .short_name = "ml_endpoint",
    .noun = "an endpoint of a Machine Learning workspace",
    .api_version = "2026-05-15-preview",
    .name = {1, 255, "-_.", "1 to 255 letters, digits, '-', '.' and '_'"},
    .list = {.name = "listKeys"},
    TWO_KEY_REGENERATE("regenerateKey", "keyName", "Key1", "Key2"),
    .regenerate_answers = ANSWERS_NOTHING,
    TWO_KEY_AT("keys.key1", "keys.key2"),
    .key_shape = &key_shape_text,
    .state_path = "properties.provisioningState",
    TWO_KEY_ACTIONS("Microsoft.MachineLearningServices/workspaces/endpoints", "listKeys",
                    "regenerateKey"),
    .role = "Machine Learning Workspace Endpoint Key Rotator",
    .grants = "send requests to the endpoint",
    .env_name = "AZURE_ML_ENDPOINT_NAME",
    .env_key = "AZURE_ML_ENDPOINT_KEY",
    .note = "this interface of Azure's is a preview, and may change",
};
