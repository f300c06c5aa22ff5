/*
 * Log lines in the native form of the system journal (systemd.journal-fields(7)).
 */
#ifndef KEYROTATED_IO_LOG_JOURNAL_H
#define KEYROTATED_IO_LOG_JOURNAL_H

#include <sys/uio.h>

#include "base/buf.h"
#include "base/log.h"

enum { JOURNAL_FIELDS_MAX = LOG_FIELDS_MAX + 6 };

/* The line as fields "NAME=value", values as they are: journald takes any bytes. */
struct journal_entry {
    struct buf bytes;
    struct iovec fields[JOURNAL_FIELDS_MAX];
    size_t field_count;
};

/* Returns 0, or the error of the buffer. journal_entry_done() in any case. */
int journal_entry_init(struct journal_entry *entry, const struct log_line *line);
void journal_entry_done(struct journal_entry *entry);

/* Hands the line to journald. Where there is none, or it does not take it, the line goes as logfmt
 * to the descriptor that `context` points to (an int). */
void log_write_journal(void *context, const struct log_line *line);

#endif
