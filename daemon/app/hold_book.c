#include "app/hold_book.h"

#include <stdlib.h>

#include "base/must.h"

enum { ROOM_MIN = 8 };

static void make_room(struct hold_list *list)
{
    if (list->count < list->room)
        return;
    list->room = list->room == 0 ? ROOM_MIN : list->room * 2;
    list->items = must(realloc(list->items, list->room * sizeof(struct hold *)));
}

bool hold_book_add(struct hold_list *list, const struct hold *hold)
{
    struct hold *copy;

    if (list->count == HOLDS_MAX)
        return false;
    make_room(list);
    copy = must_alloc(sizeof(*copy));
    *copy = *hold;
    hold_list_place(list, copy);
    return true;
}

bool hold_book_remove(struct hold_list *list, uint64_t id)
{
    struct hold *hold = hold_list_take(list, id);

    free(hold);
    return !!hold;
}

size_t hold_book_expire(struct hold_list *list, time_ms now, uint64_t *ret_ids, size_t max)
{
    struct hold *hold;
    size_t count = 0;

    while (count < max && (hold = hold_list_take_ended(list, now))) {
        ret_ids[count++] = hold->id;
        free(hold);
    }
    return count;
}

void hold_book_done(struct hold_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct hold_list){0};
}
