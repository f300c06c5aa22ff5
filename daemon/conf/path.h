/*
 * Absolute paths as text; nothing looks at the file system.
 */
#ifndef KEYROTATED_CONF_PATH_H
#define KEYROTATED_CONF_PATH_H

#include <stdbool.h>

#include "conf/arena.h"

/* The path without repeated or trailing slashes, or NULL when memory is out. */
char *path_clean(struct arena *arena, const char *path);

/* Is `path` the directory or below it? Both clean. */
bool path_is_below(const char *path, const char *directory);

/* Is one of its parts "." or ".."? */
bool path_has_dot_segment(const char *path);

#define PATH_FOR_SHELL "begins with `~`, which is not expanded; write an absolute path"

/* Is it one for a shell, with a leading '~'? */
bool path_is_for_shell(const char *path);

/* Why the path cannot name a file ("is not an absolute path; …"), or NULL. */
const char *path_problem(const char *path);

#endif
