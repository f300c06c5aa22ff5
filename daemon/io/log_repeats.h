/*
 * The summing up of log lines that say the same again and again.
 *
 * A line is about something: an event, and the account, target or identity that it names. A warning
 * or an error that says the same as the one before about the same thing is held back for up to an
 * hour; only the latest is kept. It is written, with the number of lines that it stands for as
 * `repeated`, before the next line about that thing that says something else, and after the hour.
 * So the log shows the first and the last of them, and at least one an hour.
 *
 * "The same" leaves out what differs from attempt to attempt anyhow: the time, the number of the
 * attempt, when the next one is due, how long it took, and the ids of its request.
 *
 * Other lines are written as they come. Time is what the lines say it is.
 */
#ifndef KEYROTATED_IO_LOG_REPEATS_H
#define KEYROTATED_IO_LOG_REPEATS_H

#include "base/log.h"

enum { LOG_REPEATS_SUBJECTS_MAX = 4096 /* the one silent for longest is forgotten first */ };

struct log_repeats;

typedef void log_repeats_write(void *context, const struct log_line *line);

/* NULL when memory is out. */
struct log_repeats *log_repeats_new(log_repeats_write *write, void *context);

/* Writes what was held back; frees. NULL is fine. */
void log_repeats_free(struct log_repeats *repeats);

/* Writes the line, or holds it back. Before it, everything is written whose hour is over. */
void log_repeats_take(struct log_repeats *repeats, const struct log_line *line);

#endif
