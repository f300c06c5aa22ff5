/*
 * What the files of the log do for each other. Private to io/log/.
 */
#ifndef KEYROTATED_IO_LOG_LOG_PRIVATE_H
#define KEYROTATED_IO_LOG_LOG_PRIVATE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"

/*
 * --- copy.c ---
 *
 * A copy of a log line with its texts, in one block of memory.
 *
 * A `struct log_line` borrows its texts until log_emit() returns, so a line is copied before it is
 * written later or on another thread.
 */

struct log_copy;

/* free() frees it. */
struct log_copy *log_copy_new(const struct log_line *line);

/* The size of the copy in bytes. */
size_t log_copy_size(const struct log_copy *copy);

/* Restores the line. Its texts are borrowed from the copy. */
void log_copy_restore(const struct log_copy *copy, struct log_line *line);

/*
 * --- stream.c ---
 *
 * Log lines as text to a descriptor: a file, a pipe, a terminal.
 */

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

/*
 * --- journal.c ---
 *
 * Log lines in the native form of the system journal (systemd.journal-fields(7)), through our own
 * socket (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).
 */

/* Where journald listens. */
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

enum {
    /* An entry holds every value as a field, and again in MESSAGE. */
    LOG_JOURNAL_ENTRY_MAX = 2 * LOG_LINE_MAX
};

struct log_journal {
    const char *path; /* of the socket; borrowed */
    int fd;           /* -1: not opened yet */
};

/* Opens nothing yet. */
void log_journal_init(struct log_journal *journal, const char *path);
void log_journal_done(struct log_journal *journal);

/* Appends the line as an entry in journald's format. Returns 0, or the error of the buffer. */
int log_journal_format(struct buf *out, const struct log_line *line);

/* Sends the line to journald. Blocks while journald's socket is full (it holds some hundred
 * entries), so call it on a thread that may block. Returns 0, or a negative errno value when
 * journald does not run or refuses the line. */
int log_journal_write(struct log_journal *journal, const struct log_line *line);

/*
 * --- writer.c ---
 *
 * The thread that writes the log, so that only this thread waits for a slow reader: a full pipe, a
 * stopped terminal, a journal that hangs, a file on a dead file system.
 *
 * Lines queue, up to LOG_QUEUE_MAX bytes; the last half is reserved for notices and worse. A line
 * that does not fit, or that could not be written, is dropped and counted. When lines are written
 * again and half of the queue is free, one line reports the count (event log.dropped).
 */

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

/*
 * --- alike.c ---
 *
 * Recognises lines of the log that report the same for different subjects, and finds their common
 * fields.
 */

/* The text of the field of that name; NULL when there is no such field or it is a number. */
const char *log_alike_text(const struct log_line *line, const char *name);

/* A hash over event and reason. */
uint64_t log_alike_kind(const struct log_line *line);
/* A hash over the event and the text of log_line_lasts(). */
uint64_t log_alike_subject(const char *event, const char *subject);
/* A hash that is the same for lines of one kind with the same cause: their sentences differ only in
 * names and numbers, and error code and HTTP status are the same. */
uint64_t log_alike_cause(const struct log_line *line);

/* "group/account", or what else the line is about: a subscription, an identity. */
void log_alike_name(const struct log_line *line, struct buf *out);

/* Removes the fields that are specific to one subject. */
void log_alike_keep_common(struct log_line *line);

/*
 * --- troubles.c ---
 *
 * Logs a lasting trouble once when it begins, once a day, when its cause changes, and when it ends.
 * A line with a subject (log_line_lasts()) belongs to a trouble: all lines of one event whose
 * subjects fail for the same cause (base/cause.h: their sentences differ only in names and numbers,
 * and reason, error code and HTTP status are the same). A trouble is logged as one line: - a second
 * after it began, so that subjects that fail together are logged together, or earlier when it ends
 * for one of them; - when others have joined, after one minute at the earliest, then four, sixteen,
 * …; - daily, while it lasts; - when it ended for its last subject, half a minute later (event
 * trouble.ended), unless it came back meanwhile. Single events that happen to many subjects at once
 * (log_line_gathers()) are written one by one, up to five times. Further lines of the same cause
 * are combined: after a second, then four, sixteen and so on, five minutes at most, until none has
 * come for a minute. A line about several subjects holds their number (`alike`) and up to five
 * names (`names`). Unwritten lines are counted (`repeated`). When one event and reason has more
 * than LOG_CAUSES_MAX causes at once, further ones count as one. When the cause of one subject has
 * changed five times, the next change waits a minute, then four, sixteen and so on, less than
 * a day, until none has come for one; what is said meanwhile counts as a repetition. Other lines
 * are written at once. All times come from lines and callers.
 */

enum { LOG_CAUSES_MAX = 8, LOG_SUBJECTS_MAX = 65536 /* further ones are logged line by line */ };

struct log_troubles;

typedef void log_troubles_write(void *context, const struct log_line *line);

struct log_troubles *log_troubles_new(log_troubles_write *write, void *context);
/* Writes nothing. NULL is fine. */
void log_troubles_free(struct log_troubles *troubles);

/* `gathering`: the caller calls log_troubles_due() at the times that it returns. Otherwise (before
 * and after the loop runs) only the first line of a trouble is logged. */
void log_troubles_gather(struct log_troubles *troubles, bool gathering);

/* Writes the line, or adds it to its trouble. */
void log_troubles_take(struct log_troubles *troubles, const struct log_line *line);
/* Ends the subject's trouble of that event. `quiet`: without a line, because it became another
 * trouble or the subject is gone. */
void log_troubles_end(struct log_troubles *troubles, time_ms now, const char *event,
                      const char *subject, bool quiet);

/* Writes the lines that are due, or with `all` every pending line. Returns the time of the next
 * call; TIME_NEVER: not before the next line. */
time_ms log_troubles_due(struct log_troubles *troubles, time_ms now, bool all);

#endif
