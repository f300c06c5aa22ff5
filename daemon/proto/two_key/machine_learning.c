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

/* What an endpoint says of itself. Whether it does so for everybody depends on the endpoint. */
#define DESCRIBE_YOURSELF(at)                                                                      \
    {                                                                                              \
        .build = probe_build_plain, .read = probe_read, .id_header = "x-ms-request-id",            \
        .words = "a GET of what the endpoint says of itself", .service = "the endpoint",           \
        .method = "GET", .path = (at), .before = "Bearer ", .accepted = {200, 404},                \
        .refused = {401}, .acceptance_is_uncertain = true                                          \
    }

static const struct two_key_probe_form of_online = DESCRIBE_YOURSELF("/swagger.json");
static const struct two_key_probe_form of_serverless = DESCRIBE_YOURSELF("/info");

/* How long Azure may take is nowhere said; an hour is taken for the longest. */
#define SLOW_ENDPOINT(of_type)                                                                     \
    .api_version = "2026-05-01", .name = {3, 32, "-", "3 to 32 letters, digits and '-'"},          \
    .list = {.name = "listKeys"},                                                                  \
    TWO_KEY_REGENERATE("regenerateKeys", "keyType", "Primary", "Secondary"), .slow_for = MS_HOUR,  \
    .list_delay = MS_MINUTE, TWO_KEY_AT("primaryKey", "secondaryKey"),                             \
    .key_shape = &key_shape_text, .state_path = "properties.provisioningState",                    \
    TWO_KEY_ACTIONS(of_type, "listKeys", "regenerateKeys"),                                        \
    .grants = "send requests to the endpoint", .env_name = "AZURE_ML_ENDPOINT_NAME",               \
    .env_key = "AZURE_ML_ENDPOINT_KEY"

/* Other modes have tokens in place of keys. */
static const struct two_key_switch online_switches[] = {
    {.path = "properties.authMode",
     .off = OFF_UNLESS_TEXT,
     .text = "Key",
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the endpoint's authMode is not Key"},
    {.path = NULL},
};

static const struct two_key_switch serverless_switches[] = {
    {.path = "properties.authMode",
     .off = OFF_IF_TEXT,
     .text = "AAD",
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the endpoint's authMode is AAD"},
    {.path = NULL},
};

const struct two_key_resource two_key_ml_online_endpoint = {
    .type = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
    .short_name = "ml_online_endpoint",
    .noun = "an online endpoint of Machine Learning",
    SLOW_ENDPOINT("Microsoft.MachineLearningServices/workspaces/onlineEndpoints"),
    .regenerate_answers = ANSWERS_NOTHING,
    .endpoint_path = "properties.scoringUri",
    .probe = &of_online,
    .switches = online_switches,
    .keys_on = "set the endpoint's authMode to Key",
    .role = "Machine Learning Online Endpoint Key Rotator",
};

const struct two_key_resource two_key_ml_serverless_endpoint = {
    .type = "Microsoft.MachineLearningServices/workspaces/serverlessEndpoints",
    .short_name = "ml_serverless_endpoint",
    .noun = "a serverless endpoint of Machine Learning",
    SLOW_ENDPOINT("Microsoft.MachineLearningServices/workspaces/serverlessEndpoints"),
    .regenerate_answers = ANSWERS_BOTH,
    .endpoint_path = "properties.inferenceEndpoint.uri",
    .probe = &of_serverless,
    .switches = serverless_switches,
    .keys_on = "set the endpoint's authMode to Key",
    .role = "Machine Learning Serverless Endpoint Key Rotator",
};
