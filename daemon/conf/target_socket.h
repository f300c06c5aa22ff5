/*
 * The settings of a target of type `socket`.
 */
#ifndef KEYROTATED_CONF_TARGET_SOCKET_H
#define KEYROTATED_CONF_TARGET_SOCKET_H

#include "conf/target_type.h"

/* The place is the path. */
struct target_socket {
    const char *owner; /* the user that must listen: a name or a number */
    duration_ms timeout;
};

extern const struct target_type target_socket_type;

/* The settings of a destination of this type. */
static inline const struct target_socket *target_socket_of(const struct destination *destination)
{
    return destination->settings;
}

#endif
