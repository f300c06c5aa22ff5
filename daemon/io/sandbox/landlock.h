/*
 * Landlock (landlock(7)): what this process may do with files is limited by the process itself, and
 * for ever, children included. The kernel calls, without policy; io/sandbox/confinement.h has that.
 */
#ifndef KEYROTATED_IO_SANDBOX_LANDLOCK_H
#define KEYROTATED_IO_SANDBOX_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The version of Landlock's interface that the kernel has, or 0: none, or not for us. */
int landlock_version(void);

/*
 * From now on this thread, and those that it makes, can make, write, replace and remove files only
 * in the directories `places`, at whatever depth, or, where one is a file, that file. Nowhere can
 * programs be executed, or devices, pipes and symbolic links be made. Reading is not limited. To be
 * called while there is one thread only, with PR_SET_NO_NEW_PRIVS set.
 *
 * Returns 0, or a negative errno value with err set (a place that does not exist is -ENOENT); then
 * nothing is limited.
 */
int landlock_limit_writing(const char *const places[], size_t count, struct err *err);

/* Has this process done so? */
bool landlock_limits_writing(void);

#endif
