/*
 * A copy of a log line with its texts, in one block of memory.
 *
 * A `struct log_line` borrows its texts until log_emit() returns, so a line is copied before it is
 * written later or on another thread.
 */
#ifndef KEYROTATED_IO_LOG_COPY_H
#define KEYROTATED_IO_LOG_COPY_H

#include "base/log.h"

struct log_copy;

/* free() frees it. */
struct log_copy *log_copy_new(const struct log_line *line);

/* The size of the copy in bytes. */
size_t log_copy_size(const struct log_copy *copy);

/* Restores the line. Its texts are borrowed from the copy. */
void log_copy_restore(const struct log_copy *copy, struct log_line *line);

#endif
