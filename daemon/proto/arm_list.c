#include "proto/arm_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/linkhash.h>

#include "base/json.h"
#include "base/str.h"
#include "proto/cloud_error.h"

enum { GUID_LENGTH = 36, ID_LENGTH_MAX = 1024 };

struct arm_page {
    struct json_object *document;
    struct json_object *items; /* NULL: the document is one resource */
};

static int no_list(struct err *err, const char *what)
{
    return err_set(err, -EINVAL, "%s", what);
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static bool has_id(struct json_object *item)
{
    const char *id = json_string(item, "id");

    return id && id[0] == '/' && strlen(id) <= ID_LENGTH_MAX && is_printable(id);
}

static int check_document(struct json_object *document, struct json_object *items,
                          const char *member, struct err *err)
{
    struct json_object *next = json_member(document, "nextLink");
    const char *link = json_string(document, "nextLink");

    if (!json_object_is_type(items, json_type_array))
        return err_set(err, -EINVAL, "its member \"%s\" is missing or no list", member);
    if (next && !link)
        return no_list(err, "its nextLink is no text");
    if (link && strlen(link) > ARM_LINK_MAX)
        return no_list(err, "its nextLink is too long");
    for (size_t i = 0; i < json_object_array_length(items); i++)
        if (!has_id(json_object_array_get_idx(items, i)))
            return no_list(err, "one of its items has no id that can be used");
    return 0;
}

/* NULL with err set: it is no JSON, or memory is out. */
static struct arm_page *page_new(const char *text, size_t length, struct err *err)
{
    struct arm_page *page;
    struct json_object *document = json_parse_foreign(text, length, err);

    if (!document)
        return NULL;
    page = calloc(1, sizeof(*page));
    if (!page) {
        json_object_put(document);
        err_set(err, -ENOMEM, "out of memory");
        return NULL;
    }
    page->document = document;
    return page;
}

void arm_page_free(struct arm_page *page)
{
    if (!page)
        return;
    json_object_put(page->document);
    free(page);
}

/* Keeps a page that is good. */
static int keep(struct arm_page *page, int rc, struct arm_page **ret_page)
{
    *ret_page = rc == 0 ? page : NULL;
    if (rc != 0)
        arm_page_free(page);
    return rc;
}

static int code_of(const struct err *err)
{
    return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
}

int arm_page_read_member(const char *body, size_t length, const char *member,
                         struct arm_page **ret_page, struct err *err)
{
    struct arm_page *page = page_new(body, length, err);

    *ret_page = NULL;
    if (!page)
        return code_of(err);
    page->items = json_member(page->document, member);
    return keep(page, check_document(page->document, page->items, member, err), ret_page);
}

int arm_page_read(const char *body, size_t length, struct arm_page **ret_page, struct err *err)
{
    return arm_page_read_member(body, length, "value", ret_page, err);
}

struct json_object *arm_page_document(const struct arm_page *page)
{
    return page->document;
}

size_t arm_page_count(const struct arm_page *page)
{
    return json_object_array_length(page->items);
}

const char *arm_page_next(const struct arm_page *page)
{
    const char *link = json_string(page->document, "nextLink");

    return link && link[0] != '\0' ? link : NULL;
}

static void read_tags(struct json_object *tags, struct arm_resource *resource)
{
    if (!json_object_is_type(tags, json_type_object))
        return;
    json_object_object_foreach(tags, name, value)
    {
        struct arm_tag *tag = &resource->tags[resource->tag_count];

        if (resource->tag_count == ARM_TAGS_MAX || !json_object_is_type(value, json_type_string))
            continue;
        tag->name = name;
        tag->value = json_string(tags, name);
        resource->tag_count += !!tag->value;
    }
}

static void read_resource(struct json_object *item, struct arm_resource *resource)
{
    const char *location = json_string(item, "location");

    *resource =
        (struct arm_resource){.id = json_string(item, "id"), .location = location ? location : ""};
    read_tags(json_member(item, "tags"), resource);
}

void arm_page_resource(const struct arm_page *page, size_t index, struct arm_resource *resource)
{
    read_resource(json_object_array_get_idx(page->items, index), resource);
}

static bool is_guid(const char *text)
{
    return strlen(text) == GUID_LENGTH && strspn(text, "0123456789abcdefABCDEF-") == GUID_LENGTH &&
           text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

const char *arm_page_subscription(const struct arm_page *page, size_t index)
{
    static const char before[] = "/subscriptions/";
    const char *id = json_string(json_object_array_get_idx(page->items, index), "id");

    if (!str_starts_with_nocase(id, before) || !is_guid(id + strlen(before)))
        return NULL;
    return id + strlen(before);
}

int arm_resource_read(const char *body, size_t length, struct arm_page **ret_page,
                      struct arm_resource *resource, struct err *err)
{
    struct arm_page *page = page_new(body, length, err);

    *ret_page = NULL;
    if (!page)
        return code_of(err);
    if (!has_id(page->document))
        return keep(page, no_list(err, "it has no id that can be used"), ret_page);
    read_resource(page->document, resource);
    return keep(page, 0, ret_page);
}

int arm_tags_read(const char *text, size_t length, struct arm_page **ret_page,
                  struct arm_resource *resource, struct err *err)
{
    struct arm_page *page = page_new(text, length, err);

    *resource = (struct arm_resource){.id = "", .location = ""};
    *ret_page = page;
    if (!page)
        return code_of(err);
    read_tags(page->document, resource);
    return 0;
}

/* --- where a list may go on --- */

/* The length of "https://host:port". */
static size_t origin_length(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

static bool is_prefix_nocase(const char *text, const char *prefix, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char a[2] = {text[i], '\0'};
        char b[2] = {prefix[i], '\0'};

        if (text[i] == '\0' || !str_equal_nocase(a, b))
            return false;
    }
    return true;
}

/* ":443" of https and ":80" of http say nothing. */
static size_t without_default_port(const char *url, size_t length)
{
    const char *port = str_starts_with_nocase(url, "https://") ? ":443" : ":80";
    const size_t port_length = strlen(port);

    return length > port_length && strncmp(url + length - port_length, port, port_length) == 0
               ? length - port_length
               : length;
}

int arm_link_check(const char *link, const char *resource_manager, struct err *err)
{
    const size_t length = origin_length(link);
    const size_t wanted = origin_length(resource_manager);
    const size_t compared = without_default_port(link, length);

    if (!is_printable(link) || strchr(link, '#') || strchr(link, '\\') || length == 0)
        return err_set(err, -EPERM, "the list goes on at what is no URL");
    if (compared == without_default_port(resource_manager, wanted) &&
        is_prefix_nocase(link, resource_manager, compared))
        return 0;
    return err_set(err, -EPERM,
                   "the list goes on at %.*s, which is not the resource manager of the "
                   "configuration: it gets no token",
                   (int)(length < 200 ? length : 200), link);
}

bool arm_says_gone(const char *body, size_t length)
{
    static const char *const codes[] = {"ResourceNotFound", "ResourceGroupNotFound",
                                        "AccountNotFound", "NotFound"};
    struct cloud_error error;

    if (!cloud_error_parse(&error, body, length) ||
        cloud_error_find(&error, "SubscriptionNotFound"))
        return false;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (cloud_error_find(&error, codes[i]))
            return true;
    return false;
}
