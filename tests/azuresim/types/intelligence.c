/* Models, search, maps and bots. */
#include "types.h"

#define BOTH_KEYS "{\"primaryKey\":\"$K0\",\"secondaryKey\":\"$K1\"}"

static const struct type cognitive_services = {
    .name = "Microsoft.CognitiveServices/accounts",
    .word = "cognitive_services",
    .versions = "2017-04-18 2021-10-01 2023-05-01 2024-10-01 2025-06-01 2025-09-01 2026-07-01",
    .list = {.suffix = "listKeys", .answer = "{\"key1\":\"$K0\",\"key2\":\"$K1\"}"},
    .regenerate = {.suffix = "regenerateKey", .member = "keyName"},
    .slots = {{"Key1", "key1"}, {"Key2", "key2"}},
    .key = KEY_HEX,
    .off = {.property = "disableLocalAuth",
            .on = "false",
            .off = "true",
            .status = 400,
            .code = "BadRequest",
            .message = "Failed to list key. disableLocalAuth is set to be true"},
    .resource = "{\"kind\":\"OpenAI\",\"sku\":{\"name\":\"S0\"}}",
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"publicNetworkAccess\":\"Enabled\","
        "\"disableLocalAuth\":false}",
    .endpoints =
        "{\"endpoint\":\"https://$0.cognitiveservices.localhost$P/\","
        "\"customSubDomainName\":\"$0\"}",
};

static const struct type search = {
    .name = "Microsoft.Search/searchServices",
    .word = "search",
    .versions = "2020-08-01 2022-09-01 2023-11-01 2025-05-01",
    .list = {.suffix = "listAdminKeys", .answer = BOTH_KEYS},
    .regenerate = {.suffix = "regenerateAdminKey/", .body = BODY_NONE},
    .slots = {{"primary", "primaryKey"}, {"secondary", "secondaryKey"}},
    .key = KEY_LETTERS,
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true"},
    .resource = "{\"sku\":{\"name\":\"basic\"}}",
    .properties =
        "{\"provisioningState\":\"succeeded\",\"status\":\"running\","
        "\"publicNetworkAccess\":\"Enabled\",\"disableLocalAuth\":false,"
        "\"authOptions\":{\"apiKeyOnly\":{}}}",
    .endpoints = "{\"endpoint\":\"https://$0.search.localhost$P\"}",
};

static const struct type maps = {
    .name = "Microsoft.Maps/accounts",
    .word = "maps",
    .versions = "2018-05-01 2021-02-01 2023-06-01",
    .list = {.suffix = "listKeys",
             .answer = "{\"primaryKey\":\"$K0\",\"secondaryKey\":\"$K1\","
                       "\"primaryKeyLastUpdated\":\"$T0\",\"secondaryKeyLastUpdated\":\"$T1\"}"},
    .regenerate = {.suffix = "regenerateKey", .member = "keyType"},
    .slots = {{"primary", "primaryKey"}, {"secondary", "secondaryKey"}},
    .key = KEY_LETTERS,
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true"},
    .resource = "{\"kind\":\"Gen2\",\"sku\":{\"name\":\"G2\"}}",
    .properties = "{\"provisioningState\":\"Succeeded\",\"disableLocalAuth\":false}",
    .endpoints = "{\"uniqueId\":\"99999999-0000-4000-8000-$0\"}",
};

/* These paths are those of the provider's resource types. */
#define ML_POLLS                                                                                   \
    .status = {.word = "mfeOperationsStatus", .is_undocumented = true},                            \
    .result = {.word = "mfeOperationResults", .is_undocumented = true}
#define ML_VERSIONS "2022-10-01 2023-10-01 2024-10-01 2025-06-01 2026-05-01"

static const struct type online_endpoint = {
    .name = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
    .word = "ml_online_endpoint",
    .versions = ML_VERSIONS,
    .list = {.suffix = "listKeys", .answer = BOTH_KEYS},
    .regenerate = {.suffix = "regenerateKeys",
                   .member = "keyType",
                   .own_value = "keyValue",
                   .answer = ""},
    .operation = {.is_long = true, .has_async_header = true, .has_location = true, ML_POLLS},
    .slots = {{"Primary", "primaryKey"}, {"Secondary", "secondaryKey"}},
    .key = KEY_LETTERS,
    .off = {.property = "authMode", .on = "\"Key\"", .off = "\"AADToken\"", .needs_on = true},
    .resource = "{\"kind\":\"Managed\"}",
    .properties =
        "{\"provisioningState\":\"Succeeded\",\"authMode\":\"Key\","
        "\"publicNetworkAccess\":\"Enabled\"}",
    .endpoints =
        "{\"scoringUri\":\"https://$1.inference.localhost$P/score\","
        "\"swaggerUri\":\"https://$1.inference.localhost$P/swagger.json\"}",
    .parent_properties = "{\"provisioningState\":\"Succeeded\"}",
    .is_tracked = true,
};

