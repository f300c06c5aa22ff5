#include "io/target/file_failure.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "proto/failure.h"

enum { USER_MAX = 64, DIRECTORY_MAX = 256 };

/* The user that the daemon runs as: by name where it has one, else by number. */
static void describe_user(char out[USER_MAX])
{
    struct passwd entry, *found = NULL;
    char buffer[4096];

    if (getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found)
        (void)str_copy(out, USER_MAX, found->pw_name);
    else
        (void)snprintf(out, USER_MAX, "%u", (unsigned)geteuid());
}

static void describe_directory(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    size_t length = !slash ? 0 : (size_t)(slash - path);

    if (length == 0)
        (void)str_copy(out, size, !slash ? "." : "/");
    else
        (void)snprintf(out, size, "%.*s", (int)length, path);
}

static void begin(struct failure *failure, int code)
{
    bool denied = code == -EACCES || code == -EPERM || code == -EROFS;
    const char *name = strerrorname_np(-code);

    failure_init(failure, denied ? REASON_TARGET_DENIED : REASON_TARGET_FAILED);
    if (name)
        (void)str_copy(failure->error_code, sizeof(failure->error_code), name);
}

/* Do the directories above let this process pass? */
static bool is_in_reach(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 || errno != EACCES;
}

/* A directory above refuses. */
static void set_remedy_for_passage(struct failure *failure, const char *user, const char *directory)
{
    failure_set_remedy(failure,
                       "let user %s pass the directories above: `namei -l %s` shows which one "
                       "refuses, `chmod o+x` on it lets everybody pass, but not list it",
                       user, directory);
}

static void set_remedy_for_denial(struct failure *failure, const char *directory, const char *path,
                                  int code)
{
    char user[USER_MAX];

    describe_user(user);
    if (code == -EROFS)
        failure_set_remedy(failure,
                           "run `systemctl edit {unit}`, add `ReadWritePaths=%s` below "
                           "[Service] and restart the daemon, unless the file system itself is "
                           "mounted read-only",
                           directory);
    else if (code == -EPERM)
        failure_set_remedy(failure,
                           "see whether %s or its directory is immutable (`lsattr -d`), or belongs "
                           "to another user in a sticky directory",
                           path);
    else if (!is_in_reach(directory))
        set_remedy_for_passage(failure, user, directory);
    else
        failure_set_remedy(failure,
                           "let user %s list and write the directory: `chown %s %s && chmod u+rwx "
                           "%s`",
                           user, user, directory, directory);
}

/* As README sets the directory up: its files belong to the group of the readers. */
static void set_remedy_for_missing(struct failure *failure, const char *directory,
                                   const char *group)
{
    char user[USER_MAX];

    describe_user(user);
    failure_set_remedy(failure,
                       "create the directory so that its readers have access, `install -d -o %s "
                       "-g %s -m 2750 %s`%s, or correct `path`; a directory below /home, /root or "
                       "/tmp may be hidden by the unit's sandbox",
                       user, group ? group : "GROUP", directory,
                       group ? "" : " with the group of the programs that read the key as GROUP");
}

void file_failure_write(struct failure *failure, const char *path, const char *group,
                        const struct err *err)
{
    char directory[DIRECTORY_MAX];

    describe_directory(path, directory, sizeof(directory));
    begin(failure, err->code);
    failure_set_text(failure, "%s", err->text);
    switch (-err->code) {
    case EACCES:
    case EPERM:
    case EROFS:
        set_remedy_for_denial(failure, directory, path, err->code);
        break;
    case ENOENT:
        set_remedy_for_missing(failure, directory, group);
        break;
    case ENOTDIR:
        failure_set_remedy(failure, "correct `path`: a part of %s is a file", directory);
        break;
    case EISDIR:
        failure_set_remedy(failure, "set `path` to a file in it, or remove the directory %s", path);
        break;
    case ELOOP:
        failure_set_remedy(
            failure, "set `path` to the file that the link leads to, or remove the link %s", path);
        break;
    case EINVAL:
        failure_set_remedy(failure, "remove %s, or set another `path`", path);
        break;
    case EBUSY:
        failure_set_remedy(failure,
                           "mount the directory %s instead of the single file: a file that is a "
                           "mount point cannot be replaced",
                           directory);
        break;
    case ENOSPC:
    case EDQUOT:
        failure_set_remedy(failure, "make room in %s: see `df -h %s` and `df -i %s`", directory,
                           directory, directory);
        break;
    case EIO:
    case ESTALE:
        failure_set_remedy(failure, "check the file system that holds %s (`dmesg`)", directory);
        break;
    default:
        break; /* keep the remedy of the reason */
    }
}

void file_failure_read(struct failure *failure, const char *path, const char *group,
                       const struct err *err)
{
    char directory[DIRECTORY_MAX];
    char user[USER_MAX];

    begin(failure, err->code);
    failure_set_text(failure, "%s", err->text);
    switch (-err->code) {
    case EACCES:
    case EPERM:
        describe_user(user);
        describe_directory(path, directory, sizeof(directory));
        if (!is_in_reach(path))
            set_remedy_for_passage(failure, user, directory);
        else
            failure_set_remedy(failure,
                               "`keyrotatectl redeliver {account}` replaces the file with one that "
                               "user %s owns and can read",
                               user);
        break;
    case EINVAL:
    case EISDIR:
        failure_set_remedy(failure, "remove %s, or set another `path`", path);
        break;
    case EMSGSIZE:
        failure_set_remedy(failure, "check what %s is: a file this large holds no key", path);
        break;
    default:
        file_failure_write(failure, path, group, err);
        break;
    }
}

void file_failure_group(struct failure *failure, const char *path, const char *group,
                        int saved_errno)
{
    begin(failure, -saved_errno);
    if (saved_errno == 0) {
        failure->error_code[0] = '\0';
        failure_set_text(failure, "there is no group \"%s\" to give %s to", group, path);
        failure_set_remedy(failure, "create it, `groupadd --system %s`, or correct `group`", group);
    } else if (saved_errno == EPERM || saved_errno == EINVAL) {
        /* EINVAL: the group does not exist inside PrivateUsers=. */
        failure_set_text(failure, "%s may not be given to group \"%s\": %s", path, group,
                         strerror(saved_errno));
        failure_set_remedy(failure,
                           "leave `group` out and let the directory hand its own on (chgrp %s, "
                           "chmod g+s); or run `systemctl edit {unit}`, add "
                           "`SupplementaryGroups=%s`, `PrivateUsers=no` and "
                           "`SystemCallFilter=@chown` below [Service] and restart the daemon",
                           group, group);
    } else {
        failure_set_text(failure, "cannot look up group \"%s\" for %s: %s", group, path,
                         strerror(saved_errno));
        failure_set_remedy(failure, "check whether `getent group %s` answers", group);
    }
}
