#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs_label.h"
#include "base/secret.h"
#include "base/str.h"

/* Names of temporary files: ".", the name of the file they will replace, and six random letters and
 * digits between these. */
static const char TEMPORARY_TAG[] = ".XXXXXX";
static const char TEMPORARY_SUFFIX[] = ".tmp";

#define NO_FILE "%s is not a regular file"

static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
    char chunk[8192];
    int rc = 0;

    for (;;) {
        ssize_t count = read(fd, chunk, sizeof(chunk));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            rc = err_set_errno(err, errno, "cannot read %s", path);
        if (count <= 0)
            break;
        rc = buf_append(out, chunk, (size_t)count);
        if (rc != 0) {
            err_set_errno(err, -rc, "cannot read %s", path);
            break;
        }
    }
    wipe(chunk, sizeof(chunk)); /* the file may hold a secret */
    return rc;
}

static int check_readable(int fd, const char *path, const struct buf *out, struct err *err)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return err_set_errno(err, errno, "cannot read %s", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, -EINVAL, NO_FILE, path);
    if ((uintmax_t)status.st_size > out->maximum - out->length)
        return err_set(err, -EMSGSIZE, "%s is larger than %zu bytes", path, out->maximum);
    return 0;
}

int fs_read(const char *path, struct buf *out, struct err *err)
{
    /* Without O_NONBLOCK opening a FIFO would wait for a writer. Regular files do not care. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 && errno == ENXIO) /* a socket, or a device without a driver */
        return err_set(err, -EINVAL, NO_FILE, path);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    int rc = check_readable(fd, path, out, err);
    if (rc == 0)
        rc = read_all(fd, path, out, err);
    close(fd);
    return rc;
}

/* A file about to be replaced: its place, and the temporary file that stands beside it. */
struct replacement {
    const char *path;
    const char *name; /* the last component of path */
    char *temporary_path;
    int directory_fd;
    int fd; /* of the temporary file */
    bool created;
};

/* The directory part of a path whose last component starts at `name`; the caller frees it. */
static char *directory_of(const char *path, const char *name)
{
    if (name == path)
        return str_dup(".");
    /* Keep the slash: for "/name" it is the whole directory. */
    return str_dup_n(path, (size_t)(name - path));
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void replacement_done(struct replacement *replacement)
{
    if (replacement->fd >= 0)
        close(replacement->fd);
    if (replacement->directory_fd >= 0)
        close(replacement->directory_fd);
    free(replacement->temporary_path);
}

static int open_directory(struct replacement *replacement, struct err *err)
{
    char *directory = directory_of(replacement->path, replacement->name);

    if (!directory)
        return err_set(err, -ENOMEM, "out of memory");
    replacement->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;
    if (replacement->directory_fd < 0)
        rc = err_set_errno(err, errno, "cannot open directory %s", directory);
    free(directory);
    return rc;
}

static int create_temporary(struct replacement *replacement, struct err *err)
{
    const char *path = replacement->path;

    replacement->temporary_path = str_format("%.*s.%s%s%s", (int)(replacement->name - path), path,
                                             replacement->name, TEMPORARY_TAG, TEMPORARY_SUFFIX);
    if (!replacement->temporary_path)
        return err_set(err, -ENOMEM, "out of memory");
    replacement->fd =
        mkostemps(replacement->temporary_path, (int)strlen(TEMPORARY_SUFFIX), O_CLOEXEC);
    if (replacement->fd < 0)
        return err_set_errno(err, errno, "cannot create a file beside %s", path);
    replacement->created = true;
    return 0;
}

/* Opens the directory and creates the temporary file; replacement_done() in any case. */
static int replacement_start(struct replacement *replacement, const char *path, struct err *err)
{
    struct stat status;

    *replacement = (struct replacement){
        .path = path, .name = last_component(path), .directory_fd = -1, .fd = -1};
    if (*replacement->name == '\0')
        return err_set(err, -EINVAL, "\"%s\" names no file", path);
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return err_set(err, -EISDIR, "%s is a directory", path);

    /* Open the directory first: a failure must be known before the rename, not when it is
     * flushed. */
    int rc = open_directory(replacement, err);
    if (rc != 0)
        return rc;
    return create_temporary(replacement, err);
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}

/* Owner, mode, content and their way to the disk. */
static int fill_temporary(const struct replacement *replacement, const void *content, size_t length,
                          const struct fs_form *form, struct err *err)
{
    int fd = replacement->fd;
    const char *path = replacement->path;
    gid_t gid = form->gid;

    /* The group first: changing it clears bits of the mode, and the wider mode must never be in
     * force for the wrong group. */
    if (gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) != 0)
        return err_set_errno(err, errno, "cannot give %s to group %u", path, (unsigned)gid);
    if (fchmod(fd, form->mode) != 0)
        return err_set_errno(err, errno, "cannot set the mode of %s", path);
    int rc = fs_label_keep(path, fd, FS_LABEL_SELINUX, err);
    if (rc != 0)
        return rc;
    rc = write_all(fd, content, length);
    if (rc != 0)
        return err_set_errno(err, -rc, "cannot write %s", path);
    /* The owner last: the mode of somebody else's file is not ours to set. */
    if (form->has_owner && fchown(fd, form->uid, (gid_t)-1) != 0)
        return err_set_errno(err, errno, "cannot give %s to user %u", path, (unsigned)form->uid);
    if (fsync(fd) != 0)
        return err_set_errno(err, errno, "cannot flush %s to disk", path);
    return 0;
}

