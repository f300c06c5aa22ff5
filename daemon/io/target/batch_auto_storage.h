/*
 * The target `batch_auto_storage`.
 */
#ifndef KEYROTATED_IO_TARGET_BATCH_AUTO_STORAGE_H
#define KEYROTATED_IO_TARGET_BATCH_AUTO_STORAGE_H

#include "io/target/target_type.h"

extern const struct target_operations target_batch_auto_storage_operations;

#endif
