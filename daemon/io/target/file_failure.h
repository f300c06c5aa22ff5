/*
 * What a file system refused, in words: which reason it is, what happened, and exactly what to do.
 */
#ifndef KEYROTATED_IO_TARGET_FILE_FAILURE_H
#define KEYROTATED_IO_TARGET_FILE_FAILURE_H

#include "base/err.h"
#include "core/look.h"

/* All fill *failure from scratch. May look up users: not for the loop. */

/* Writing `path` failed: err tells how. `group`: the configured one, or NULL. */
void file_failure_write(struct failure *failure, const char *path, const char *group,
                        const struct err *err);

/* Reading it failed. */
void file_failure_read(struct failure *failure, const char *path, const char *group,
                       const struct err *err);

/* The group of a file cannot be found, or not be given to it. `saved_errno` 0: there is none of
 * that name. */
void file_failure_group(struct failure *failure, const char *path, const char *group,
                        int saved_errno);

#endif
