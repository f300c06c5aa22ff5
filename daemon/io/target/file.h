/*
 * The target `file`.
 */
#ifndef KEYROTATED_IO_TARGET_FILE_H
#define KEYROTATED_IO_TARGET_FILE_H

#include "io/target/target_type.h"

extern const struct target_operations target_file_operations;

#endif
