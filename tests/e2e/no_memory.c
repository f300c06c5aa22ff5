/*
 * Takes memory away from a daemon: preloaded (LD_PRELOAD) into keyrotated, it refuses one calloc()
 * of the daemon's own code on its loop each time that the file $NO_MEMORY_ONCE appears, and removes
 * the file.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_calloc(size_t count, size_t size);

static bool is_daemons(const void *caller)
{
    static const char name[] = "/keyrotated";
    Dl_info place;
    size_t length;

    if (gettid() != getpid() || dladdr(caller, &place) == 0 || !place.dli_fname)
        return false;
    length = strlen(place.dli_fname);
    return length >= sizeof(name) - 1 &&
           strcmp(place.dli_fname + length - (sizeof(name) - 1), name) == 0;
}

void *calloc(size_t count, size_t size)
{
    static bool busy; /* dladdr() may ask for memory itself */
    const char *file = busy ? NULL : getenv("NO_MEMORY_ONCE");
    bool refused = false;

    busy = true;
    if (file && is_daemons(__builtin_return_address(0)))
        refused = unlink(file) == 0;
    busy = false;
    if (!refused)
        return __libc_calloc(count, size);
    errno = ENOMEM;
    return NULL;
}
