#include "io/log_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "io/log_journal.h"
#include "io/log_repeats.h"

struct log_sink {
    struct log *log;
    void (*write)(void *context, const struct log_line *line);
    int descriptor;
    struct log_repeats *repeats; /* NULL: no memory for it; every line is written */
};

/* systemd sets $JOURNAL_STREAM to DEVICE:INODE of the stream that it connected to the journal
 * (systemd.exec(5)). Whether stderr still is that stream has to be compared. */
bool log_sink_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    char own[48];

    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
        return false;
    (void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(stream, own) == 0;
}

static void write_line(void *context, const struct log_line *line)
{
    struct log_sink *sink = context;

    sink->write(&sink->descriptor, line);
}

static void take_line(void *context, const struct log_line *line)
{
    struct log_sink *sink = context;

    if (sink->repeats != NULL)
        log_repeats_take(sink->repeats, line);
    else
        write_line(sink, line);
}

void log_sink_configure(struct log_sink *sink, enum log_format format, enum log_level level)
{
    if (format == LOG_FORMAT_AUTO)
        format = log_sink_is_journal() ? LOG_FORMAT_JOURNAL : LOG_FORMAT_LOGFMT;
    switch (format) {
    case LOG_FORMAT_JOURNAL:
        sink->write = log_write_journal;
        break;
    case LOG_FORMAT_JSON:
        sink->write = log_write_json;
        break;
    case LOG_FORMAT_AUTO:
    case LOG_FORMAT_LOGFMT:
        sink->write = log_write_logfmt;
        break;
    }
    sink->log->level = level;
}

struct log_sink *log_sink_new(struct log *log, enum log_format format, enum log_level level)
{
    struct log_sink *sink = calloc(1, sizeof(*sink));

    if (sink == NULL)
        return NULL;
    sink->log = log;
    sink->descriptor = STDERR_FILENO;
    sink->repeats = log_repeats_new(write_line, sink);
    log_sink_configure(sink, format, level);
    log->context = sink;
    log->write = take_line;
    return sink;
}

void log_sink_free(struct log_sink *sink)
{
    if (sink == NULL)
        return;
    sink->log->write = NULL;
    sink->log->context = NULL;
    log_repeats_free(sink->repeats);
    free(sink);
}
