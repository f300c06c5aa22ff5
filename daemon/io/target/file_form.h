/*
 * The form of a key file that is there already: its mode and its group, held against the
 * configuration and set right in place. The content stays, and so does the inode: readers notice
 * nothing, and nobody is told a key anew.
 */
#ifndef KEYROTATED_IO_TARGET_FILE_FORM_H
#define KEYROTATED_IO_TARGET_FILE_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "io/target/target.h"

#define FILE_GROUP_ANY ((gid_t)-1)

/* What the configuration asks for. */
struct file_form {
    bool has_mode; /* false: `mode` was not configured, any will do */
    mode_t mode;
    gid_t gid; /* FILE_GROUP_ANY: any will do */
};

/*
 * Looks at `path` and, with `set`, sets what differs. A file that is not there, or is no regular
 * file, is right. One with a second name (a hard link: the other name may be somebody else's file)
 * is not touched. May block on its file system: not for the loop. `out` gets a sentence about the
 * file that begins with "its", or "" for TARGET_FORM_RIGHT; `size` in bytes.
 */
enum target_form file_form_check(const char *path, const struct file_form *wanted, bool set,
                                 char *out, size_t size);

#endif
