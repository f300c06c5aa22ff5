/*
 * The target `socket`.
 */
#ifndef KEYROTATED_IO_TARGET_SOCKET_H
#define KEYROTATED_IO_TARGET_SOCKET_H

#include "io/target/target_type.h"

extern const struct target_operations target_socket_operations;

#endif
