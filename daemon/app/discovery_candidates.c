#include "app/discovery_candidates.h"

#include <stdlib.h>
#include <string.h>

#include "app/discovery_book.h"
#include "base/must.h"
#include "base/str.h"

void candidates_add(struct candidates *candidates, const char *key,
                    const struct arm_resource *resource)
{
    if (candidates->count == DISCOVERY_NEW_MAX)
        return;
    if (candidates->count == candidates->room) {
        candidates->room = candidates->room == 0 ? 64 : 2 * candidates->room;
        candidates->items =
            must(reallocarray(candidates->items, candidates->room, sizeof(*candidates->items)));
    }
    candidates->items[candidates->count++] =
        (struct candidate){.key = must_dup(key),
                           .id = must_dup(resource->id),
                           .location = must_dup(resource->location),
                           .tags = discovery_book_tags(resource)};
}

static void free_candidate(struct candidate *candidate)
{
    free(candidate->key);
    free(candidate->id);
    free(candidate->location);
    free(candidate->tags);
}

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct candidate *)left)->key, ((const struct candidate *)right)->key);
}

void candidates_sort(struct candidates *candidates)
{
    size_t kept = 0;

    if (candidates->count > 0)
        qsort(candidates->items, candidates->count, sizeof(*candidates->items), compare);
    for (size_t i = 0; i < candidates->count; i++) {
        if (kept > 0 && str_equal(candidates->items[kept - 1].key, candidates->items[i].key))
            free_candidate(&candidates->items[i]);
        else
            candidates->items[kept++] = candidates->items[i];
    }
    candidates->count = kept;
}

void candidates_done(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++)
        free_candidate(&candidates->items[i]);
    free(candidates->items);
    *candidates = (struct candidates){.count = 0};
}
