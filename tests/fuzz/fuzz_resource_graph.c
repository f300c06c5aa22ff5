/*
 * Answers of Azure Resource Graph: one that is taken says whether it is whole, and what it goes on
 * with fits into the next query.
 */
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "proto/resource_graph.h"

static void check_next(const struct resource_graph_page *page)
{
    static const char *const subscriptions[] = {"00000000-0000-0000-0000-000000000001"};
    static const char *const types[] = {"Microsoft.Batch/batchAccounts"};
    struct err err = {.code = 0};
    struct json_object *query;
    struct buf body;

    buf_init(&body, RESOURCE_GRAPH_BODY_MAX);
    resource_graph_write(&body, &(struct resource_graph_query){.subscriptions = subscriptions,
                                                               .subscription_count = 1,
                                                               .types = types,
                                                               .type_count = 1,
                                                               .skip_token = page->skip_token});
    MUST(!body.failed);
    query = json_parse(buf_str(&body), body.length, &err);
    MUST(query);
    json_object_put(query);
    buf_done(&body);
}

static void check_rows(const struct resource_graph_page *page)
{
    for (size_t i = 0; i < arm_page_count(page->rows); i++) {
        struct arm_resource resource;

        arm_page_resource(page->rows, i, &resource);
        MUST(resource.id[0] == '/' && resource.location && resource.tag_count <= ARM_TAGS_MAX);
    }
}

/* The same bytes as the headers of an answer. */
static void check_pause(const uint8_t *data, size_t size)
{
    struct http_reply reply;
    duration_ms pause;

    http_reply_init(&reply, size);
    if (size < HTTP_REPLY_HEADERS_MAX &&
        buf_append(&reply.headers, (const char *)data, size) == 0) {
        pause = resource_graph_pause(&reply);
        MUST(pause >= 0 && pause <= 99 * (MS_HOUR + MS_MINUTE + MS_SECOND));
    }
    http_reply_done(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct resource_graph_page page;
    struct err err = {.code = 0};

    if (resource_graph_read((const char *)data, size, &page, &err) == 0) {
        MUST(!page.skip_token ||
             (page.skip_token[0] != '\0' && strlen(page.skip_token) <= RESOURCE_GRAPH_TOKEN_MAX));
        check_rows(&page);
        check_next(&page);
    } else {
        MUST(!page.rows && !page.skip_token && err.text[0] != '\0');
    }
    arm_page_free(page.rows);
    check_pause(data, size);
    return 0;
}
