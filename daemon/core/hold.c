#include "core/hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 8 };

void hold_list_done(struct hold_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct hold_list){0};
}

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

static int make_room(struct hold_list *list)
{
    size_t room = list->room == 0 ? ROOM_MIN : list->room * 2;
    struct hold **items;

    if (list->count < list->room)
        return 0;
    items = realloc(list->items, room * sizeof(struct hold *));
    if (!items)
        return -ENOMEM;
    list->items = items;
    list->room = room;
    return 0;
}

int hold_list_add(struct hold_list *list, const struct hold *hold)
{
    size_t at = lower_bound(list, hold->account, hold->id);
    struct hold *copy;

    if (list->count == HOLDS_MAX)
        return -ENOSPC;
    if (make_room(list) != 0)
        return -ENOMEM;
    copy = malloc(sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *copy = *hold;
    memmove(list->items + at + 1, list->items + at, (list->count - at) * sizeof(struct hold *));
    list->items[at] = copy;
    if (list->count++ == 0 || hold->until < list->next_end)
        list->next_end = hold->until;
    return 0;
}

static void remove_at(struct hold_list *list, size_t at)
{
    free(list->items[at]);
    list->count--;
    memmove(list->items + at, list->items + at + 1, (list->count - at) * sizeof(struct hold *));
}

bool hold_list_remove(struct hold_list *list, uint64_t id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->id != id)
            continue;
        remove_at(list, i);
        find_next_end(list);
        return true;
    }
    return false;
}

size_t hold_list_expire(struct hold_list *list, time_ms now, uint64_t *ret_ids, size_t max)
{
    size_t count = 0;

    if (list->count == 0 || list->next_end > now)
        return 0;
    for (size_t i = 0; i < list->count && count < max;) {
        if (hold_is_on(list->items[i], now)) {
            i++;
            continue;
        }
        ret_ids[count++] = list->items[i]->id;
        remove_at(list, i);
    }
    find_next_end(list);
    return count;
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
