/*
 * The target `exec`: a program that gets the key on its standard input.
 */
#ifndef KEYROTATED_IO_TARGET_EXEC_H
#define KEYROTATED_IO_TARGET_EXEC_H

#include "io/target/target_type.h"

extern const struct target_operations target_exec_operations;

#endif
