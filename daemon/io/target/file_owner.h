/*
 * Owner and group of a key file: the ids of their names, and whether this process may give files to
 * them. All functions may ask a directory service, so do not call them on the loop.
 */
#ifndef KEYROTATED_IO_TARGET_FILE_OWNER_H
#define KEYROTATED_IO_TARGET_FILE_OWNER_H

#include <sys/types.h>

#include "base/fs.h"
#include "conf/target_file.h"
#include "core/look.h"

#define FILE_OWNER_ANY ((uid_t)-1)

/* 0, or a positive errno value; the id is FILE_OWNER_ANY or FILE_GROUP_ANY (file_form.h) where
 * there is no such name. */
int file_owner_user(const char *name, uid_t *ret_uid);
int file_owner_group(const char *name, gid_t *ret_gid);

/* Fills in mode, owner and group of `ret_form` as configured. Returns false with *failure filled
 * when one of the names is unknown, or a file such as `path` cannot be given to them, or this
 * process could not read it any more afterwards. */
bool file_owner_find(const struct target_file *settings, const char *path, struct fs_form *ret_form,
                     struct failure *failure);

#endif
