#include "app/hold_book.h"

#include <errno.h>
#include <stdlib.h>

enum { ROOM_MIN = 8 };

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

int hold_book_add(struct hold_list *list, const struct hold *hold)
{
    struct hold *copy;

    if (list->count == HOLDS_MAX)
        return -ENOSPC;
    if (make_room(list) != 0)
        return -ENOMEM;
    copy = malloc(sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *copy = *hold;
    hold_list_place(list, copy);
    return 0;
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
