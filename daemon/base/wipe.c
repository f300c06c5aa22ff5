#include "base/wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Larger than the stack use of all code that handles secrets, TLS included; much smaller than the
 * smallest thread stack of this program. */
enum { STACK_DEPTH = 48 * 1024 };

void wipe(void *bytes, size_t length)
{
    if (bytes && length > 0)
        explicit_bzero(bytes, length);
}

void wiping_free(void *memory)
{
    if (!memory)
        return;
    wipe(memory, malloc_usable_size(memory));
    free(memory);
}

void *wiping_realloc(void *memory, size_t size)
{
    void *const other = malloc(size > 0 ? size : 1);
    size_t kept;

    if (!other || !memory)
        return other;
    kept = malloc_usable_size(memory);
    memcpy(other, memory, kept < size ? kept : size);
    wiping_free(memory);
    return other;
}

/* Instrumentation would keep a distance between the variable and what lies above it. */
__attribute__((noinline, no_sanitize_address)) void wipe_unused_stack(void)
{
    char unused[STACK_DEPTH];

    wipe(unused, sizeof(unused));
}
