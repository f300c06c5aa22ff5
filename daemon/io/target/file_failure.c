#include "io/target/file_job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/path.h"
#include "proto/failure.h"

/* The unit makes it for the daemon's user. */
#define KEYS "/var/lib/keyrotated-keys"

enum { USER_MAX = 64 };

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

/* Is the directory there for keys? All others belong to the system or to other programs, which
 * need their owner, group and mode as they are. */
static bool is_for_keys(const char *directory)
{
    struct stat status;

    return path_is_below(directory, KEYS) ||
           (stat(directory, &status) == 0 && status.st_uid == geteuid() && status.st_uid != 0);
}

/* Home directories, root's among them, are closed for good reason. */
static bool is_private(const char *directory)
{
    return path_is_below(directory, "/root") || path_is_below(directory, "/home");
}

static void set_remedy_for_foreign(struct failure *failure, const char *user, const char *group,
                                   const char *directory)
{
    failure_set_remedy(failure,
                       "leave %s as it is, make a directory for keys, `install -d -o %s -g %s -m "
                       "2750 " KEYS "/{account}`%s, and set `path` to a file in it",
                       directory, user, group ? group : "GROUP",
                       group ? "" : " with the group of the programs that read the key as GROUP");
}

/* A directory above refuses. */
static void set_remedy_for_passage(struct failure *failure, const char *user, const char *group,
                                   const char *directory)
{
    if (is_private(directory)) {
        set_remedy_for_foreign(failure, user, group, directory);
        return;
    }
    failure_set_remedy(failure,
                       "let user %s pass the directories above: `namei -l %s` shows which one "
                       "refuses, `chmod o+x` on it lets everybody pass, but not list it",
                       user, directory);
}

static bool is_marked(const char *path, uint64_t mark)
{
    struct statx status;

    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &status) == 0 &&
           (status.stx_attributes & mark) != 0;
}

/* chattr(1)'s marks, which forbid even root to replace a file. */
static bool set_remedy_for_mark(struct failure *failure, const char *path)
{
    const bool is_immutable = is_marked(path, STATX_ATTR_IMMUTABLE);

    if (!is_immutable && !is_marked(path, STATX_ATTR_APPEND))
        return false;
    failure_set_remedy(failure, "run `chattr -%c %s`, which is %s, or set another `path`",
                       is_immutable ? 'i' : 'a', path,
                       is_immutable ? "immutable" : "for appending alone");
    return true;
}

/* In a sticky directory a file is replaced by its owner alone. */
static bool is_kept_by_owner(const char *path, const char *directory)
{
    struct stat file, above;

    return lstat(path, &file) == 0 && stat(directory, &above) == 0 &&
           (above.st_mode & S_ISVTX) != 0 && file.st_uid != geteuid();
}

static void set_remedy_for_refusal(struct failure *failure, const char *user, const char *path,
                                   const char *directory)
{
    if (set_remedy_for_mark(failure, path) || set_remedy_for_mark(failure, directory))
        return;
    if (is_kept_by_owner(path, directory))
        failure_set_remedy(failure,
                           "run `chown %s %s`: the directory is sticky, so the file's owner alone "
                           "may replace it",
                           user, path);
    else
        failure_set_remedy(failure,
                           "see whether the file system that holds %s lets user %s replace files: "
                           "`findmnt -T %s` shows its type and options",
                           path, user, directory);
}

static void set_remedy_for_denial(struct failure *failure, const char *directory, const char *path,
                                  const char *group, int code)
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
        set_remedy_for_refusal(failure, user, path, directory);
    else if (!is_in_reach(directory))
        set_remedy_for_passage(failure, user, group, directory);
    else if (!is_for_keys(directory))
        set_remedy_for_foreign(failure, user, group, directory);
    else
        failure_set_remedy(failure,
                           "let user %s list and write the directory: `chown %s %s && chmod u+rwx "
                           "%s`",
                           user, user, directory, directory);
}

/* The lines of key-owners.conf. */
#define OWNER_CAPABILITIES "CAP_CHOWN CAP_FOWNER CAP_DAC_READ_SEARCH"

/* Its owner has been configured, and the daemon may not read what he may. */
static void set_remedy_for_readers(struct failure *failure, const struct target_file *settings)
{
    failure_set_remedy(failure,
                       "set a `mode` such as \"0440\" and a `group` that the daemon is in, or run "
                       "`systemctl edit {unit}`, add `AmbientCapabilities=" OWNER_CAPABILITIES
                       "` and `CapabilityBoundingSet=" OWNER_CAPABILITIES
                       "` below [Service] and restart the daemon; or leave `owner: %s` out",
                       settings->owner);
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

/* A link stands at the path, or a circle of links in a directory above. */
static void set_remedy_for_link(struct failure *failure, const char *path, const char *directory)
{
    struct stat status;

    if (stat(path, &status) == 0)
        failure_set_remedy(
            failure, "set `path` to the file that the link leads to, or remove the link %s", path);
    else if (lstat(path, &status) == 0)
        failure_set_remedy(failure, "remove the link %s, which leads to no file", path);
    else
        failure_set_remedy(failure,
                           "correct the link that leads back to itself, which `namei -l %s` shows, "
                           "or set another `path`",
                           directory);
}

/* What the system refuses for reasons of its own. */
static void set_remedy_for_others(struct failure *failure, const char *directory, int code)
{
    switch (-code) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        failure_set_remedy(failure,
                           "give the service more: see LimitNOFILE= and MemoryMax= in "
                           "`systemctl show {unit}`");
        break;
    case ENOTSUP: /* the format of the file, of which the text says all */
        break;
    default:
        failure_set_remedy(failure,
                           "check the file system that holds %s: `findmnt -T %s` names it, `dmesg` "
                           "has its errors",
                           directory, directory);
        break;
    }
}

