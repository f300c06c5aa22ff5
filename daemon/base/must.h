/*
 * Allocation that cannot fail.
 *
 * When memory runs out, steps cannot be undone and completions would be lost, so the process ends
 * and the next start continues from the journal. io/ and app/ allocate with these. base/, conf/ and
 * proto/ return -ENOMEM, and their callers in io/ and app/ pass that on to fault_out_of_memory().
 * Any thread may call them.
 */
#ifndef KEYROTATED_BASE_MUST_H
#define KEYROTATED_BASE_MUST_H

#include <stddef.h>

/* Calls the function set by fault_on_out_of_memory(), once; then writes a line to stderr and exits
 * with status 70. */
_Noreturn void fault_out_of_memory(void);

/* ended(context) may log the shortage and end the process itself. When it returns, or runs out of
 * memory too, fault_out_of_memory() ends the process. */
void fault_on_out_of_memory(void (*ended)(void *context), void *context);

/* Returns `memory`. NULL ends the process. */
void *must(void *memory);
/* Zeroed. */
void *must_alloc(size_t size);
void *must_alloc_array(size_t count, size_t size);
/* NULL where `text` is NULL. */
char *must_dup(const char *text);

#endif
