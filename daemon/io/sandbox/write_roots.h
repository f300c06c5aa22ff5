/*
 * The directories directly under / in which a configuration has the daemon write, by their names:
 * "/var", "/run", … Whether files with such names really lie there, io/sandbox/link_survey.h looks.
 */
#ifndef KEYROTATED_IO_SANDBOX_WRITE_ROOTS_H
#define KEYROTATED_IO_SANDBOX_WRITE_ROOTS_H

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

/* Empty at first. */
struct write_roots {
    struct write_root roots[WRITE_ROOTS_MAX];
    size_t count;
};

/*
 * Adds those of the journal and the control socket, and those of all targets. Both return 0, or a
 * negative errno value where there is no such directory: a file lies in / itself, or only Azure's
 * answer says in which directory ({location}). err says of which.
 */
int write_roots_add_own(struct write_roots *roots, const struct config *config, struct err *err);
int write_roots_add_targets(struct write_roots *roots, const struct config *config,
                            struct err *err);

/* NULL: it is none of them. */
const struct write_root *write_roots_get(const struct write_roots *roots, const char *path);

#endif
