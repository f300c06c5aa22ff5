#include "proto/two_key/shapes.h"

/*
 * Azure AI services, Azure OpenAI among them (Microsoft.CognitiveServices/accounts). The names of
 * the slots have a capital K in requests and none in answers.
 */

/* Which request a key is good for depends on the account's kind ("Models - List" of Azure OpenAI).
 */
static const struct two_key_probe_form of_openai = {
    .build = probe_build_plain,
    .read = probe_read,
    .id_header = "apim-request-id",
    .words = "a listing of the models",
    .service = "Azure OpenAI",
    .method = "GET",
    .path = "/openai/models?api-version=2024-10-21",
    .header = "api-key",
    .accepted = {200},
    .refused = {401},
    .off_code = "AuthenticationTypeDisabled",
};

/* The kinds that do not know this one answer 404: then the key stays unverified. */
static const struct two_key_probe_form probe = {
    .build = probe_build_plain,
    .read = probe_read,
    .other_kinds = "OpenAI AIServices",
    .of_other_kinds = &of_openai,
    .id_header = "apim-request-id",
    .words =
        "a listing of the models (kinds OpenAI and AIServices) or a request for a token of ten "
        "minutes (other kinds)",
    .service = "the AI service",
    .method = "POST",
    .path = "/sts/v1.0/issueToken",
    .header = "Ocp-Apim-Subscription-Key",
    .accepted = {200},
    .refused = {401},
    .off_code = "AuthenticationTypeDisabled",
};

const struct two_key_resource two_key_cognitive_services_account = {
    .type = "Microsoft.CognitiveServices/accounts",
    .short_name = "cognitive_services",
    .noun = "an AI services account",
    .api_version = "2026-07-01",
    .name = {2, 64, "-._", "2 to 64 letters, digits, '-', '.' and '_'"},
    TWO_KEY_NUMBERED("Key1", "Key2"),
    .key_shape = &key_shape_alphanumeric,
    .endpoint_path = "properties.endpoint",
    .state_path = "properties.provisioningState",
    TWO_KEY_LOCAL_AUTH("the account's"),
    .probe = &probe,
    TWO_KEY_ACTIONS("Microsoft.CognitiveServices/accounts", "listKeys", "regenerateKey"),
    .role = "Cognitive Services Key Rotator",
    .grants = "use all models and services of the account, at its cost",
    .env_name = "AZURE_AI_SERVICES_NAME",
    .env_key = "AZURE_AI_SERVICES_KEY",
    .env_endpoint = "AZURE_AI_SERVICES_ENDPOINT",
    /* Those of OpenAI's own clients. An account of any kind has them, because a repair goes on
     * where the description, which tells the kind, cannot be had. */
    .env_other_key = "AZURE_OPENAI_API_KEY",
    .env_other_endpoint = "AZURE_OPENAI_ENDPOINT",
};
