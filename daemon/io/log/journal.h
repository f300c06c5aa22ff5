/*
 * Log lines in the native form of the system journal (systemd.journal-fields(7)), through a socket
 * of our own (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).
 */
#ifndef KEYROTATED_IO_LOG_JOURNAL_H
#define KEYROTATED_IO_LOG_JOURNAL_H

#include "base/buf.h"
#include "base/log.h"

/* Where journald listens. */
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

enum {
    /* Every value as itself, and all of them again in MESSAGE. */
    LOG_JOURNAL_ENTRY_MAX = 2 * LOG_LINE_MAX
};

struct log_journal {
    const char *path; /* of the socket; borrowed */
    int fd;           /* -1: not opened yet */
};

/* Opens nothing yet. */
void log_journal_init(struct log_journal *journal, const char *path);
void log_journal_done(struct log_journal *journal);

/* Appends the entry of the line, as journald takes it. Returns 0, or the error of the buffer. */
int log_journal_format(struct buf *out, const struct log_line *line);

/* Hands the line to journald. Waits for as long as journald takes nothing (some hundred entries fit
 * before that): to be called on a thread that may wait. Returns 0, or a negative errno value where
 * nobody listens or the line is not taken. */
int log_journal_write(struct log_journal *journal, const struct log_line *line);

#endif
