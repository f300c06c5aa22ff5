/*
 * The thread that writes the log, so that nothing else ever waits for whoever reads it: a pipe that
 * is full, a terminal that was stopped, a journal that hangs, a file on a dead file system.
 *
 * Lines queue, up to LOG_QUEUE_MAX bytes; the last half is for notices and worse. A line that does
 * not fit, or that could not be written, is dropped and counted. When lines are written again and
 * half of the queue is free, one line tells the count (event log.dropped).
 */
#ifndef KEYROTATED_IO_LOG_WRITER_H
#define KEYROTATED_IO_LOG_WRITER_H

#include "base/log.h"

enum { LOG_QUEUE_MAX = 8 * 1024 * 1024 };

struct log_writer;

/* Writes one line, and may wait for as long as it takes. Called on the thread. Returns 0, or a
 * negative errno value: the line is lost. */
typedef int log_writer_function(void *context, const struct log_line *line);

/* Lines can be put from now on, by one thread at a time. */
struct log_writer *log_writer_new(void *context);

/* Starts the thread, which inherits the calling thread's system call filter. Returns 0 or a
 * negative errno value. */
int log_writer_start(struct log_writer *writer);

/* The line is copied, and `write` called with it from the thread, in the order of the calls. Never
 * waits. */
void log_writer_put(struct log_writer *writer, log_writer_function *write,
                    const struct log_line *line);

/* Waits until all is written, but only while it goes on: no longer than half a second for one line,
 * and five seconds in all. What is not written then is lost. Starts the thread if it was not
 * started. Returns whether the thread has ended; if not it is left behind, and `context` is still
 * in its use for as long as the process lives. NULL is fine. */
bool log_writer_free(struct log_writer *writer);

#endif
