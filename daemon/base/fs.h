/*
 * Files: bounded reading, and atomic replacement.
 */
#ifndef KEYROTATED_BASE_FS_H
#define KEYROTATED_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the whole regular file to `out`. Errors: -errno of open/read; -EMSGSIZE where it is
 * larger than the buffer's maximum; -EINVAL where it is not a regular file. Never blocks on a FIFO.
 * After an error `out` may hold a part of the file. */
int fs_read(const char *path, struct buf *out, struct err *err);

/* Whose a new file is, and who may use it. */
struct fs_form {
    mode_t mode;
    bool has_owner; /* else it is this process's user */
    uid_t uid;
    gid_t gid; /* (gid_t)-1: the directory's or the process's own */
};

/*
 * Replaces `path` by a file with this content: written beside it under a name of its own
 * (".NAME.XXXXXX.tmp"), given its form (whatever the umask), flushed to disk, renamed over it, and
 * the directory flushed. A reader sees the old content or the new one, never a part. A symbolic
 * link at `path` is replaced, not followed. On failure the old file is untouched and the temporary
 * one removed. One failure is different: when the directory cannot be flushed, the new content is
 * in place but may not survive a power cut. Who watches the directory sees one event at `path`: the
 * rename. The SELinux context of the file that is replaced is kept, too, where the system labels
 * files: -ENODATA when the new file may not get it.
 */
int fs_replace(const char *path, const void *content, size_t length, const struct fs_form *form,
               struct err *err);

/* Checks whether fs_replace(path) would work now, with an empty temporary file that is never
 * renamed. Returns 0 or the error that it would return. */
int fs_check_replaceable(const char *path, struct err *err);

/* Removes the files ".NAME.XXXXXX.tmp" that a crash in fs_replace(path) has left behind: regular
 * files of this user, and of `other`, to whom fs_replace() gives them. Must not run at the same
 * time as fs_replace(path). */
void fs_remove_leftovers(const char *path, uid_t other);

/* Makes the directory and its missing parents, all of them with `mode`, whatever the umask.
 * Existing directories are left as they are. -ENOTDIR when a part of the path is no directory. */
int fs_make_directory(const char *path, mode_t mode, struct err *err);

#endif
