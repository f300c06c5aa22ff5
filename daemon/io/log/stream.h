/*
 * Log lines as text to a descriptor: a file, a pipe, a terminal.
 */
#ifndef KEYROTATED_IO_LOG_STREAM_H
#define KEYROTATED_IO_LOG_STREAM_H

#include "base/log.h"

struct log_stream {
    int fd;
    bool torn; /* the last line was written in part; write a line break before the next one */
};

/* log_format_logfmt() or log_format_json(). */
typedef int log_format_line(struct buf *out, const struct log_line *line);

/* Writes the line, with one write(2) if the descriptor accepts it whole. Blocks until somebody
 * reads, even on a nonblocking descriptor, so call it on a thread that may block. Returns 0, or a
 * negative errno value when the line, or its end, is lost. */
int log_stream_write(struct log_stream *stream, log_format_line *format,
                     const struct log_line *line);

/* Writes text unchanged; otherwise like log_stream_write(). */
int log_stream_write_text(struct log_stream *stream, const char *text, size_t length);

#endif
