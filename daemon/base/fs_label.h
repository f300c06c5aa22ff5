/*
 * Labels of files: extended attributes by which a security module decides who may use a file.
 */
#ifndef KEYROTATED_BASE_FS_LABEL_H
#define KEYROTATED_BASE_FS_LABEL_H

#include "base/err.h"

#define FS_LABEL_SELINUX "security.selinux"

/*
 * Gives the open file `fd` the label that `path` has, so that whoever could read that file can read
 * its successor. Does nothing when there is no file at `path`, or when one of the two has no such
 * label: then nobody labels files here, and the label of an old file is a remainder. -ENODATA when
 * the label cannot be set; err has it, and the reason.
 */
int fs_label_keep(const char *path, int fd, const char *name, struct err *err);

#endif
