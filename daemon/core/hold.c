#include "core/hold.h"

#include <string.h>

bool hold_is_on(const struct hold *hold, time_ms now)
{
    return hold->until > now;
}

/* The first hold that does not come before (account, id). */
static size_t lower_bound(const struct hold_list *list, const char *account, uint64_t id)
{
    size_t low = 0;
    size_t high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct hold *hold = list->items[middle];
        int order = strcmp(hold->account, account);

        if (order < 0 || (order == 0 && hold->id < id))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void find_next_end(struct hold_list *list)
{
    list->next_end = TIME_NEVER;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->until < list->next_end)
            list->next_end = list->items[i]->until;
}

void hold_list_place(struct hold_list *list, struct hold *hold)
{
    size_t at = lower_bound(list, hold->account, hold->id);

    memmove(list->items + at + 1, list->items + at, (list->count - at) * sizeof(struct hold *));
    list->items[at] = hold;
    if (list->count++ == 0 || hold->until < list->next_end)
        list->next_end = hold->until;
}

static struct hold *take(struct hold_list *list, size_t at)
{
    struct hold *hold = list->items[at];

    list->count--;
    memmove(list->items + at, list->items + at + 1, (list->count - at) * sizeof(struct hold *));
    find_next_end(list);
    return hold;
}

struct hold *hold_list_take(struct hold_list *list, uint64_t id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->id == id)
            return take(list, i);
    return NULL;
}

struct hold *hold_list_take_ended(struct hold_list *list, time_ms now)
{
    if (list->count == 0 || list->next_end > now)
        return NULL;
    for (size_t i = 0; i < list->count; i++)
        if (!hold_is_on(list->items[i], now))
            return take(list, i);
    return NULL;
}

const struct hold *hold_list_find(const struct hold_list *list, uint64_t id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->id == id)
            return list->items[i];
    return NULL;
}

struct hold *const *hold_list_scope(const struct hold_list *list, const char *account,
                                    size_t *ret_count)
{
    size_t first = lower_bound(list, account, 0);
    size_t count = 0;

    while (first + count < list->count && strcmp(list->items[first + count]->account, account) == 0)
        count++;
    *ret_count = count;
    return count > 0 ? list->items + first : NULL;
}

static bool ends_later(const struct hold *a, const struct hold *b)
{
    return a->until > b->until || (a->until == b->until && a->id < b->id);
}

const struct hold *hold_list_binding(const struct hold_list *list, const char *account, time_ms now)
{
    const struct hold *longest = NULL;

    if (list->count > 0)
        (void)hold_list_collect(list, account, now, &longest, 1);
    return longest;
}

/* Puts it where it belongs among those collected, unless it ends before all of them. */
static size_t insert(const struct hold *hold, const struct hold **holds, size_t count, size_t max)
{
    size_t at = count;

    while (at > 0 && ends_later(hold, holds[at - 1]))
        at--;
    if (at == max)
        return count;
    if (count == max)
        count--;
    memmove(holds + at + 1, holds + at, (count - at) * sizeof(*holds));
    holds[at] = hold;
    return count + 1;
}

size_t hold_list_collect(const struct hold_list *list, const char *account, time_ms now,
                         const struct hold **ret_holds, size_t max)
{
    const char *const scopes[] = {"", account};
    size_t found = 0;

    for (size_t scope = 0; scope < sizeof(scopes) / sizeof(scopes[0]); scope++) {
        size_t count;
        struct hold *const *holds = hold_list_scope(list, scopes[scope], &count);

        for (size_t i = 0; i < count; i++)
            if (hold_is_on(holds[i], now))
                found = insert(holds[i], ret_holds, found, max);
    }
    return found;
}
