/*
 * Log lines: one event, one sentence, named fields.
 *
 * A line is built on the stack, filled with fields, and emitted. How it is written (logfmt, JSON,
 * or handed to another sink such as the system journal) is decided by the log's sink. Field values
 * are borrowed until log_emit() returns. Lines that exceed the limits are cut, never lost.
 */
#ifndef KEYROTATED_BASE_LOG_H
#define KEYROTATED_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/time.h"

/* The values are the severities of syslog (RFC 5424, section 6.2.1). */
enum log_level {
    LEVEL_ERROR = 3,
    LEVEL_WARNING = 4,
    LEVEL_NOTICE = 5,
    LEVEL_INFO = 6,
    LEVEL_DEBUG = 7
};

enum {
    LOG_FIELDS_MAX = 40,
    LOG_TIMES_MAX = 8,
    LOG_MESSAGE_MAX = 1024,
    LOG_VALUE_MAX = 2048, /* bytes of a text; what is longer is cut and ends with "..." */
    /* Every byte of every value may become an escape of six. */
    LOG_LINE_MAX = (LOG_FIELDS_MAX + 2) * (6 * LOG_VALUE_MAX + 64)
};

struct log_field {
    const char *name;
    const char *text; /* NULL: the field is the number */
    int64_t number;
};

struct log_line {
    time_ms time;
    enum log_level level;
    const char *event;   /* a stable name such as "key.delivered" */
    const char *trouble; /* see log_line_lasts(); NULL: the line is a single event */
    bool gathers;        /* see log_line_gathers() */
    char message[LOG_MESSAGE_MAX];
    size_t field_count;
    struct log_field fields[LOG_FIELDS_MAX];
    char times[LOG_TIMES_MAX][DATE_TEXT_MAX]; /* storage for fields that are instants */
    size_t time_count;
};

struct log {
    enum log_level level; /* lines above this severity number are dropped */
    void (*write)(void *context, const struct log_line *line);
    /* See log_ended(). NULL: the sink ignores ends. */
    void (*ended)(void *context, time_ms now, const char *event, const char *subject, bool quiet);
    void *context;
};

/* Starts a line. `now` is the wall clock; `event` is borrowed. */
void log_line_start(struct log_line *line, time_ms now, enum log_level level, const char *event,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Adding a field: NULL text and TIME_NEVER are left out, so that callers need no conditions. So are
 * fields past LOG_FIELDS_MAX and instants past LOG_TIMES_MAX. */
void log_line_text(struct log_line *line, const char *name, const char *text);
void log_line_number(struct log_line *line, const char *name, int64_t number);
void log_line_time(struct log_line *line, const char *name, time_ms at);

/* The condition that the line reports lasts until log_ended() is called for its event and this
 * subject (borrowed: the resource id of an account, for example). The sink may write it only once,
 * and may combine several subjects into one line. */
void log_line_lasts(struct log_line *line, const char *subject);

/* The line reports a single event that may happen to many subjects at once. The sink may combine
 * them into one line. `subject` is borrowed. */
void log_line_gathers(struct log_line *line, const char *subject);

/* Ends the condition that lines of that event reported about the subject. quiet: do not log its
 * end, because it became another condition or the subject is gone. Must be called at every log
 * level; without effect when no condition has begun. */
void log_ended(const struct log *log, time_ms now, const char *event, const char *subject,
               bool quiet);

/* Hands the line to the sink unless its level is not wanted. */
void log_emit(struct log *log, const struct log_line *line);
bool log_enabled(const struct log *log, enum log_level level);

/* Appends the line as `time=… level=… event=… msg="…" name=value …` or as one JSON object, with a
 * newline and none before it. Returns 0, or the error of the buffer (LOG_LINE_MAX always suffices
 * where names and event are short). */
int log_format_logfmt(struct buf *out, const struct log_line *line);
int log_format_json(struct buf *out, const struct log_line *line);

/* "error" "warning" "notice" "info" "debug". */
const char *log_level_name(enum log_level level);

#endif
