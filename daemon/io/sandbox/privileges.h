/*
 * What root cannot do here: in a container, uid 0 often lacks the capabilities that one takes for
 * granted in root.
 */
#ifndef KEYROTATED_IO_SANDBOX_PRIVILEGES_H
#define KEYROTATED_IO_SANDBOX_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PRIVILEGES_TEXT_MAX = 512 };

/* Says what a process of that user lacks whose effective capabilities (capabilities(7)) are these.
 * False, and "", where nothing is to be said: another user expects no capability. */
bool privileges_describe(uid_t user, uint64_t effective, char out[PRIVILEGES_TEXT_MAX]);

/* The same of this process. False also where the kernel does not tell. */
bool privileges_missing(char out[PRIVILEGES_TEXT_MAX]);

#endif
