/*
 * Reports missing capabilities of root: in a container, uid 0 often lacks some that root usually
 * has.
 */
#ifndef KEYROTATED_IO_SANDBOX_PRIVILEGES_H
#define KEYROTATED_IO_SANDBOX_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PRIVILEGES_TEXT_MAX = 512 };

/* Describes the capabilities that a process of that user lacks; `effective` is its effective set
 * (capabilities(7)). Returns false, and "", when none is missing, or for another user than root. */
bool privileges_describe(uid_t user, uint64_t effective, char out[PRIVILEGES_TEXT_MAX]);

/* The same for this process. Returns false also when the kernel does not report the set. */
bool privileges_missing(char out[PRIVILEGES_TEXT_MAX]);

#endif
