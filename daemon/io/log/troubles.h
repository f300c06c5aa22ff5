/*
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
#ifndef KEYROTATED_IO_LOG_TROUBLES_H
#define KEYROTATED_IO_LOG_TROUBLES_H

#include "base/log.h"

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
