#include "io/sandbox/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/str.h"

/* More would only waste memory: with thousands of accounts a few hundred requests are in flight. */
enum { DESCRIPTORS_ENOUGH = 65536 };

static int open_standard_descriptors(struct err *err)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR); /* open() returns the lowest free number */
        if (fd < 0)
            return err_set_errno(err, errno, "cannot open /dev/null");
    } while (fd <= STDERR_FILENO);
    close(fd);
    return 0;
}

/* For kernels and sandboxes without close_range(2). */
static int mark_each(int first, struct err *err)
{
    DIR *directory = opendir("/proc/self/fd");

    if (!directory)
        return err_set_errno(err, errno, "cannot list the inherited descriptors");
    for (struct dirent *entry; (entry = readdir(directory));) {
        int64_t fd;

        if (str_to_int64(entry->d_name, &fd) && fd >= first && fd != dirfd(directory))
            (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    }
    closedir(directory);
    return 0;
}

static int keep_descriptors_from_children(struct err *err)
{
    int handed_over = sd_listen_fds(0);
    int first = SD_LISTEN_FDS_START + (handed_over > 0 ? handed_over : 0);

    if (close_range((unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return 0;
    return mark_each(first, err);
}

static int protect_memory(struct err *err)
{
    static const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    struct rlimit present;

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_set_errno(err, errno, "cannot keep the process from being dumped");
    /* A sandbox that has set the limit itself may forbid setting it. */
    if (setrlimit(RLIMIT_CORE, &none) != 0 &&
        (getrlimit(RLIMIT_CORE, &present) != 0 || present.rlim_cur != 0))
        return err_set(err, -EPERM, "cannot forbid core dumps");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set_errno(err, errno, "cannot give up gaining privileges");
    return 0;
}

/* Best effort: with lower limits the daemon serves fewer accounts, or keys are not locked into
 * memory. */
static void raise_soft_limit(__rlimit_resource_t resource, rlim_t enough)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0)
        return;
    if (limit.rlim_max < enough)
        enough = limit.rlim_max; /* RLIM_INFINITY is the largest number */
    if (limit.rlim_cur >= enough)
        return;
    limit.rlim_cur = enough;
    (void)setrlimit(resource, &limit);
}

int process_harden(struct err *err)
{
    int rc = open_standard_descriptors(err);

    if (rc == 0)
        rc = keep_descriptors_from_children(err);
    if (rc == 0)
        rc = protect_memory(err);
    if (rc != 0)
        return rc;
    (void)umask(S_IRWXG | S_IRWXO);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_soft_limit(RLIMIT_NOFILE, DESCRIPTORS_ENOUGH);
    raise_soft_limit(RLIMIT_MEMLOCK, RLIM_INFINITY);
    return 0;
}
