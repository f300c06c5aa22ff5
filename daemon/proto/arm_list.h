/*
 * Lists of Azure Resource Manager: {"value": […], "nextLink": "https://…"}, page by page.
 */
#ifndef KEYROTATED_PROTO_ARM_LIST_H
#define KEYROTATED_PROTO_ARM_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
    ARM_PAGE_MAX = 16 * 1024 * 1024, /* bytes */
    ARM_LINK_MAX = 4096,
    ARM_TAGS_MAX = 64, /* Azure allows 50 */
};

struct arm_tag {
    const char *name;
    const char *value;
};

/* One resource of a list, as far as rules ask for it. Texts are borrowed from the page. */
struct arm_resource {
    const char *id;
    const char *location; /* "": it says none */
    struct arm_tag tags[ARM_TAGS_MAX];
    size_t tag_count;
};

struct arm_page;
struct json_object;

/* Reads a page. Returns 0; -EINVAL with err set: it is no such list (an item that is no object or
 * has no id is one reason, because it may be an account under care); or -ENOMEM. */
int arm_page_read(const char *body, size_t length, struct arm_page **ret_page, struct err *err);
/* The same for a document whose resources are in another member than "value". */
int arm_page_read_member(const char *body, size_t length, const char *member,
                         struct arm_page **ret_page, struct err *err);
void arm_page_free(struct arm_page *page);

/* The whole document. Borrowed. */
struct json_object *arm_page_document(const struct arm_page *page);
size_t arm_page_count(const struct arm_page *page);
/* The resource at that index. */
void arm_page_resource(const struct arm_page *page, size_t index, struct arm_resource *resource);
/* The id of the subscription at that index of a list of subscriptions; NULL: it is no GUID. */
const char *arm_page_subscription(const struct arm_page *page, size_t index);
/* The URL of the next page; NULL: this is the last one. */
const char *arm_page_next(const struct arm_page *page);

/* Reads one resource: the answer to a GET of its id. The texts live as long as *ret_page, which the
 * caller frees. Returns as arm_page_read() does. */
int arm_resource_read(const char *body, size_t length, struct arm_page **ret_page,
                      struct arm_resource *resource, struct err *err);

/* Reads the tags of a resource from their JSON object, in the same way. */
int arm_tags_read(const char *text, size_t length, struct arm_page **ret_page,
                  struct arm_resource *resource, struct err *err);

/*
 * May a token go to this URL of a next page? It has the scheme, host and port of
 * `resource_manager` (a URL without trailing slash), no user, no fragment, no control character and
 * no blank. Returns 0, or -EPERM with err set: it names the host alone, because the query can hold
 * the state of the list.
 */
int arm_link_check(const char *link, const char *resource_manager, struct err *err);

/* Does a 404 with this body say that the resource itself, or its group, is gone? One that speaks of
 * the subscription does not: the identity may have lost sight of it. */
bool arm_says_gone(const char *body, size_t length);

#endif
