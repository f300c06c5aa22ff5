/* Lists of Azure Resource Manager, when memory runs out: see allocation.h. */
#include "allocation_hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/arm_list.h"

static void add_resource(struct result *result, const struct arm_resource *resource)
{
    result_add(result, "%s %s %zu\n", resource->id, resource->location, resource->tag_count);
    for (size_t i = 0; i < resource->tag_count; i++)
        result_add(result, "%s=%s\n", resource->tags[i].name, resource->tags[i].value);
}

static void read_page(struct result *result, const void *context)
{
    const char *text = context;
    struct arm_resource resource;
    struct arm_page *page;
    struct err err = {.code = 0};
    const int rc = arm_page_read(text, strlen(text), &page, &err);

    if (rc != 0) {
        result_failed(result, rc, err.text);
        return;
    }
    for (size_t i = 0; i < arm_page_count(page); i++) {
        arm_page_resource(page, i, &resource);
        add_resource(result, &resource);
    }
    result_add(result, "%s\n", arm_page_next(page));
    arm_page_free(page);
}

static void read_resource(struct result *result, const void *context)
{
    const char *text = context;
    struct arm_resource resource;
    struct arm_page *page;
    struct err err = {.code = 0};
    const int rc = arm_resource_read(text, strlen(text), &page, &resource, &err);

    if (rc == 0)
        add_resource(result, &resource);
    else
        result_failed(result, rc, err.text);
    arm_page_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOCATION_TEST("page", read_page,
                        "{\"value\":[{\"id\":\"/a\",\"location\":\"x\",\"tags\":{\"b\":\"c\"}}],"
                        "\"nextLink\":\"https://h\"}"),
        ALLOCATION_TEST("no_page", read_page, "{\"value\":[{\"location\":\"x\"}]}"),
        ALLOCATION_TEST("resource", read_resource, "{\"id\":\"/a\",\"tags\":{\"b\":\"c\"}}"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
