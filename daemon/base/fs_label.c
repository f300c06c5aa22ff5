#include "base/fs_label.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>

enum { LABEL_MAX = 512, SHOWN_MAX = 200 };

int fs_label_keep(const char *path, int fd, const char *name, struct err *err)
{
    char old[LABEL_MAX], own[LABEL_MAX];
    ssize_t length = lgetxattr(path, name, old, sizeof(old));
    ssize_t own_length = fgetxattr(fd, name, own, sizeof(own));

    if (length <= 0 || own_length <= 0 ||
        (length == own_length && memcmp(old, own, (size_t)length) == 0))
        return 0;
    if (fsetxattr(fd, name, old, (size_t)length, 0) == 0)
        return 0;
    return err_set(err, -ENODATA, "cannot keep the label %.*s of %s: %s",
                   length < SHOWN_MAX ? (int)length : SHOWN_MAX, old, path, strerror(errno));
}
