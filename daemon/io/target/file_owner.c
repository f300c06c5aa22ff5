#include "io/target/file_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/must.h"
#include "base/user.h"

enum { PROC_PATH_MAX = 40 };

static int checked(int rc)
{
    if (rc == ENOMEM)
        fault_out_of_memory();
    return rc;
}

int file_owner_user(const char *name, uid_t *ret_uid)
{
    return checked(user_find(name, ret_uid));
}

int file_owner_group(const char *name, gid_t *ret_gid)
{
    return checked(user_find_group(name, ret_gid));
}

/* --- may this process? It tries on a file in memory, which follows the same rules as one on a
 * local disk. Each returns 0 or a positive errno value. --- */

static int check_readable(int fd)
{
    char path[PROC_PATH_MAX];
    int again;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = open(path, O_RDONLY | O_CLOEXEC);
    if (again < 0)
        return errno == EACCES ? EACCES : 0; /* without /proc only a look can show it */
    close(again);
    return 0;
}

static int check_group_permitted(int fd, const struct fs_form *form)
{
    return fchown(fd, (uid_t)-1, form->gid) == 0 ? 0 : errno;
}

/* EACCES: it may, and could not read the file any more. */
static int check_owner_permitted(int fd, const struct fs_form *form)
{
    if (fchmod(fd, form->mode) != 0 || fchown(fd, form->uid, (gid_t)-1) != 0)
        return errno;
    return check_readable(fd);
}

static bool check_permitted(const struct target_file *settings, const char *path,
                            const struct fs_form *form, struct failure *failure)
{
    int fd = memfd_create("keyrotated-owner", MFD_CLOEXEC);
    int group_rc = 0, owner_rc = 0;

    if (fd < 0)
        return true; /* then only the delivery itself can show it */
    if (settings->group)
        group_rc = check_group_permitted(fd, form);
    if (settings->owner && group_rc == 0)
        owner_rc = check_owner_permitted(fd, form);
    close(fd);
    if (group_rc != 0)
        file_failure_group(failure, path, settings->group, group_rc);
    else if (owner_rc != 0)
        file_failure_owner(failure, path, settings, owner_rc);
    return group_rc == 0 && owner_rc == 0;
}

bool file_owner_find(const struct target_file *settings, const char *path, struct fs_form *ret_form,
                     struct failure *failure)
{
    int rc;

    *ret_form =
        (struct fs_form){.mode = settings->mode, .uid = FILE_OWNER_ANY, .gid = FILE_GROUP_ANY};
    if (!settings->owner && !settings->group)
        return true;
    if (settings->group) {
        rc = file_owner_group(settings->group, &ret_form->gid);
        if (rc != 0 || ret_form->gid == FILE_GROUP_ANY) {
            file_failure_group(failure, path, settings->group, rc);
            return false;
        }
    }
    if (settings->owner) {
        rc = file_owner_user(settings->owner, &ret_form->uid);
        ret_form->has_owner = rc == 0 && ret_form->uid != FILE_OWNER_ANY;
        if (!ret_form->has_owner) {
            file_failure_owner(failure, path, settings, rc);
            return false;
        }
    }
    return check_permitted(settings, path, ret_form, failure);
}
