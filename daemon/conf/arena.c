#include "conf/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16384 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    max_align_t data[];
};

struct release {
    struct release *next;
    void (*call)(void *object);
    void *object;
};

struct arena {
    struct block *blocks; /* newest first; new pieces come from the first block */
    struct release *releases;
    size_t given_out;
    size_t maximum;
    bool failed;
};

struct arena *arena_new(size_t maximum)
{
    struct arena *arena = calloc(1, sizeof(*arena));

    if (arena)
        arena->maximum = maximum;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct release *release = arena->releases; release; release = release->next)
        release->call(release->object);
    while (arena->blocks) {
        struct block *block = arena->blocks;

        arena->blocks = block->next;
        free(block);
    }
    free(arena);
}

static struct block *block_add(struct arena *arena, size_t size)
{
    size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct block *block = calloc(1, sizeof(*block) + capacity);

    if (!block)
        return NULL;
    block->size = capacity;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct block *block = arena->blocks;
    unsigned char *piece;

    if (size > arena->maximum - arena->given_out) {
        arena->failed = true;
        return NULL;
    }
    size = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    if (!block || block->size - block->used < size) {
        block = block_add(arena, size);
        if (!block) {
            arena->failed = true;
            return NULL;
        }
    }
    piece = (unsigned char *)block->data + block->used;
    block->used += size;
    arena->given_out +=
        size < arena->maximum - arena->given_out ? size : arena->maximum - arena->given_out;
    return piece;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        arena->failed = true;
        return NULL;
    }
    return arena_alloc(arena, count * size);
}

char *arena_dup_n(struct arena *arena, const char *text, size_t length)
{
    char *copy;

    if (!text)
        return NULL;
    copy = arena_alloc(arena, length + 1);
    if (copy)
        memcpy(copy, text, length);
    return copy;
}

char *arena_dup(struct arena *arena, const char *text)
{
    return !text ? NULL : arena_dup_n(arena, text, strlen(text));
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    char *copy;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    if (!text) {
        arena_fail(arena);
        return NULL;
    }
    copy = arena_dup(arena, text);
    free(text);
    return copy;
}

bool arena_on_free(struct arena *arena, void (*call)(void *object), void *object)
{
    struct release *release = arena_alloc(arena, sizeof(*release));

    if (!release) {
        call(object);
        return false;
    }
    release->call = call;
    release->object = object;
    release->next = arena->releases;
    arena->releases = release;
    return true;
}

void arena_fail(struct arena *arena)
{
    arena->failed = true;
}

bool arena_failed(const struct arena *arena)
{
    return arena->failed;
}
