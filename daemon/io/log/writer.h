/*
 * The thread that writes the log, so that only this thread waits for a slow reader: a full pipe, a
 * stopped terminal, a journal that hangs, a file on a dead file system.
 *
 * Lines queue, up to LOG_QUEUE_MAX bytes; the last half is reserved for notices and worse. A line
 * that does not fit, or that could not be written, is dropped and counted. When lines are written
 * again and half of the queue is free, one line reports the count (event log.dropped).
 */
#ifndef KEYROTATED_IO_LOG_WRITER_H
#define KEYROTATED_IO_LOG_WRITER_H

#include "base/log.h"

enum { LOG_QUEUE_MAX = 8 * 1024 * 1024 };

struct log_writer;

/* Writes one line and may block. Called on the thread. Returns 0, or a negative errno value when
 * the line is lost. */
typedef int log_writer_function(void *context, const struct log_line *line);

/* Creates a writer; one thread at a time may then put lines. */
struct log_writer *log_writer_new(void *context);

/* Starts the thread, which inherits the calling thread's system call filter. Returns 0 or a
 * negative errno value. */
int log_writer_start(struct log_writer *writer);

/* Copies the line; the thread calls `write` with it, in the order of the calls. Never blocks. */
void log_writer_put(struct log_writer *writer, log_writer_function *write,
                    const struct log_line *line);

/* Waits until all lines are written, at most half a second for one line and five seconds in all;
 * the rest is lost. Starts the thread if necessary. Returns true when the thread has ended.
 * Otherwise the thread is left behind and uses `context` until the process ends. NULL is fine. */
bool log_writer_free(struct log_writer *writer);

#endif
