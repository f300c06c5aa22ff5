#include "io/access/arc_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "base/wipe.h"
#include "proto/failure.h"
#include "proto/managed_identity.h"

static void set_remedy(struct failure *failure, int saved_errno)
{
    if (saved_errno == EACCES || saved_errno == EPERM)
        failure_set_remedy(failure,
                           "run `systemctl edit {unit}`, add `SupplementaryGroups=himds` below "
                           "[Service] and restart the daemon: the agent's keys are for that group");
    else
        failure_set_remedy(failure,
                           "see which program listens at the agent's port, `ss -lptn`: it should "
                           "be himds, the agent's; then restart it, `systemctl restart himdsd`");
}

static struct secret *fail(const char *directory, const char *name, const char *problem,
                           int saved_errno, struct failure *failure)
{
    failure_init(failure, REASON_TOKEN_FAILED);
    failure->http_status = 401;
    failure_set_text(failure, "%s asks for the content of %s%s, which is not sent: %s",
                     managed_identity_service(MANAGED_ARC), directory, name, problem);
    set_remedy(failure, saved_errno);
    return NULL;
}

/* Why the file is not the agent's; NULL: it is. */
static const char *find_problem(const struct stat *directory, const struct stat *file)
{
    if ((directory->st_mode & S_IWOTH) != 0)
        return "everybody may write to the directory";
    if (!S_ISREG(file->st_mode))
        return "it is not a regular file";
    if (file->st_uid != 0 && file->st_uid != directory->st_uid)
        return "it belongs to neither root nor the agent";
    if (file->st_size > ARC_KEY_MAX)
        return "it is larger than a key";
    return NULL;
}

/* The content without the line end; "" where it cannot go into a header. */
static size_t measure(const char *bytes, size_t length)
{
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
        length--;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] <= ' ' || bytes[i] > '~')
            return 0;
    }
    return length;
}

static ssize_t read_whole(int fd, char bytes[ARC_KEY_MAX + 1])
{
    size_t length = 0;
    ssize_t count;

    do {
        count = read(fd, bytes + length, ARC_KEY_MAX + 1 - length);
        length += count > 0 ? (size_t)count : 0;
    } while (count > 0 || (count < 0 && errno == EINTR));
    return count < 0 ? count : (ssize_t)length;
}

static struct secret *read_content(int fd, const char *directory, const char *name,
                                   struct failure *failure)
{
    char bytes[ARC_KEY_MAX + 1];
    ssize_t count = read_whole(fd, bytes);
    const int saved_errno = errno;
    const size_t length = count > 0 && count <= ARC_KEY_MAX ? measure(bytes, (size_t)count) : 0;
    struct secret *secret = length > 0 ? must(secret_new(bytes, length)) : NULL;

    wipe(bytes, sizeof(bytes));
    if (count < 0)
        return fail(directory, name, strerror(saved_errno), saved_errno, failure);
    return secret ? secret : fail(directory, name, "it holds no key", 0, failure);
}

static struct secret *read_at(int directory_fd, const char *directory, const char *name,
                              struct failure *failure)
{
    /* Without O_NONBLOCK opening a FIFO would wait for a writer. */
    const int fd =
        openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    const int saved_errno = errno;
    struct stat of_directory, of_file;
    struct secret *secret = NULL;
    const char *problem;

    if (fd < 0)
        return fail(directory, name,
                    saved_errno == ELOOP ? "it is a symbolic link" : strerror(saved_errno),
                    saved_errno, failure);
    if (fstat(directory_fd, &of_directory) < 0 || fstat(fd, &of_file) < 0)
        problem = strerror(errno);
    else
        problem = find_problem(&of_directory, &of_file);
    if (problem)
        (void)fail(directory, name, problem, 0, failure);
    else
        secret = read_content(fd, directory, name, failure);
    (void)close(fd);
    return secret;
}

struct secret *arc_key_read(const char *directory, const char *name, struct failure *failure)
{
    const int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const int saved_errno = errno;
    struct secret *secret;

    if (fd < 0)
        return fail(directory, name, strerror(saved_errno), saved_errno, failure);
    secret = read_at(fd, directory, name, failure);
    (void)close(fd);
    return secret;
}
