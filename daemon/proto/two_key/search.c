#include "proto/two_key/shapes.h"

/*
 * Azure AI Search (Microsoft.Search/searchServices): the admin keys. The slot stands in the path
 * (learn.microsoft.com, Search Management REST API, "Admin Keys - Regenerate").
 */

/* 403 is a wrong key; without one it would be 401 ("HTTP status codes (Azure AI Search)"). */
static const struct two_key_probe_form probe = {
    .build = probe_build_plain,
    .read = probe_read,
    .id_header = "request-id",
    .words = "a GET of its statistics",
    .service = "the Search service",
    .method = "GET",
    .path = "/servicestats?api-version=2024-07-01",
    .header = "api-key",
    .accepted = {200},
    .refused = {403},
};

const struct two_key_resource two_key_search_service = {
    .type = "Microsoft.Search/searchServices",
    .short_name = "search",
    .noun = "an AI Search service",
    .api_version = "2025-05-01",
    .name = {2, 60, "-", "2 to 60 letters, digits and '-'"},
    .list = {.name = "listAdminKeys"},
    TWO_KEY_REGENERATE_BY_PATH("regenerateAdminKey/primary", "regenerateAdminKey/secondary"),
    .regenerate_answers = ANSWERS_BOTH,
    TWO_KEY_AT("primaryKey", "secondaryKey"),
    .key_shape = &key_shape_alphanumeric,
    .endpoint_path = "properties.endpoint",
    .state_path = "properties.provisioningState",
    TWO_KEY_LOCAL_AUTH("the service's"),
    .probe = &probe,
    TWO_KEY_ACTIONS("Microsoft.Search/searchServices", "listAdminKeys", "regenerateAdminKey"),
    .role = "Search Key Rotator",
    .grants = "manage indexes, and read, write and delete what is in them (the admin keys)",
    .env_name = "AZURE_SEARCH_SERVICE_NAME",
    .env_key = "AZURE_SEARCH_API_KEY",
    .env_endpoint = "AZURE_SEARCH_ENDPOINT",
};
