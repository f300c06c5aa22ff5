/*
 * A binary heap of items, ordered by the instant of each.
 *
 * An item is embedded in its owner; container_of() (base/list.h) leads back to the owner. A zeroed
 * item is in no heap; a zeroed heap is empty. Setting and removing take a logarithmic number of
 * steps.
 */
#ifndef KEYROTATED_BASE_HEAP_H
#define KEYROTATED_BASE_HEAP_H

#include <stddef.h>

#include "base/time.h"

struct heap_item {
    time_ms at;
    size_t place; /* in the heap, counted from 1; 0: in none */
};

struct heap {
    struct heap_item **items;
    size_t count;
    size_t room;
};

/* Inserts the item, or moves it, to the place of `at`. TIME_NEVER removes it. Returns 0, or -ENOMEM
 * (then the item is in no heap). */
int heap_set(struct heap *heap, struct heap_item *item, time_ms at);
/* The one with the earliest instant, or NULL. */
struct heap_item *heap_first(const struct heap *heap);
/* Frees the memory of the heap. Its items are the caller's. */
void heap_done(struct heap *heap);

#endif
