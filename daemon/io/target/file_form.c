#include "io/target/file_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE_BITS = 07777, PROC_PATH_MAX = 40 };

static bool has_other_mode(const struct stat *status, const struct file_form *wanted)
{
    return wanted->has_mode && (status->st_mode & MODE_BITS) != wanted->mode;
}

static bool has_other_group(const struct stat *status, const struct file_form *wanted)
{
    return wanted->gid != FILE_GROUP_ANY && status->st_gid != wanted->gid;
}

static bool has_other_owner(const struct stat *status, const struct file_form *wanted)
{
    return wanted->has_owner && status->st_uid != wanted->uid;
}

/* chmod(2) has no form for a descriptor that was opened with O_PATH; its name in /proc leads to the
 * very file. O_PATH also opens a file that we may not read. */
static int set_mode(int fd, mode_t mode)
{
    char path[PROC_PATH_MAX];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return chmod(path, mode) == 0 ? 0 : errno;
}

/* Set the group first, so that the new mode never gives access to the old group, and the owner
 * last, because the mode of somebody else's file is not ours to set. Returns 0 or a positive errno
 * value. */
static int set_right(int fd, const struct stat *status, const struct file_form *wanted)
{
    if (status->st_nlink != 1)
        return EMLINK;
    if (has_other_group(status, wanted) &&
        fchownat(fd, "", (uid_t)-1, wanted->gid, AT_EMPTY_PATH) != 0)
        return errno;
    if (has_other_mode(status, wanted)) {
        int problem = set_mode(fd, wanted->mode);

        if (problem != 0)
            return problem;
    }
    if (has_other_owner(status, wanted) &&
        fchownat(fd, "", wanted->uid, (gid_t)-1, AT_EMPTY_PATH) != 0)
        return errno;
    return 0;
}

static void append_id(char *out, size_t size, const char *what, const char *verb, unsigned is,
                      unsigned wanted)
{
    size_t length = strlen(out);

    (void)snprintf(out + length, size - length, "%sits %s %s %u, not %u", length > 0 ? ", " : "",
                   what, verb, is, wanted);
}

static void describe(const struct stat *status, const struct file_form *wanted, bool was_set,
                     int problem, char *out, size_t size)
{
    const char *verb = was_set ? "was" : "is";
    size_t length;

    out[0] = '\0';
    if (has_other_mode(status, wanted))
        (void)snprintf(out, size, "its mode %s %04o, not %04o", verb,
                       (unsigned)(status->st_mode & MODE_BITS), (unsigned)wanted->mode);
    if (has_other_owner(status, wanted))
        append_id(out, size, "owner", verb, status->st_uid, wanted->uid);
    if (has_other_group(status, wanted))
        append_id(out, size, "group", verb, status->st_gid, wanted->gid);
    length = strlen(out);
    if (problem != 0)
        (void)snprintf(out + length, size - length, ", and cannot be set: %s", strerror(problem));
}

enum target_form file_form_check(const char *path, const struct file_form *wanted, bool set,
                                 char *out, size_t size)
{
    enum target_form form = TARGET_FORM_RIGHT;
    struct stat status;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    out[0] = '\0';
    if (fd < 0)
        return TARGET_FORM_RIGHT; /* reading or writing it will report the error */
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        (has_other_mode(&status, wanted) || has_other_owner(&status, wanted) ||
         has_other_group(&status, wanted))) {
        int problem = set ? set_right(fd, &status, wanted) : 0;

        form = set && problem == 0 ? TARGET_FORM_SET : TARGET_FORM_WRONG;
        describe(&status, wanted, form == TARGET_FORM_SET, problem, out, size);
    }
    close(fd);
    return form;
}
