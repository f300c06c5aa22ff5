/*
 * The daemon without the measures that keep its memory free of traces: linked in the place of
 * base/wipe.c and base/sealed.c, it gives the program that the memory test has to convict. The
 * programs that are installed have no such switch.
 *
 * What is given back stays allocated here. In memory that malloc() hands out again, a later use
 * can write over a trace before the search comes, and the test would convict on some days only.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/sealed.h"
#include "base/wipe.h"

void wipe(void *bytes, size_t length)
{
    (void)bytes;
    (void)length;
}

void wiping_free(void *memory)
{
    (void)memory;
}

void *wiping_realloc(void *memory, size_t size)
{
    char *larger = malloc(size > 0 ? size : 1);
    size_t usable = malloc_usable_size(memory);
    if (larger && memory) {
        memcpy(larger, memory, size < usable ? size : usable);
    }
    return larger;
}

void wipe_unused_stack(void)
{
}

/* What is sealed is the secret itself. */

struct sealed *sealed_new(const struct secret *secret)
{
    return (struct sealed *)(void *)secret_clone(secret);
}

struct secret *sealed_open(const struct sealed *sealed)
{
    return secret_clone((const struct secret *)(const void *)sealed);
}

void sealed_free(struct sealed *sealed)
{
    secret_free((struct secret *)(void *)sealed);
}
