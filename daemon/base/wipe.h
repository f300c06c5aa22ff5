/*
 * Leaving nothing behind: overwriting what held a secret.
 *
 * Our own code wipes what it knows to be secret. Libraries do not know it, so they are given
 * functions of the malloc family that wipe whatever is freed. All of it is in this one file, so
 * that the memory test can link the daemon without (tests/memory); there is no switch for it at run
 * time.
 */
#ifndef KEYROTATED_BASE_WIPE_H
#define KEYROTATED_BASE_WIPE_H

#include <stddef.h>

/* Overwrites `length` bytes in a way that the compiler does not remove. NULL/0 is fine. */
void wipe(void *bytes, size_t length);

/* free() and realloc() that wipe the block which is given back, whole. */
void wiping_free(void *memory);
void *wiping_realloc(void *memory, size_t size);

/* Overwrites the part of this thread's stack that is not in use now: what functions that have
 * returned left there, ours and those of libraries. */
void wipe_unused_stack(void);

#endif
