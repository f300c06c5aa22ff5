/*
 * Overwrites memory that held a secret.
 *
 * Our own code wipes its secrets. Libraries cannot know what is secret, so they get malloc
 * functions that wipe every freed block. All of this is in one file, so that the memory test can
 * link the daemon without it (tests/memory); it cannot be switched off at run time.
 */
#ifndef KEYROTATED_BASE_WIPE_H
#define KEYROTATED_BASE_WIPE_H

#include <stddef.h>

/* Overwrites `length` bytes; the compiler cannot remove this. NULL with length 0 is fine. */
void wipe(void *bytes, size_t length);

/* free() and realloc() that wipe the whole block before they release it. */
void wiping_free(void *memory);
void *wiping_realloc(void *memory, size_t size);

/* Overwrites the part of this thread's stack that is not in use now: what functions that have
 * returned left there, ours and those of libraries. */
void wipe_unused_stack(void);

#endif
