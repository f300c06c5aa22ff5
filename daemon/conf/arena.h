/*
 * Memory that is allocated in pieces and freed all at once.
 *
 * A configuration is thousands of small strings and arrays that end together. Pieces are zeroed. An
 * arena that ran out of memory or exceeded its maximum stays failed, so that a caller may check
 * once after many allocations; each piece can still be NULL.
 */
#ifndef KEYROTATED_CONF_ARENA_H
#define KEYROTATED_CONF_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* An arena that gives out at most `maximum` bytes, or NULL when memory is out. */
struct arena *arena_new(size_t maximum);

/* Calls the releases that were registered, last one first, and frees everything. NULL is fine. */
void arena_free(struct arena *arena);

/* A zeroed piece, aligned for any object, or NULL. Of 0 bytes: a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);

/* An array of `count` zeroed objects of `size` bytes, or NULL (also where the product overflows).
 */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);

/* Copies; NULL gives NULL. */
char *arena_dup(struct arena *arena, const char *text);
char *arena_dup_n(struct arena *arena, const char *text, size_t length);

/* A printf into the arena, or NULL. */
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Makes arena_free() call release(object), for an object outside the arena to which a piece refers.
 * Returns false when memory is out; release has then been called already.
 */
bool arena_on_free(struct arena *arena, void (*release)(void *object), void *object);

/* Marks the arena as failed, when memory for a later piece ran out elsewhere. */
void arena_fail(struct arena *arena);

/* Did any allocation fail? */
bool arena_failed(const struct arena *arena);

#endif
