#include "app/discovery_scopes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/must.h"
#include "base/str.h"

void scopes_add(struct scopes *scopes, const char *subscription, bool visible)
{
    if (scopes->count == scopes->room) {
        scopes->room = scopes->room == 0 ? 16 : 2 * scopes->room;
        scopes->items = must(reallocarray(scopes->items, scopes->room, sizeof(*scopes->items)));
    }
    scopes->items[scopes->count++] =
        (struct scope){.id = must_dup(subscription), .visible = visible};
}

static int compare(const void *left, const void *right)
{
    return strcasecmp(((const struct scope *)left)->id, ((const struct scope *)right)->id);
}

void scopes_sort(struct scopes *scopes)
{
    size_t kept = 0;

    if (scopes->count > 0)
        qsort(scopes->items, scopes->count, sizeof(*scopes->items), compare);
    for (size_t i = 0; i < scopes->count; i++) {
        if (kept > 0 && compare(&scopes->items[kept - 1], &scopes->items[i]) == 0) {
            scopes->items[kept - 1].visible |= scopes->items[i].visible;
            free(scopes->items[i].id);
            continue;
        }
        scopes->items[kept++] = scopes->items[i];
    }
    scopes->count = kept;
}

void scopes_done(struct scopes *scopes)
{
    for (size_t i = 0; i < scopes->count; i++)
        free(scopes->items[i].id);
    free(scopes->items);
    *scopes = (struct scopes){.count = 0};
}

struct scope *scopes_find(const struct scopes *scopes, const char *subscription)
{
    const struct scope wanted = {.id = (char *)subscription};

    return scopes->count == 0
               ? NULL
               : bsearch(&wanted, scopes->items, scopes->count, sizeof(*scopes->items), compare);
}

char *scope_subscription(const char *resource_id)
{
    static const char before[] = "/subscriptions/";
    const size_t skipped = str_starts_with_nocase(resource_id, before) ? strlen(before) : 0;

    return must(str_dup_n(resource_id + skipped, strcspn(resource_id + skipped, "/")));
}

struct scope *scopes_of(const struct scopes *scopes, const char *resource_id)
{
    char *subscription = scope_subscription(resource_id);
    struct scope *scope = scopes_find(scopes, subscription);

    free(subscription);
    return scope;
}
