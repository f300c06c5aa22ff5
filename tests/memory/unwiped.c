/*
 * The daemon without the measures that keep its memory free of traces: linked in the place of
 * base/wipe.c and base/sealed.c, it gives the program that the memory test has to convict. The
 * programs that are installed have no such switch.
 */
#include <stdlib.h>

#include "base/sealed.h"
#include "base/wipe.h"

void wipe(void *bytes, size_t length)
{
    (void)bytes;
    (void)length;
}

void wiping_free(void *memory)
{
    free(memory);
}

void *wiping_realloc(void *memory, size_t size)
{
    return realloc(memory, size > 0 ? size : 1);
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
