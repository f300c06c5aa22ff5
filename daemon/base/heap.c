#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>

enum { ROOM_MIN = 64 };

static void put(struct heap *heap, struct heap_item *item, size_t place)
{
    heap->items[place - 1] = item;
    item->place = place;
}

static void rise(struct heap *heap, struct heap_item *item)
{
    size_t place = item->place;

    while (place > 1 && item->at < heap->items[place / 2 - 1]->at) {
        put(heap, heap->items[place / 2 - 1], place);
        place /= 2;
    }
    put(heap, item, place);
}

static void sink(struct heap *heap, struct heap_item *item)
{
    size_t place = item->place;

    while (2 * place <= heap->count) {
        size_t child = 2 * place;

        if (child < heap->count && heap->items[child]->at < heap->items[child - 1]->at)
            child++;
        if (item->at <= heap->items[child - 1]->at)
            break;
        put(heap, heap->items[child - 1], place);
        place = child;
    }
    put(heap, item, place);
}

static void settle(struct heap *heap, struct heap_item *item)
{
    rise(heap, item);
    sink(heap, item);
}

static void take_out(struct heap *heap, struct heap_item *item)
{
    struct heap_item *last;

    if (item->place == 0)
        return;
    last = heap->items[--heap->count];
    if (last != item) {
        put(heap, last, item->place);
        settle(heap, last);
    }
    item->place = 0;
}

static int make_room(struct heap *heap)
{
    size_t room = heap->room > 0 ? 2 * heap->room : ROOM_MIN;
    struct heap_item **items;

    if (heap->count < heap->room)
        return 0;
    items = reallocarray(heap->items, room, sizeof(struct heap_item *));
    if (!items)
        return -ENOMEM;
    heap->items = items;
    heap->room = room;
    return 0;
}

int heap_set(struct heap *heap, struct heap_item *item, time_ms at)
{
    item->at = at;
    if (at == TIME_NEVER) {
        take_out(heap, item);
        return 0;
    }
    if (item->place == 0) {
        if (make_room(heap) != 0)
            return -ENOMEM;
        put(heap, item, ++heap->count);
    }
    settle(heap, item);
    return 0;
}

struct heap_item *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}

void heap_done(struct heap *heap)
{
    free(heap->items);
    *heap = (struct heap){0};
}
