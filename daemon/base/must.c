#include "base/must.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

enum { EXIT_OUT_OF_MEMORY = 70 };

static void (*on_end)(void *context);
static void *end_context;

_Noreturn void fault_out_of_memory(void)
{
    static const char text[] = "out of memory: stopping at once\n";
    void (*ended)(void *) = on_end;

    on_end = NULL;
    if (ended)
        ended(end_context);
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(EXIT_OUT_OF_MEMORY);
}

void fault_on_out_of_memory(void (*ended)(void *context), void *context)
{
    on_end = ended;
    end_context = context;
}

void *must(void *memory)
{
    if (!memory)
        fault_out_of_memory();
    return memory;
}

void *must_alloc(size_t size)
{
    return must(calloc(1, size));
}

void *must_alloc_array(size_t count, size_t size)
{
    return must(calloc(count > 0 ? count : 1, size));
}

char *must_dup(const char *text)
{
    return text ? must(str_dup(text)) : NULL;
}
