#include "key_page.h"

#include <stdlib.h>

#include "encode.h"
#include "memory.h"

static void add_link(const struct sim *sim, const struct http_request *request,
                     struct json_object *answer, size_t next)
{
    const struct settings *settings = &sim->settings;
    char *version = percent_encode(http_fields_get(&request->query, "api-version"));
    char *link = memory_printf(
        "https://%s%s?api-version=%s&%%24skiptoken=%zu",
        *settings->key_page_host != '\0' ? settings->key_page_host : http_header(request, "Host"),
        *settings->key_page_path != '\0' ? settings->key_page_path : request->path, version, next);

    json_object_object_add(answer, "nextLink", json_object_new_string(link));
    free(version);
    free(link);
}

void key_page_cut(const struct sim *sim, const struct http_request *request,
                  struct json_object *answer)
{
    const char *skip_token = http_fields_get(&request->query, "$skiptoken");
    const size_t first = skip_token ? strtoul(skip_token, NULL, 10) : 0;
    const size_t size = (size_t)sim->settings.key_page_size;
    struct json_object *keys, *page;

    if (size == 0 || !json_object_object_get_ex(answer, "value", &keys))
        return;
    page = json_object_new_array();
    for (size_t i = first; i < json_object_array_length(keys) && i < first + size; i++)
        json_object_array_add(page, json_object_get(json_object_array_get_idx(keys, i)));
    if (first + size < json_object_array_length(keys))
        add_link(sim, request, answer, first + size);
    json_object_object_add(answer, "value", page);
}
