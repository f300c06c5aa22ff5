/*
 * The environment of a program that the daemon runs. It contains nothing of the daemon's own
 * environment but what its user adds, and never a key.
 */
#ifndef KEYROTATED_IO_SPAWNER_PROGRAM_ENVIRONMENT_H
#define KEYROTATED_IO_SPAWNER_PROGRAM_ENVIRONMENT_H

#include <stddef.h>

/* Where programs are looked for. */
#define PROGRAM_SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { PROGRAM_VARIABLES_MAX = 24 };

struct program_environment {
    const char *variables[PROGRAM_VARIABLES_MAX + 1]; /* "NAME=value"; ends with NULL */
    size_t count;
};

/* PATH and LANG. */
void program_environment_init(struct program_environment *environment);
/* Frees it; one that is all zero is fine. */
void program_environment_done(struct program_environment *environment);

/* Adds "NAME=value"; a NULL value is left out. Both are copied. */
void program_environment_add(struct program_environment *environment, const char *name,
                             const char *value);

#endif
