/*
 * Memory that has to be there.
 *
 * Where a step cannot be undone, or a completion would be lost, nothing sensible can be done
 * without memory: the process ends, and the next start goes on from the journal. io/ and app/
 * allocate with these. base/, conf/ and proto/ return -ENOMEM, and their callers in io/ and app/
 * pass that on to fault_out_of_memory(). Any thread may call them.
 */
#ifndef KEYROTATED_BASE_MUST_H
#define KEYROTATED_BASE_MUST_H

#include <stddef.h>

/* Calls the function that fault_on_out_of_memory() set. */
_Noreturn void fault_out_of_memory(void);

/* ended() is told that memory is out and must not return. NULL, as at the beginning: a line on
 * stderr, and exit status 70. */
void fault_on_out_of_memory(void (*ended)(void));

/* `memory` itself, which is not NULL. */
void *must(void *memory);
/* Zeroed. */
void *must_alloc(size_t size);
void *must_alloc_array(size_t count, size_t size);
/* NULL where `text` is NULL. */
char *must_dup(const char *text);

#endif
