/*
 * The target `webhook`.
 */
#ifndef KEYROTATED_IO_TARGET_WEBHOOK_H
#define KEYROTATED_IO_TARGET_WEBHOOK_H

#include "io/target/target_type.h"

extern const struct target_operations target_webhook_operations;

#endif
