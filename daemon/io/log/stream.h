/*
 * Log lines as text to a descriptor: a file, a pipe, a terminal.
 */
#ifndef KEYROTATED_IO_LOG_STREAM_H
#define KEYROTATED_IO_LOG_STREAM_H

#include "base/log.h"

struct log_stream {
    int fd;
    bool torn; /* the last line was written in part: the next one begins on a line of its own */
};

/* log_format_logfmt() or log_format_json(). */
typedef int log_format_line(struct buf *out, const struct log_line *line);

/* Writes the line with one write(2) where the descriptor takes it whole. Waits for as long as
 * nobody reads, whether the descriptor blocks or not: to be called on a thread that may wait.
 * Returns 0, or a negative errno value: the line is lost, wholly or from some byte on. */
int log_stream_write(struct log_stream *stream, log_format_line *format,
                     const struct log_line *line);

/* Writes text as it is, under the same conditions. */
int log_stream_write_text(struct log_stream *stream, const char *text, size_t length);

#endif
