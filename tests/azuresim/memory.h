/* Allocation that cannot fail: a test tool that runs out of memory stops, which keeps its callers
 * short. Everything returned is freed with free(3). */
#ifndef AZURESIM_MEMORY_H
#define AZURESIM_MEMORY_H

#include <stddef.h>

/* COUNT zeroed elements of SIZE bytes; aborts where there is no memory. */
void *memory_zeroed(size_t count, size_t size);

/* BLOCK (may be NULL) resized to COUNT elements of SIZE bytes; aborts where there is no memory. */
void *memory_resized(void *block, size_t count, size_t size);

/* A copy of TEXT; NULL stays NULL. */
char *memory_text(const char *text);

/* A copy of the first LENGTH bytes of BYTES, with a terminating zero. */
char *memory_text_n(const char *bytes, size_t length);

/* A new string made as printf(3) would print it. */
char *memory_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
