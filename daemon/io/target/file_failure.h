/*
 * Turns the errors of a file system into a reason, a sentence, and an exact remedy.
 */
#ifndef KEYROTATED_IO_TARGET_FILE_FAILURE_H
#define KEYROTATED_IO_TARGET_FILE_FAILURE_H

#include "base/err.h"
#include "conf/target_file.h"
#include "core/look.h"

/* All overwrite *failure. They may look up users, so do not call them on the loop. */

/* Writing `path` failed with `err`. `group`: the configured one, or NULL. */
void file_failure_write(struct failure *failure, const char *path, const char *group,
                        const struct err *err);

/* Reading it failed. */
void file_failure_read(struct failure *failure, const char *path,
                       const struct target_file *settings, const struct err *err);

/* Everybody may write to its directory, which has no sticky bit. */
void file_failure_open_directory(struct failure *failure, const char *path, const char *directory);

/* The group of a file was not found, or the file cannot be given to it. `saved_errno` 0: no such
 * group exists. */
void file_failure_group(struct failure *failure, const char *path, const char *group,
                        int saved_errno);

/* Likewise the owner of a file. EACCES: the file can be given to him, and the daemon could not read
 * it any more. */
void file_failure_owner(struct failure *failure, const char *path,
                        const struct target_file *settings, int saved_errno);

#endif
