/*
 * The functions that ask the system for memory, in the place of the C library's, for the whole
 * program: its own calls, those of its libraries, and those that the C library makes on behalf of
 * either (vasprintf(), opendir(), qsort()). See allocation.h.
 *
 * To be included by one source file of a program. In the archive of test helpers they would take
 * the place of the C library's in every test.
 */
#ifndef KEYROTATED_TESTS_ALLOCATION_HOOKS_H
#define KEYROTATED_TESTS_ALLOCATION_HOOKS_H

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "allocation.h"

/* The functions that really allocate. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ORIGINAL(name) __interceptor_##name
#else
#define ORIGINAL(name) __libc_##name
#endif
void *ORIGINAL(malloc)(size_t size);
void *ORIGINAL(calloc)(size_t count, size_t size);
void *ORIGINAL(realloc)(void *block, size_t size);
void *ORIGINAL(memalign)(size_t alignment, size_t size);
void ORIGINAL(free)(void *block);

/* The hooks run before a sanitizer is ready. */
#define UNSANITIZED __attribute__((no_sanitize("address", "thread", "undefined")))
#define CALLER      __builtin_return_address(0)

UNSANITIZED void *malloc(size_t size)
{
    if (!allocation_watched)
        return ORIGINAL(malloc)(size);
    return allocation_fails(CALLER) ? NULL : allocation_given(ORIGINAL(malloc)(size), CALLER);
}

UNSANITIZED void *calloc(size_t count, size_t size)
{
    if (!allocation_watched)
        return ORIGINAL(calloc)(count, size);
    return allocation_fails(CALLER) ? NULL
                                    : allocation_given(ORIGINAL(calloc)(count, size), CALLER);
}

UNSANITIZED void *realloc(void *block, size_t size)
{
    if (!allocation_watched)
        return ORIGINAL(realloc)(block, size);
    if (allocation_fails(CALLER))
        return NULL;
    allocation_taken(block);
    return allocation_given(ORIGINAL(realloc)(block, size), CALLER);
}

UNSANITIZED void *reallocarray(void *block, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    if (!allocation_watched)
        return ORIGINAL(realloc)(block, total);
    if (allocation_fails(CALLER))
        return NULL;
    allocation_taken(block);
    return allocation_given(ORIGINAL(realloc)(block, total), CALLER);
}

UNSANITIZED void free(void *block)
{
    if (allocation_watched)
        allocation_taken(block);
    ORIGINAL(free)(block);
}

UNSANITIZED void *aligned_alloc(size_t alignment, size_t size)
{
    if (!allocation_watched)
        return ORIGINAL(memalign)(alignment, size);
    return allocation_fails(CALLER) ? NULL
                                    : allocation_given(ORIGINAL(memalign)(alignment, size), CALLER);
}

UNSANITIZED int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    void *block = NULL;

    if (!allocation_watched)
        block = ORIGINAL(memalign)(alignment, size);
    else if (!allocation_fails(CALLER))
        block = allocation_given(ORIGINAL(memalign)(alignment, size), CALLER);
    if (!block)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

UNSANITIZED static char *copy(const char *text, size_t length, const void *caller)
{
    char *block;

    if (allocation_watched && allocation_copy_fails(caller))
        return NULL;
    block = ORIGINAL(malloc)(length + 1);
    if (!block)
        return NULL;
    memcpy(block, text, length);
    block[length] = '\0';
    return allocation_watched ? allocation_given(block, caller) : block;
}

UNSANITIZED char *strdup(const char *text)
{
    return copy(text, strlen(text), CALLER);
}

UNSANITIZED char *strndup(const char *text, size_t size)
{
    return copy(text, strnlen(text, size), CALLER);
}

/* These three have no other name in the C library. */
#define NEXT(name) (__extension__(__typeof__(name) *) dlsym(RTLD_NEXT, #name))

UNSANITIZED void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *pages;

    if (!allocation_watched)
        return NEXT(mmap)(address, size, protection, flags, fd, offset);
    if (allocation_fails(CALLER))
        return MAP_FAILED;
    pages = NEXT(mmap)(address, size, protection, flags, fd, offset);
    return pages == MAP_FAILED ? pages : allocation_given(pages, CALLER);
}

UNSANITIZED int munmap(void *pages, size_t size)
{
    if (allocation_watched)
        allocation_taken(pages);
    return NEXT(munmap)(pages, size);
}

UNSANITIZED int mlock(const void *pages, size_t size)
{
    return allocation_watched && allocation_fails(CALLER) ? -1 : NEXT(mlock)(pages, size);
}

#endif