/* Some file systems have nothing to flush for a directory and say so with EINVAL. */
static int flush_directory(const struct replacement *replacement, struct err *err)
{
    if (fsync(replacement->directory_fd) != 0 && errno != EINVAL)
        return err_set_errno(err, errno, "cannot flush the directory of %s to disk",
                             replacement->path);
    return 0;
}

int fs_replace(const char *path, const void *content, size_t length, const struct fs_form *form,
               struct err *err)
{
    struct replacement replacement;
    bool renamed = false;

    int rc = replacement_start(&replacement, path, err);
    if (rc == 0)
        rc = fill_temporary(&replacement, content, length, form, err);
    if (rc == 0) {
        /* A watcher would be told of a later close as well, under the final name. */
        close(replacement.fd);
        replacement.fd = -1;
        renamed = rename(replacement.temporary_path, path) == 0;
        rc = renamed ? flush_directory(&replacement, err)
                     : err_set_errno(err, errno, "cannot replace %s", path);
    }
    if (replacement.created && !renamed)
        unlink(replacement.temporary_path);
    replacement_done(&replacement);
    return rc;
}

int fs_check_replaceable(const char *path, struct err *err)
{
    struct replacement replacement;

    int rc = replacement_start(&replacement, path, err);
    if (rc == 0)
        rc = fs_label_keep(path, replacement.fd, FS_LABEL_SELINUX, err);
    if (replacement.created)
        unlink(replacement.temporary_path);
    replacement_done(&replacement);
    return rc;
}

/* Is `entry` what create_temporary() makes for a file called `name`? */
static bool is_temporary_of(const char *entry, const char *name)
{
    static const char letters_and_digits[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t name_length = strlen(name);
    size_t random_length = strlen(TEMPORARY_TAG) - 1;

    if (entry[0] != '.' || strncmp(entry + 1, name, name_length) != 0)
        return false;
    const char *tag = entry + 1 + name_length;
    return *tag == '.' && strspn(tag + 1, letters_and_digits) == random_length &&
           strcmp(tag + 1 + random_length, TEMPORARY_SUFFIX) == 0;
}

static void remove_if_own_file(int directory_fd, const char *entry, uid_t other)
{
    struct stat status;

    if (fstatat(directory_fd, entry, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode) && (status.st_uid == geteuid() || status.st_uid == other))
        unlinkat(directory_fd, entry, 0);
}

void fs_remove_leftovers(const char *path, uid_t other)
{
    const char *name = last_component(path);
    char *directory_path = directory_of(path, name);

    if (!directory_path || *name == '\0') {
        free(directory_path);
        return;
    }
    DIR *directory = opendir(directory_path);
    free(directory_path);
    if (!directory)
        return;
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (is_temporary_of(entry->d_name, name))
            remove_if_own_file(dirfd(directory), entry->d_name, other);
    }
    closedir(directory);
}

/* One directory whose parent exists. */
static int make_one_directory(const char *path, mode_t mode, struct err *err)
{
    struct stat status;

    if (mkdir(path, mode) == 0) {
        /* The umask may have taken bits away. */
        if (chmod(path, mode) != 0)
            return err_set_errno(err, errno, "cannot set the mode of %s", path);
        return 0;
    }
    int saved_errno = errno;
    /* On read-only file systems mkdir() may say so before it notices that the directory exists. */
    if (stat(path, &status) != 0)
        return err_set_errno(err, saved_errno, "cannot create directory %s", path);
    if (!S_ISDIR(status.st_mode))
        return err_set(err, -ENOTDIR, "%s is not a directory", path);
    return 0;
}

int fs_make_directory(const char *path, mode_t mode, struct err *err)
{
    char partial[PATH_MAX];

    if (*path == '\0')
        return err_set(err, -EINVAL, "the path of a directory is empty");
    if (!str_copy(partial, sizeof(partial), path))
        return err_set_errno(err, ENAMETOOLONG, "cannot create directory %s", path);

    for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = make_one_directory(partial, mode, err);
        if (rc != 0)
            return rc;
        *slash = '/';
    }
    return make_one_directory(partial, mode, err);
}
