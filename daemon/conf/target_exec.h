/*
 * The settings of a target of type `exec`.
 */
#ifndef KEYROTATED_CONF_TARGET_EXEC_H
#define KEYROTATED_CONF_TARGET_EXEC_H

#include "base/time.h"
#include "conf/target_type.h"

enum { TARGET_EXEC_ARGUMENTS_MAX = 64 };

/* The place is the command, quoted as for a shell. Several accounts may have the same one, because
 * the program is told which account it works for. */
struct target_exec {
    const char *const *arguments; /* ends with NULL; [0] is an absolute path */
    duration_ms timeout;
};

extern const struct target_type target_exec_type;

/* The settings of a destination of this type. */
static inline const struct target_exec *target_exec_of(const struct destination *destination)
{
    return destination->settings;
}

#endif
