/*
 * An intrusive doubly linked list with a head that is part of the ring.
 *
 * A member embeds a `struct list`; container_of() leads back to it. Removing while walking is safe
 * with list_for_each() and list_for_each_entry(), which fetch the successor first.
 */
#ifndef KEYROTATED_BASE_LIST_H
#define KEYROTATED_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_append(struct list *head, struct list *item)
{
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}

/* Takes the item out of whatever list it is in; removing it twice is harmless. */
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

/* Removes and returns the first item, or NULL. */
static inline struct list *list_pop(struct list *head)
{
    struct list *item = head->next;

    if (item == head)
        return NULL;
    list_remove(item);
    return item;
}

#define list_for_each(item, head)                                                                  \
    for (struct list *item = (head)->next, *item##_next = item->next; item != (head);              \
         item = item##_next, item##_next = item->next)

/* The same over the members themselves: `type` is theirs, `member` the link in them. */
#define list_for_each_entry(entry, head, type, member)                                             \
    for (type *entry = container_of((head)->next, type, member),                                   \
              *entry##_next = container_of(entry->member.next, type, member);                      \
         &entry->member != (head);                                                                 \
         entry = entry##_next, entry##_next = container_of(entry->member.next, type, member))

#endif
