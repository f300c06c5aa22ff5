#include "proto/two_key/two_key.h"

/*
 * Azure AI services, Azure OpenAI among them (Microsoft.CognitiveServices/accounts). The names of
 * the slots have a capital K in requests and none in answers.
 */

static const struct two_key_switch switches[] = {
    {.path = "properties.disableLocalAuth",
     .off = OFF_IF_TRUE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the account's disableLocalAuth is true"},
    {.path = NULL},
};

/* Which request a key is good for depends on the account's kind; this one asks for a token of ten
 * minutes, and the kinds that do not know it answer 404 (then the key stays unverified). */
static const struct two_key_probe_form probe = {
    .build = probe_build_plain,
    .read = probe_read,
    .id_header = "apim-request-id",
    .words = "a request for a token of ten minutes",
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
    .list = {.name = "listKeys"},
    .regenerate = {[SLOT_PRIMARY] = {.name = "regenerateKey", .body = "{\"keyName\":\"Key1\"}"},
                   [SLOT_SECONDARY] = {.name = "regenerateKey", .body = "{\"keyName\":\"Key2\"}"}},
    .regenerate_answers_keys = true,
    .key_paths = {[SLOT_PRIMARY] = "key1", [SLOT_SECONDARY] = "key2"},
    .key_shape = &key_shape_alphanumeric,
    .endpoint_path = "properties.endpoint",
    .state_path = "properties.provisioningState",
    .switches = switches,
    .keys_on = "set the account's disableLocalAuth to false",
    .probe = &probe,
    .read_action = "Microsoft.CognitiveServices/accounts/read",
    .list_action = "Microsoft.CognitiveServices/accounts/listKeys/action",
    .regenerate_action = "Microsoft.CognitiveServices/accounts/regenerateKey/action",
    .role = "Cognitive Services Key Rotator",
    .env_name = "AZURE_AI_SERVICES_NAME",
    .env_key = "AZURE_AI_SERVICES_KEY",
    .env_endpoint = "AZURE_AI_SERVICES_ENDPOINT",
};
