/*
 * The directories directly under / in which a configuration has the daemon write: "/var", "/run", …
 * Two of them for a path with links in it, where the links lead elsewhere.
 */
#ifndef KEYROTATED_IO_WRITE_ROOTS_H
#define KEYROTATED_IO_WRITE_ROOTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "conf/config.h"

enum { WRITE_ROOTS_MAX = 32 };

struct write_root {
    char path[NAME_MAX + 2]; /* "/var" */
    const char *target;      /* the first target in it, borrowed; NULL: the daemon's own files */
    bool stays;              /* nobody mounts it, or mounts over it, while the daemon runs */
};

struct write_roots {
    struct write_root roots[WRITE_ROOTS_MAX];
    size_t count;
};

/*
 * Looks at directories on a thread of its own, because file systems may hang, and waits a few
 * seconds for it. Returns 0, -ETIMEDOUT (*ret_roots goes by the names alone, not by where links
 * lead), or another negative errno value where there is no such directory, as of a file that lies
 * in / itself; err says of which.
 */
int write_roots_find(const struct config *config, struct write_roots *ret_roots, struct err *err);

/* NULL: it is none of them. */
const struct write_root *write_roots_get(const struct write_roots *roots, const char *path);

#endif
