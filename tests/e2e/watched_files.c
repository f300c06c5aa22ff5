/*
 * Watches which files a daemon opens: preloaded (LD_PRELOAD) into keyrotated, it appends a line
 * "FUNCTION PATH" to the file $WATCHED_LOG, where that exists, for each file that is opened or
 * looked at on the thread of the loop. For as long as the file $WATCHED_HANG exists, calls for
 * paths with "/hangs/" in them do not return, on whatever thread.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Of ours, without the functions below. */
static bool exists(const char *variable)
{
    const char *path = getenv(variable);

    return path && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

static void note(const char *function, const char *path)
{
    char line[512];
    const int length = snprintf(line, sizeof(line), "%s %s\n", function, path);
    const char *log = getenv("WATCHED_LOG");
    const long fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!write((int)fd, line, (size_t)length);
    (void)close((int)fd);
}

static void watch(const char *function, const char *path)
{
    const int kept = errno;
    const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};

    if (path && gettid() == getpid() && exists("WATCHED_LOG"))
        note(function, path);
    while (path && strstr(path, "/hangs/") && exists("WATCHED_HANG"))
        (void)nanosleep(&moment, NULL);
    errno = kept;
}

static int open_as(const char *function, int directory, const char *path, int flags, mode_t mode)
{
    watch(function, path);
    return (int)syscall(SYS_openat, directory, path, flags, mode);
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list arguments;                                                                         \
        mode_t mode = 0;                                                                           \
                                                                                                   \
        va_start(arguments, flags);                                                                \
        if (flags & (O_CREAT | __O_TMPFILE))                                                       \
            mode = va_arg(arguments, mode_t);                                                      \
        va_end(arguments);                                                                         \
        return open_as(#name, AT_FDCWD, path, flags, mode);                                        \
    }

#define OPENAT(name)                                                                               \
    int name(int directory, const char *path, int flags, ...)                                      \
    {                                                                                              \
        va_list arguments;                                                                         \
        mode_t mode = 0;                                                                           \
                                                                                                   \
        va_start(arguments, flags);                                                                \
        if (flags & (O_CREAT | __O_TMPFILE))                                                       \
            mode = va_arg(arguments, mode_t);                                                      \
        va_end(arguments);                                                                         \
        return open_as(#name, directory, path, flags, mode);                                       \
    }

#define FOPEN(name)                                                                                \
    FILE *name(const char *path, const char *mode)                                                 \
    {                                                                                              \
        FILE *(*real)(const char *, const char *);                                                 \
        void *found = dlsym(RTLD_NEXT, #name);                                                     \
                                                                                                   \
        memcpy(&real, &found, sizeof(real));                                                       \
        watch(#name, path);                                                                        \
        return real(path, mode);                                                                   \
    }

#define STAT(name, suffix, flags)                                                                  \
    int name##suffix(const char *path, struct stat##suffix *out)                                   \
    {                                                                                              \
        watch(#name, path);                                                                        \
        return fstatat##suffix(AT_FDCWD, path, out, flags);                                        \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)
STAT(stat, , 0)
STAT(stat, 64, 0)
STAT(lstat, , AT_SYMLINK_NOFOLLOW)
STAT(lstat, 64, AT_SYMLINK_NOFOLLOW)

int access(const char *path, int mode)
{
    watch("access", path);
    return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}
