/*
 * The form of an existing key file: its mode, owner and group, compared with the configuration and
 * corrected in place. Content and inode stay, so readers notice nothing.
 */
#ifndef KEYROTATED_IO_TARGET_FILE_FORM_H
#define KEYROTATED_IO_TARGET_FILE_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "io/target/target.h"

#define FILE_GROUP_ANY ((gid_t)-1)

/* The form that the configuration asks for. */
struct file_form {
    bool has_mode; /* false: no `mode` is configured, so any is right */
    mode_t mode;
    bool has_owner; /* false: any is right */
    uid_t uid;
    gid_t gid; /* FILE_GROUP_ANY: any is right */
};

/*
 * Checks `path` and, with `set`, corrects it. A missing file, and one that is no regular file,
 * count as right. A file with a second hard link is never changed, because that name may belong to
 * somebody else. May block on the file system, so do not call it on the loop. `out` gets a sentence
 * about the file that begins with "its", or "" for TARGET_FORM_RIGHT; `size` in bytes.
 */
enum target_form file_form_check(const char *path, const struct file_form *wanted, bool set,
                                 char *out, size_t size);

#endif