void file_failure_write(struct failure *failure, const char *path, const char *group,
                        const struct err *err)
{
    char directory[PATH_MAX];

    describe_directory(path, directory, sizeof(directory));
    begin(failure, err->code);
    failure_set_text(failure, "%s", err->text);
    switch (-err->code) {
    case EACCES:
    case EPERM:
    case EROFS:
        set_remedy_for_denial(failure, directory, path, group, err->code);
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
        set_remedy_for_link(failure, path, directory);
        break;
    case ENAMETOOLONG:
        failure_set_remedy(failure,
                           "shorten `path`: a name in it may have 255 bytes, and the last one 243, "
                           "because the new file first stands beside it under a longer name");
        break;
    case EINVAL:
        failure_set_remedy(failure, "remove %s, or set another `path`", path);
        break;
    case ENODATA: /* the SELinux context; fs_replace() */
        failure_set_remedy(failure,
                           "let new files in %s have it from the start, `chcon --reference=%s %s`, "
                           "or `restorecon %s` where that context is not meant",
                           directory, path, directory, path);
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
    default:
        set_remedy_for_others(failure, directory, err->code);
        break;
    }
}

static void set_remedy_for_unreadable(struct failure *failure, const char *path,
                                      const struct target_file *settings)
{
    char user[USER_MAX], directory[PATH_MAX];

    describe_user(user);
    describe_directory(path, directory, sizeof(directory));
    if (!is_in_reach(path))
        set_remedy_for_passage(failure, user, settings->group, directory);
    else if (settings->owner)
        set_remedy_for_readers(failure, settings);
    else
        failure_set_remedy(failure,
                           "`keyrotatectl redeliver {account}` replaces the file with one that "
                           "user %s owns and can read",
                           user);
}

void file_failure_open_directory(struct failure *failure, const char *path, const char *directory)
{
    failure_set(failure, REASON_TARGET_FAILED,
                "everybody may write to %s, so anybody could put another file in the place of "
                "%s",
                directory, path);
    failure_set_remedy(failure,
                       "`chmod o-w %s`, or `chmod +t %s` where everybody has to write to it",
                       directory, directory);
}

void file_failure_read(struct failure *failure, const char *path,
                       const struct target_file *settings, const struct err *err)
{
    begin(failure, err->code);
    failure_set_text(failure, "%s", err->text);
    switch (-err->code) {
    case EACCES:
    case EPERM:
        set_remedy_for_unreadable(failure, path, settings);
        break;
    case EINVAL:
    case EISDIR:
        failure_set_remedy(failure, "remove %s, or set another `path`", path);
        break;
    default:
        file_failure_write(failure, path, settings->group, err);
        break;
    }
}

/* The sandbox lets no file be given away; what a directory hands on needs no permission. */
static void set_remedy_for_group(struct failure *failure, const char *path, const char *group)
{
    char user[USER_MAX], directory[PATH_MAX], command[2 * PATH_MAX + 2 * USER_MAX];

    describe_user(user);
    describe_directory(path, directory, sizeof(directory));
    if (is_for_keys(directory))
        (void)snprintf(command, sizeof(command),
                       "let the directory hand its own on, `chgrp %s %s && chmod g+s %s`", group,
                       directory, directory);
    else
        (void)snprintf(command, sizeof(command),
                       "set `path` to a file in a directory that hands its own on, `install -d -o "
                       "%s -g %s -m 2750 " KEYS "/{account}`",
                       user, group);
    failure_set_remedy(failure,
                       "leave `group` out and %s; or run `systemctl edit {unit}`, add "
                       "`SupplementaryGroups=%s`, `PrivateUsers=no` and "
                       "`SystemCallFilter=@chown` below [Service] and restart the daemon",
                       command, group);
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
        set_remedy_for_group(failure, path, group);
    } else {
        failure_set_text(failure, "cannot look up group \"%s\" for %s: %s", group, path,
                         strerror(saved_errno));
        failure_set_remedy(failure, "check whether `getent group %s` answers", group);
    }
}

void file_failure_owner(struct failure *failure, const char *path,
                        const struct target_file *settings, int saved_errno)
{
    const char *owner = settings->owner;

    begin(failure, -saved_errno);
    if (saved_errno == 0) {
        failure->error_code[0] = '\0';
        failure_set_text(failure, "there is no user \"%s\" to give %s to", owner, path);
        failure_set_remedy(failure, "create it, `useradd --system %s`, or correct `owner`", owner);
    } else if (saved_errno == EACCES) {
        failure_set_text(failure,
                         "once %s belongs to user \"%s\" with mode %04o, the daemon cannot read it "
                         "any more",
                         path, owner, (unsigned)settings->mode);
        set_remedy_for_readers(failure, settings);
    } else if (saved_errno == EPERM || saved_errno == EINVAL) {
        /* EINVAL: the user does not exist inside PrivateUsers=. */
        failure_set_text(failure, "%s may not be given to user \"%s\": %s", path, owner,
                         strerror(saved_errno));
        failure_set_remedy(failure,
                           "run `systemctl edit {unit}`, add `PrivateUsers=no`, "
                           "`SystemCallFilter=@chown`, `AmbientCapabilities=" OWNER_CAPABILITIES
                           "` and `CapabilityBoundingSet=" OWNER_CAPABILITIES
                           "` below [Service] and restart the daemon; or use a `group` in the "
                           "place of `owner: %s`",
                           owner);
    } else {
        failure_set_text(failure, "cannot look up user \"%s\" for %s: %s", owner, path,
                         strerror(saved_errno));
        failure_set_remedy(failure, "check whether `getent passwd %s` answers", owner);
    }
}
