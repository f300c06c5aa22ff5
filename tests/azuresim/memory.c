#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *block)
{
    if (!block) {
        fputs("azuresim: out of memory\n", stderr);
        abort();
    }
    return block;
}

void *memory_zeroed(size_t count, size_t size)
{
    return or_abort(calloc(count, size));
}

void *memory_resized(void *block, size_t count, size_t size)
{
    return or_abort(reallocarray(block, count, size));
}

char *memory_text(const char *text)
{
    return !text ? NULL : or_abort(strdup(text));
}

char *memory_text_n(const char *bytes, size_t length)
{
    char *copy = memory_zeroed(length + 1, 1);

    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

char *memory_printf(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return or_abort(text);
}
