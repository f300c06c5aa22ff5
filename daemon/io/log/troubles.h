/*
 * Trouble that lasts, told once: when it begins, once a day, when its cause changes, when it ends.
 *
 * A line that says what it is about (log_line_lasts()) belongs to a trouble: all lines of one event
 * whose subjects fail for the same cause (base/cause.h: their sentences differ in names and numbers
 * alone, and reason, error code and HTTP status are the same). A trouble is told as one line:
 *
 *   - a second after it began, so that subjects that fail together are told together, or when it
 *     ends for one of them before;
 *   - when others have joined, after one minute at the earliest, then four, sixteen, …;
 *   - daily, while it lasts;
 *   - when it ended for its last subject, half a minute later (event trouble.ended), unless it came
 *     back meanwhile.
 *
 * What happens to many at once without lasting (log_line_gathers()) is written as it comes, up to
 * five times. Further lines of the same cause are told together: after a second, then four, sixteen
 * and so on, five minutes at most, until nothing has come for a minute.
 *
 * Of several subjects the line tells how many there are (`alike`) and up to five by name (`names`).
 * Lines that are not written are counted (`repeated`). Where one event and reason has more than
 * LOG_CAUSES_MAX causes at once, further ones count as one. Other lines are written as they come.
 *
 * Time is what lines and callers say it is.
 */
#ifndef KEYROTATED_IO_LOG_TROUBLES_H
#define KEYROTATED_IO_LOG_TROUBLES_H

#include "base/log.h"

enum { LOG_CAUSES_MAX = 8, LOG_SUBJECTS_MAX = 65536 /* further ones are told line by line */ };

struct log_troubles;

typedef void log_troubles_write(void *context, const struct log_line *line);

struct log_troubles *log_troubles_new(log_troubles_write *write, void *context);
/* Writes nothing. NULL is fine. */
void log_troubles_free(struct log_troubles *troubles);

/* While `gathering`, log_troubles_due() is called when it asks to be. Else, as before and after the
 * loop runs, a trouble is told with its first line, and nothing later. */
void log_troubles_gather(struct log_troubles *troubles, bool gathering);

/* Writes the line, or takes it for its trouble. */
void log_troubles_take(struct log_troubles *troubles, const struct log_line *line);
/* The subject's trouble of that event is over, or, if `quiet`, has become another one or nobody's.
 */
void log_troubles_end(struct log_troubles *troubles, time_ms now, const char *event,
                      const char *subject, bool quiet);

/* Writes what is due, or with `all` everything that was not told yet. Returns when to call it
 * again; TIME_NEVER: not before the next line. */
time_ms log_troubles_due(struct log_troubles *troubles, time_ms now, bool all);

#endif
