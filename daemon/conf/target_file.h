/*
 * The settings of a target of type `file`.
 */
#ifndef KEYROTATED_CONF_TARGET_FILE_H
#define KEYROTATED_CONF_TARGET_FILE_H

#include <sys/types.h>

#include "conf/target_type.h"

enum file_format {
    FILE_FORMAT_RAW,
    FILE_FORMAT_ENV,
    FILE_FORMAT_JSON,
    FILE_FORMAT_TEMPLATE,
    FILE_FORMAT_ENV_CONNECTION
};

/* The place is the path. */
struct target_file {
    mode_t mode;
    bool has_mode;     /* the file sets a mode; false: `mode` is the default */
    const char *owner; /* NULL: the daemon's user */
    const char *group; /* NULL: the daemon's own */
    enum file_format format;
    const struct two_key_resource *resource; /* the account's type, which names env's variables */
    const char *content; /* the template (proto/template.h); NULL for other formats */
};

extern const struct target_type target_file_type;

/* The settings of a destination of this type. */
static inline const struct target_file *target_file_of(const struct destination *destination)
{
    return destination->settings;
}

#endif
