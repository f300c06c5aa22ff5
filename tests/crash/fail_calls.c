/*
 * Makes system calls of one process fail, or kills it at them: preloaded (LD_PRELOAD) into the real
 * daemon by the crash campaign, and told by its environment what to do.
 *
 *   FAIL_BELOW   a directory: only calls on it, or on what is in it, are counted
 *   FAIL_CALLS   which calls: names with commas between them, or "any"
 *   FAIL_AT      a number k: it is the k-th of these calls, beginning with 1
 *   FAIL_HOW     EIO, ENOSPC, EROFS  the call does nothing, and says so
 *                full                half of it is written, and the next call gets ENOSPC
 *                kill-before         the process is dead before the call has an effect
 *                kill-amid           it is dead when half of it is written
 *                kill-after          it is dead before it learns the result
 *                stop                it is stopped (SIGSTOP) right before the call, which is then
 * made FAIL_WHILE   a file: as long as it is there, all calls after the k-th fail as well
 *   FAIL_REPORT  a file: gets a line when the k-th call is reached
 *
 * The names are open (openat and mkostemps too), read, pread, write, pwrite, fsync, fdatasync,
 * ftruncate, fchmod, rename and unlink (unlinkat too).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == sizeof(off64_t), "both forms of a call are one function here");

/* What is to happen to the call at hand. */
enum treatment { LEAVE, FAIL, HALVE, KILL_AMID, KILL_AFTER };

enum how { HOW_ERRNO, HOW_FULL, HOW_KILL_BEFORE, HOW_KILL_AMID, HOW_KILL_AFTER, HOW_STOP };

static struct {
    bool armed;
    const char *below;
    const char *calls;
    unsigned long at;
    enum how how;
    int error;
    const char *as_long_as; /* NULL: once */
    const char *report;
} plan;

static atomic_ulong calls_counted;

/* --- the plan --- */

static const struct {
    const char *name;
    enum how how;
    int error;
} ways[] = {
    {"EIO", HOW_ERRNO, EIO},
    {"ENOSPC", HOW_ERRNO, ENOSPC},
    {"EROFS", HOW_ERRNO, EROFS},
    {"full", HOW_FULL, ENOSPC},
    {"kill-before", HOW_KILL_BEFORE, 0},
    {"kill-amid", HOW_KILL_AMID, 0},
    {"kill-after", HOW_KILL_AFTER, 0},
    {"stop", HOW_STOP, 0},
};

static _Noreturn void refuse_plan(const char *what)
{
    fprintf(stderr, "fail_calls: %s\n", what);
    _exit(64);
}

static bool read_way(const char *name)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(ways[i].name, name) == 0) {
            plan.how = ways[i].how;
            plan.error = ways[i].error;
            return true;
        }
    }
    return false;
}

__attribute__((constructor)) static void read_plan(void)
{
    const char *at = getenv("FAIL_AT");
    const char *how = getenv("FAIL_HOW");

    plan.below = getenv("FAIL_BELOW");
    plan.calls = getenv("FAIL_CALLS");
    plan.as_long_as = getenv("FAIL_WHILE");
    plan.report = getenv("FAIL_REPORT");
    plan.at = at ? strtoul(at, NULL, 10) : 0;
    if (plan.at == 0 || !plan.below || !plan.calls || !plan.report)
        refuse_plan("FAIL_AT, FAIL_BELOW, FAIL_CALLS and FAIL_REPORT have to be set");
    if (!how || !read_way(how))
        refuse_plan("FAIL_HOW is none of the words it may be");
    plan.armed = true;
}

/* --- which call it is --- */

static bool is_meant(const char *call)
{
    const size_t length = strlen(call);
    const char *name = plan.calls;

    if (strcmp(name, "any") == 0)
        return true;
    while ((name = strstr(name, call))) {
        if ((name == plan.calls || name[-1] == ',') &&
            (name[length] == '\0' || name[length] == ','))
            return true;
        name += length;
    }
    return false;
}

