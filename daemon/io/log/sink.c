#include "io/log/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "io/log/log_private.h"

/* What the writer's thread writes to. */
struct outlets {
    struct log_stream stderr_stream;
    struct log_journal journal;
};

struct log_sink {
    struct log *log;
    log_writer_function *write;
    struct log_writer *writer;
    struct outlets *outlets;
    struct log_troubles *troubles;
    struct loop *loop; /* NULL: not watched */
    struct timer timer;
    time_ms timer_at; /* when it fires */
};

/* systemd sets $JOURNAL_STREAM to DEVICE:INODE of the stream that it connected to the journal
 * (systemd.exec(5)). stderr may have been redirected since, so the two are compared. */
bool log_sink_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    char own[48];

    if (!stream || fstat(STDERR_FILENO, &status) != 0)
        return false;
    (void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(stream, own) == 0;
}

/* --- on the writer's thread --- */

static int write_logfmt(void *context, const struct log_line *line)
{
    struct outlets *outlets = context;

    return log_stream_write(&outlets->stderr_stream, log_format_logfmt, line);
}

static int write_json(void *context, const struct log_line *line)
{
    struct outlets *outlets = context;

    return log_stream_write(&outlets->stderr_stream, log_format_json, line);
}

/* The line goes to stderr when journald does not run or refuses it. */
static int write_journal(void *context, const struct log_line *line)
{
    struct outlets *outlets = context;

    if (log_journal_write(&outlets->journal, line) == 0)
        return 0;
    return write_logfmt(context, line);
}

/* A message for a person, unchanged. */
static int write_message(void *context, const struct log_line *line)
{
    struct outlets *outlets = context;

    for (size_t i = 0; i < line->field_count; i++) {
        const char *text = line->fields[i].text;
        int rc = log_stream_write_text(&outlets->stderr_stream, text, strlen(text));

        if (rc != 0)
            return rc;
    }
    return 0;
}

/* --- on the loop --- */

static void write_line(void *context, const struct log_line *line)
{
    struct log_sink *sink = context;

    if (line->level <= sink->log->level)
        log_writer_put(sink->writer, sink->write, line);
}

/* Checks again in a second at the earliest, because each check walks over all troubles. */
static void look_soon(struct log_sink *sink, time_ms now)
{
    enum { SOON_MS = 1000 };

    if (!sink->loop || (sink->timer_at > now && sink->timer_at <= now + SOON_MS))
        return;
    sink->timer_at = now + SOON_MS;
    timer_set_delay(&sink->timer, SOON_MS);
}

static void on_timer(struct timer *timer)
{
    struct log_sink *sink = container_of(timer, struct log_sink, timer);
    enum { LOOK_AT_LEAST_EVERY = 60 * 1000 };
    time_ms now = loop_now(sink->loop);
    time_ms next = log_troubles_due(sink->troubles, now, false);
    duration_ms delay = LOOK_AT_LEAST_EVERY;

    if (next == TIME_NEVER) {
        sink->timer_at = 0;
        return;
    }
    if (next < now + delay)
        delay = next > now ? next - now : 1;
    sink->timer_at = now + delay;
    timer_set_delay(timer, delay);
}

static void take_line(void *context, const struct log_line *line)
{
    struct log_sink *sink = context;

    log_troubles_take(sink->troubles, line);
    if (line->trouble)
        look_soon(sink, line->time);
}

static void take_end(void *context, time_ms now, const char *event, const char *subject, bool quiet)
{
    struct log_sink *sink = context;

    log_troubles_end(sink->troubles, now, event, subject, quiet);
    look_soon(sink, now);
}

void log_sink_watch(struct log_sink *sink, struct loop *loop)
{
    sink->loop = loop;
    timer_init(loop, &sink->timer, on_timer);
    log_troubles_gather(sink->troubles, true);
}

void log_sink_unwatch(struct log_sink *sink)
{
    if (!sink->loop)
        return;
    (void)log_troubles_due(sink->troubles, loop_now(sink->loop), true);
    log_troubles_gather(sink->troubles, false);
    timer_close(&sink->timer, NULL);
    sink->loop = NULL;
}

void log_sink_configure(struct log_sink *sink, enum log_format format, enum log_level level)
{
    if (format == LOG_FORMAT_AUTO)
        format = log_sink_is_journal() ? LOG_FORMAT_JOURNAL : LOG_FORMAT_LOGFMT;
    switch (format) {
    case LOG_FORMAT_JOURNAL:
        sink->write = write_journal;
        break;
    case LOG_FORMAT_JSON:
        sink->write = write_json;
        break;
    case LOG_FORMAT_AUTO:
    case LOG_FORMAT_LOGFMT:
        sink->write = write_logfmt;
        break;
    }
    sink->log->level = level;
}

static struct outlets *outlets_new(void)
{
    struct outlets *outlets = must_alloc(sizeof(*outlets));

    outlets->stderr_stream.fd = STDERR_FILENO;
    log_journal_init(&outlets->journal, LOG_JOURNAL_SOCKET);
    return outlets;
}

static void outlets_free(struct outlets *outlets)
{
    log_journal_done(&outlets->journal);
    free(outlets);
}

struct log_sink *log_sink_new(struct log *log, enum log_format format, enum log_level level)
{
    struct log_sink *sink = must_alloc(sizeof(*sink));

    sink->log = log;
    sink->outlets = outlets_new();
    sink->troubles = log_troubles_new(write_line, sink);
    sink->writer = log_writer_new(sink->outlets);
    log_sink_configure(sink, format, level);
    log->context = sink;
    log->write = take_line;
    log->ended = take_end;
    return sink;
}

int log_sink_start(struct log_sink *sink)
{
    return log_writer_start(sink->writer);
}

void log_sink_free(struct log_sink *sink)
{
    if (!sink)
        return;
    sink->log->write = NULL;
    sink->log->ended = NULL;
    sink->log->context = NULL;
    log_troubles_free(sink->troubles);
    if (log_writer_free(sink->writer))
        outlets_free(sink->outlets);
    free(sink);
}

void log_say_to_stderr(const char *text)
{
    struct outlets *outlets = outlets_new();
    struct log_writer *writer = log_writer_new(outlets);
    struct log_line line;

    log_line_start(&line, 0, LEVEL_ERROR, "", "%s", "");
    log_line_text(&line, "", text);
    log_writer_put(writer, write_message, &line);
    if (log_writer_free(writer))
        outlets_free(outlets);
}
