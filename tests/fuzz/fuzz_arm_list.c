/*
 * Pages of Resource Manager's lists: what is read of one can be used, and a link that may get a
 * token leads to the resource manager alone.
 */
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "proto/arm_list.h"

#define MANAGER "https://management.azure.com"

static void check_link(const char *link)
{
    struct err err = {.code = 0};

    if (arm_link_check(link, MANAGER, &err) != 0) {
        MUST(err.code != 0 && err.text[0] != '\0');
        return;
    }
    MUST(strncasecmp(link, MANAGER, strlen(MANAGER)) == 0);
    MUST(strchr("/?:", link[strlen(MANAGER)]) || link[strlen(MANAGER)] == '\0');
    MUST(!strpbrk(link, " \n#\\"));
    if (link[strlen(MANAGER)] == ':')
        MUST(strncmp(link + strlen(MANAGER), ":443", 4) == 0);
}

static void check_page(const struct arm_page *page)
{
    for (size_t i = 0; i < arm_page_count(page); i++) {
        struct arm_resource resource;
        const char *subscription = arm_page_subscription(page, i);

        arm_page_resource(page, i, &resource);
        MUST(resource.id[0] == '/' && resource.location && resource.tag_count <= ARM_TAGS_MAX);
        for (size_t t = 0; t < resource.tag_count; t++)
            MUST(resource.tags[t].name && resource.tags[t].value);
        MUST(!subscription || strspn(subscription, "0123456789abcdefABCDEF-") >= 36);
    }
    if (arm_page_next(page))
        check_link(arm_page_next(page));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arm_resource resource;
    struct arm_page *page;
    struct err err = {.code = 0};

    if (arm_page_read((const char *)data, size, &page, &err) == 0)
        check_page(page);
    else
        MUST(!page);
    arm_page_free(page);
    if (arm_resource_read((const char *)data, size, &page, &resource, &err) == 0)
        MUST(resource.id[0] == '/');
    arm_page_free(page);
    (void)arm_says_gone((const char *)data, size);
    return 0;
}