static bool is_below(const char *path)
{
    const size_t length = strlen(plan.below);

    return strncmp(path, plan.below, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool path_of(int fd, char path[PATH_MAX])
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return false;
    path[length] = '\0';
    return true;
}

/* --- what happens to it --- */

static _Noreturn void die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

/* Streams of the C library bypass these functions. */
static void report(unsigned long number, const char *call, const char *path)
{
    const int saved_errno = errno;
    FILE *file = fopen(plan.report, "a");

    if (!file)
        refuse_plan(plan.report);
    fprintf(file, "%lu %s %s\n", number, call, path);
    fclose(file);
    errno = saved_errno;
}

static bool is_over(void)
{
    const int saved_errno = errno;
    const bool over = plan.as_long_as && access(plan.as_long_as, F_OK) != 0;

    errno = saved_errno;
    return over;
}

static enum treatment treat(const char *call, const char *path)
{
    unsigned long number;

    if (!plan.armed || !is_meant(call) || !is_below(path))
        return LEAVE;
    number = atomic_fetch_add(&calls_counted, 1) + 1;
    if (number < plan.at || is_over())
        return LEAVE;
    if (number > plan.at) {
        const bool rest_of_write = plan.how == HOW_FULL && number == plan.at + 1;

        return plan.error != 0 && (plan.as_long_as || rest_of_write) ? FAIL : LEAVE;
    }

    report(number, call, path);
    switch (plan.how) {
    case HOW_ERRNO:
        return FAIL;
    case HOW_FULL:
        return HALVE;
    case HOW_KILL_BEFORE:
        die();
    case HOW_KILL_AMID:
        return KILL_AMID;
    case HOW_KILL_AFTER:
        return KILL_AFTER;
    case HOW_STOP:
        (void)raise(SIGSTOP);
        return LEAVE;
    }
    return LEAVE;
}

static enum treatment treat_fd(const char *call, int fd)
{
    const int saved_errno = errno;
    char path[PATH_MAX];
    bool known = plan.armed && path_of(fd, path);

    errno = saved_errno;
    return known ? treat(call, path) : LEAVE;
}

/* True: the call is not made. Only writes can be made by half. */
static bool refused(enum treatment treatment)
{
    if (treatment != FAIL && treatment != HALVE)
        return false;
    errno = plan.error;
    return true;
}

static long done(enum treatment treatment, long result)
{
    if (treatment == KILL_AMID || treatment == KILL_AFTER)
        die();
    return result;
}

static size_t share(enum treatment treatment, size_t count)
{
    return (treatment == HALVE || treatment == KILL_AMID) && count > 1 ? count / 2 : count;
}

/* --- the calls --- */

static int open_at(int directory_fd, const char *path, int flags, mode_t mode)
{
    const enum treatment treatment = directory_fd == AT_FDCWD || *path == '/'
                                         ? treat("open", path)
                                         : treat_fd("open", directory_fd);

    if (refused(treatment))
        return -1;
    return (int)done(treatment, syscall(SYS_openat, directory_fd, path, flags, mode));
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int directory_fd, const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return open_at(directory_fd, path, flags, mode);
}

/* The C library's mkostemp() opens the file without calling these functions. */
int mkostemps(char *pattern, int suffix_length, int flags)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
    char *random = pattern + strlen(pattern) - suffix_length - strlen("XXXXXX");

    if (getrandom(random, strlen("XXXXXX"), 0) != (ssize_t)strlen("XXXXXX"))
        return -1;
    for (size_t i = 0; i < strlen("XXXXXX"); i++)
        random[i] = letters[(unsigned char)random[i] % (sizeof(letters) - 1)];
    return open_at(AT_FDCWD, pattern, flags | O_RDWR | O_CREAT | O_EXCL, 0600);
}

ssize_t read(int fd, void *bytes, size_t count)
{
    const enum treatment treatment = treat_fd("read", fd);

    return refused(treatment) ? -1 : done(treatment, syscall(SYS_read, fd, bytes, count));
}

ssize_t pread(int fd, void *bytes, size_t count, off_t offset)
{
    const enum treatment treatment = treat_fd("pread", fd);

    return refused(treatment) ? -1
                              : done(treatment, syscall(SYS_pread64, fd, bytes, count, offset));
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    const enum treatment treatment = treat_fd("write", fd);

    if (treatment != HALVE && refused(treatment))
        return -1;
    return done(treatment, syscall(SYS_write, fd, bytes, share(treatment, count)));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    const enum treatment treatment = treat_fd("pwrite", fd);

    if (treatment != HALVE && refused(treatment))
        return -1;
    return done(treatment, syscall(SYS_pwrite64, fd, bytes, share(treatment, count), offset));
}

int fsync(int fd)
{
    const enum treatment treatment = treat_fd("fsync", fd);

    return refused(treatment) ? -1 : (int)done(treatment, syscall(SYS_fsync, fd));
}

int fdatasync(int fd)
{
    const enum treatment treatment = treat_fd("fdatasync", fd);

    return refused(treatment) ? -1 : (int)done(treatment, syscall(SYS_fdatasync, fd));
}

int ftruncate(int fd, off_t length)
{
    const enum treatment treatment = treat_fd("ftruncate", fd);

    return refused(treatment) ? -1 : (int)done(treatment, syscall(SYS_ftruncate, fd, length));
}

int fchmod(int fd, mode_t mode)
{
    const enum treatment treatment = treat_fd("fchmod", fd);

    return refused(treatment) ? -1 : (int)done(treatment, syscall(SYS_fchmod, fd, mode));
}

int rename(const char *from, const char *to)
{
    const enum treatment treatment = treat("rename", to);

    if (refused(treatment))
        return -1;
    return (int)done(treatment, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int unlink(const char *path)
{
    const enum treatment treatment = treat("unlink", path);

    return refused(treatment) ? -1 : (int)done(treatment, syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

int unlinkat(int directory_fd, const char *path, int flags)
{
    const enum treatment treatment = treat_fd("unlink", directory_fd);

    if (refused(treatment))
        return -1;
    return (int)done(treatment, syscall(SYS_unlinkat, directory_fd, path, flags));
}

/* The names that programs use which were compiled for large files. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int directory_fd, const char *path, int flags, ...) __attribute__((alias("openat")));
ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset) __attribute__((alias("pread")));
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
    __attribute__((alias("pwrite")));
int ftruncate64(int fd, off64_t length) __attribute__((alias("ftruncate")));
