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

/* Calls what fault_on_out_of_memory() has set, once; then a line on stderr, and exit status 70. */
_Noreturn void fault_out_of_memory(void);

/* ended(context) may say that memory is out, and end the process its own way. Where it returns, or
 * runs out of memory itself, fault_out_of_memory() ends it. */
void fault_on_out_of_memory(void (*ended)(void *context), void *context);

/* `memory` itself, which is not NULL. */
void *must(void *memory);
/* Zeroed. */
void *must_alloc(size_t size);
void *must_alloc_array(size_t count, size_t size);
/* NULL where `text` is NULL. */
char *must_dup(const char *text);

#endif
