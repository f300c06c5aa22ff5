#include "io/store/sqlite/sqlite_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"

/* Other files show that the directory is not ours but, for example, /tmp. */
static bool holds_other_things(int fd)
{
    const int own_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own_fd >= 0 ? fdopendir(own_fd) : NULL;
    const struct dirent *entry;
    bool others = !stream;

    while (stream && !others && (entry = readdir(stream)))
        others = !str_equal(entry->d_name, ".") && !str_equal(entry->d_name, "..") &&
                 !str_starts_with(entry->d_name, "journal.db");
    if (stream)
        (void)closedir(stream);
    else if (own_fd >= 0)
        (void)close(own_fd);
    return others;
}

/* systemd gives all state directories of a service the same mode, which must let readers through to
 * the key files. */
static int make_private(int fd, const char *directory, struct err *err)
{
    if (holds_other_things(fd))
        return err_set(err, -EPERM,
                       "%s is open to others than its owner and holds more than the journal: give "
                       "the journal a directory of its own, with mode 0700",
                       directory);
    if (fchmod(fd, 0700) < 0)
        return err_set_errno(err, errno, "%s is open to others than its owner, and chmod 0700",
                             directory);
    return 0;
}

static int check_directory(int fd, const char *directory, struct err *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "%s", directory);
    if (status.st_uid != geteuid())
        return err_set(err, -EPERM,
                       "%s belongs to uid %u, not to the daemon's user: chown it to uid %u",
                       directory, (unsigned)status.st_uid, (unsigned)geteuid());
    if ((status.st_mode & 077) != 0)
        return make_private(fd, directory, err);
    return 0;
}

/*
 * The lock is on the directory, because the directory stays in place when a database is moved or
 * put back, and SQLite's own locks on the database do not affect it. Children do not inherit it.
 */
int store_lock_directory(const char *directory, int *ret_lock_fd, struct err *err)
{
    int rc = 0;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        rc = fs_make_directory(directory, 0700, err);
        if (rc != 0)
            return rc;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        return err_set_errno(err, errno, "%s", directory);

    rc = check_directory(fd, directory, err);
    if (rc == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
        rc = errno == EWOULDBLOCK
                 ? err_set(err, -EAGAIN, "another process holds the journal in %s", directory)
                 : err_set_errno(err, errno, "locking %s", directory);
    if (rc != 0) {
        (void)close(fd);
        return rc;
    }
    *ret_lock_fd = fd;
    return 0;
}

/* After a crash a rollback journal undoes half a transaction. A new database beside it would delete
 * it, and the database that was moved away could no longer be repaired. */
static int check_no_orphan(const char *path, struct err *err)
{
    char rollback[4096];
    struct stat status;

    if (snprintf(rollback, sizeof(rollback), "%s-journal", path) >= (int)sizeof(rollback))
        return err_set(err, -ENAMETOOLONG, "%s: the path is too long", path);
    if (lstat(rollback, &status) < 0 || status.st_size == 0)
        return 0;
    return err_set(err, -EBADMSG,
                   "%s is there, but not the database it belongs to: put that back beside it, or "
                   "remove this file too",
                   rollback);
}

static int create_file(const char *path, int directory_fd, struct err *err)
{
    int rc = check_no_orphan(path, err);
    int fd;

    if (rc != 0)
        return rc;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, errno, "creating %s", path);
    (void)close(fd);
    if (fsync(directory_fd) < 0)
        return err_set_errno(err, errno, "flushing the directory of %s", path);
    return 0;
}

int store_prepare_file(const char *path, int directory_fd, struct err *err)
{
    struct stat status;

    if (lstat(path, &status) < 0) {
        if (errno != ENOENT)
            return err_set_errno(err, errno, "%s", path);
        return create_file(path, directory_fd, err);
    }
    if (!S_ISREG(status.st_mode))
        return err_set(err, -EEXIST, "%s is not a regular file: move it away", path);
    if ((status.st_mode & 077) != 0 && chmod(path, 0600) < 0)
        return err_set_errno(err, errno, "making %s private", path);
    return 0;
}