static const struct type serverless_endpoint = {
    .name = "Microsoft.MachineLearningServices/workspaces/serverlessEndpoints",
    .word = "ml_serverless_endpoint",
    .versions = "2024-10-01 2025-06-01 2026-05-01",
    .list = {.suffix = "listKeys", .answer = BOTH_KEYS},
    .regenerate = {.suffix = "regenerateKeys", .member = "keyType", .own_value = "keyValue"},
    .operation = {.is_long = true, .has_async_header = true, ML_POLLS},
    .slots = {{"Primary", "primaryKey"}, {"Secondary", "secondaryKey"}},
    .key = KEY_LETTERS,
    .off = {.property = "authMode", .on = "\"Key\"", .off = "\"AAD\""},
    .properties = "{\"provisioningState\":\"Succeeded\",\"authMode\":\"Key\"}",
    .endpoints = "{\"inferenceEndpoint\":{\"uri\":\"https://$1.inference.localhost$P\"}}",
    .parent_properties = "{\"provisioningState\":\"Succeeded\"}",
    .is_tracked = true,
};

/* The list has the pair one level deeper than the answer to a regeneration. */
static const struct type ml_endpoint = {
    .name = "Microsoft.MachineLearningServices/workspaces/endpoints",
    .word = "ml_endpoint",
    .versions = "2026-05-15-preview",
    .list = {.suffix = "listKeys", .answer = "{\"keys\":{\"key1\":\"$K0\",\"key2\":\"$K1\"}}"},
    .regenerate = {.suffix = "regenerateKey",
                   .member = "keyName",
                   .answer = "{\"key1\":\"$K0\",\"key2\":\"$K1\"}"},
    .slots = {{"Key1", "key1"}, {"Key2", "key2"}},
    .key = KEY_LETTERS,
    .properties = "{\"provisioningState\":\"Succeeded\"}",
    .parent_properties = "{\"provisioningState\":\"Succeeded\"}",
};

/* Each site of a channel has a pair; the answers hold the channel with all of its sites. */
static const struct type bot_channel = {
    .name = "Microsoft.BotService/botServices/channels",
    .word = "bot_channel",
    .versions = "2021-03-01 2022-09-15",
    .list = {.suffix = "listChannelWithKeys"},
    .regenerate = {.suffix = "regeneratekeys", .body = BODY_SITE, .member = "key"},
    .slots = {{"key1", "key"}, {"key2", "key2"}},
    .key = KEY_LETTERS,
    .off = {.property = "disableLocalAuth", .on = "false", .off = "true", .is_at_parent = true},
    .properties = "{\"isEnabled\":true}",
    .parent_properties =
        "{\"provisioningState\":\"Succeeded\",\"disableLocalAuth\":false,"
        "\"publicNetworkAccess\":\"Enabled\"}",
};

/* Azure takes both slots in one list, which kills both keys; here that is refused. */
static const struct type quantum = {
    .name = "Microsoft.Quantum/workspaces",
    .word = "quantum",
    .versions = "2026-06-15-preview",
    .list = {.suffix = "listKeys",
             .answer = "{\"apiKeyEnabled\":true,"
                       "\"primaryKey\":{\"createdAt\":\"$T0\",\"key\":\"$K0\"},"
                       "\"secondaryKey\":{\"createdAt\":\"$T1\",\"key\":\"$K1\"}}"},
    .regenerate = {.suffix = "regenerateKey",
                   .body = BODY_IN_ARRAY,
                   .member = "keys",
                   .status = 204,
                   .answer = ""},
    .slots = {{"Primary", "primaryKey"}, {"Secondary", "secondaryKey"}},
    .key = KEY_LETTERS,
    .off = {.property = "apiKeyEnabled", .on = "true", .off = "false"},
    .properties = "{\"provisioningState\":\"Succeeded\",\"apiKeyEnabled\":true}",
    .endpoints = "{\"endpointUri\":\"https://$0.quantum.localhost$P\"}",
};

const struct type *const types_of_intelligence[] = {
    &cognitive_services, &search,  &maps, &online_endpoint, &serverless_endpoint, &ml_endpoint,
    &bot_channel,        &quantum, NULL,
};
