/*
 * The target `kubernetes_secret`.
 */
#ifndef KEYROTATED_IO_TARGET_KUBERNETES_SECRET_H
#define KEYROTATED_IO_TARGET_KUBERNETES_SECRET_H

#include "io/target/target_type.h"

extern const struct target_operations target_kubernetes_secret_operations;

#endif
