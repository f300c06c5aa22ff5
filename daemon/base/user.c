#include "base/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

enum { ENTRY_FIRST = 4096, ENTRY_MAX = 1024 * 1024 };

/* One of the two below, with a buffer of `size`. 0, or a positive errno value. */
typedef int look_up(const char *name, char *buffer, size_t size, unsigned *ret_id);

static int look_up_user(const char *name, char *buffer, size_t size, unsigned *ret_id)
{
    struct passwd entry, *found = NULL;
    int rc = getpwnam_r(name, &entry, buffer, size, &found);

    *ret_id = found ? found->pw_uid : USER_NONE;
    return rc;
}

static int look_up_group(const char *name, char *buffer, size_t size, unsigned *ret_id)
{
    struct group entry, *found = NULL;
    int rc = getgrnam_r(name, &entry, buffer, size, &found);

    *ret_id = found ? found->gr_gid : USER_GROUP_NONE;
    return rc;
}

static int find_id(look_up *look, const char *name, unsigned *ret_id)
{
    int rc = ERANGE;

    for (size_t size = ENTRY_FIRST; rc == ERANGE && size <= ENTRY_MAX; size *= 4) {
        char *buffer = malloc(size);

        if (!buffer)
            return ENOMEM;
        do {
            rc = look(name, buffer, size, ret_id);
        } while (rc == EINTR);
        free(buffer);
    }
    /* getpwnam_r(3), getgrnam_r(3): all of these are ways to say "not found". */
    return rc == ENOENT || rc == ESRCH || rc == EBADF || rc == EPERM ? 0 : rc;
}

int user_find(const char *name, uid_t *ret_uid)
{
    *ret_uid = USER_NONE;
    return find_id(look_up_user, name, ret_uid);
}

int user_find_group(const char *name, gid_t *ret_gid)
{
    *ret_gid = USER_GROUP_NONE;
    return find_id(look_up_group, name, ret_gid);
}
