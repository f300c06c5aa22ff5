/*
 * Log lines in the native form of the system journal (systemd.journal-fields(7)), through our own
 * socket (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).
 */
#ifndef KEYROTATED_IO_LOG_JOURNAL_H
#define KEYROTATED_IO_LOG_JOURNAL_H

#include "base/buf.h"
#include "base/log.h"

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

#endif
