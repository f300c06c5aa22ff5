/*
 * A log line that is kept: a copy in one piece of memory, texts included.
 *
 * A `struct log_line` borrows its texts until log_emit() returns. What is written later, or on
 * another thread, is copied first.
 */
#ifndef KEYROTATED_IO_LOG_COPY_H
#define KEYROTATED_IO_LOG_COPY_H

#include "base/log.h"

struct log_copy;

/* free() frees it. */
struct log_copy *log_copy_new(const struct log_line *line);

/* How many bytes it takes. */
size_t log_copy_size(const struct log_copy *copy);

/* The line again. Its texts are the copy's, and live as long. */
void log_copy_restore(const struct log_copy *copy, struct log_line *line);

#endif
