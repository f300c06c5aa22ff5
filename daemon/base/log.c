#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/json.h"
#include "base/str.h"

static const char CUT_MARK[] = "...";

const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {
        [LEVEL_ERROR] = "error", [LEVEL_WARNING] = "warning", [LEVEL_NOTICE] = "notice",
        [LEVEL_INFO] = "info",   [LEVEL_DEBUG] = "debug",
    };

    return level >= LEVEL_ERROR && level <= LEVEL_DEBUG ? names[level] : "unknown";
}

void log_line_start(struct log_line *line, time_ms now, enum log_level level, const char *event,
                    const char *format, ...)
{
    va_list arguments;

    line->time = now;
    line->level = level;
    line->event = event;
    line->trouble = NULL;
    line->gathers = false;
    line->field_count = 0;
    line->time_count = 0;

    va_start(arguments, format);
    int wanted = vsnprintf(line->message, sizeof(line->message), format, arguments);
    va_end(arguments);
    if (wanted < 0)
        line->message[0] = '\0';
    if (wanted >= LOG_MESSAGE_MAX) {
        size_t kept = utf8_whole(line->message, LOG_MESSAGE_MAX - sizeof(CUT_MARK));
        memcpy(line->message + kept, CUT_MARK, sizeof(CUT_MARK));
    }
}

static void add_field(struct log_line *line, struct log_field field)
{
    if (line->field_count < LOG_FIELDS_MAX)
        line->fields[line->field_count++] = field;
}

void log_line_text(struct log_line *line, const char *name, const char *text)
{
    if (text)
        add_field(line, (struct log_field){.name = name, .text = text});
}

void log_line_number(struct log_line *line, const char *name, int64_t number)
{
    add_field(line, (struct log_field){.name = name, .number = number});
}

void log_line_time(struct log_line *line, const char *name, time_ms at)
{
    if (at == TIME_NEVER || line->time_count == LOG_TIMES_MAX)
        return;
    log_line_text(line, name, date_to_rfc3339(at, line->times[line->time_count++]));
}

void log_line_lasts(struct log_line *line, const char *subject)
{
    line->trouble = subject;
}

void log_line_gathers(struct log_line *line, const char *subject)
{
    line->trouble = subject;
    line->gathers = true;
}

void log_ended(const struct log *log, time_ms now, const char *event, const char *subject,
               bool quiet)
{
    if (log->ended)
        log->ended(log->context, now, event, subject, quiet);
}

bool log_enabled(const struct log *log, enum log_level level)
{
    return log->write && level <= log->level;
}

void log_emit(struct log *log, const struct log_line *line)
{
    if (log_enabled(log, line->level))
        log->write(log->context, line);
}

/* Can a logfmt reader take the value as it stands? */
static bool needs_quotes(const char *text, size_t length)
{
    if (length == 0)
        return true;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F)
            return true; /* c is signed: everything that is not ASCII is quoted, too */
    }
    return false;
}

/* The value, or its beginning in `storage` where it is too long. */
static const char *cut(const char *text, char storage[LOG_VALUE_MAX + 1])
{
    size_t kept;

    if (strlen(text) <= LOG_VALUE_MAX)
        return text;
    kept = utf8_whole(text, LOG_VALUE_MAX - strlen(CUT_MARK));
    memcpy(storage, text, kept);
    memcpy(storage + kept, CUT_MARK, sizeof(CUT_MARK));
    return storage;
}

static void append_quoted(struct buf *out, const char *text)
{
    char storage[LOG_VALUE_MAX + 1];
    const char *value = cut(text, storage);

    json_append_string(out, value, strlen(value));
}

static void append_logfmt_text(struct buf *out, const char *text)
{
    size_t length = strlen(text);

    if (length > LOG_VALUE_MAX || needs_quotes(text, length))
        append_quoted(out, text);
    else
        buf_append(out, text, length);
}

int log_format_logfmt(struct buf *out, const struct log_line *line)
{
    char time[DATE_TEXT_MAX];

    buf_append_format(out, "time=%s level=%s event=", date_to_stamp(line->time, time),
                      log_level_name(line->level));
    append_logfmt_text(out, line->event);
    buf_append_str(out, " msg=");
    append_quoted(out, line->message);
    for (size_t i = 0; i < line->field_count; i++) {
        const struct log_field *field = &line->fields[i];
        buf_append_format(out, " %s=", field->name);
        if (field->text)
            append_logfmt_text(out, field->text);
        else
            buf_append_format(out, "%" PRId64, field->number);
    }
    return buf_append_char(out, '\n');
}

int log_format_json(struct buf *out, const struct log_line *line)
{
    char time[DATE_TEXT_MAX];
    char storage[LOG_VALUE_MAX + 1];

    buf_append_char(out, '{');
    json_write_text(out, "time", date_to_stamp(line->time, time));
    json_write_text(out, "level", log_level_name(line->level));
    json_write_text(out, "event", line->event);
    json_write_text(out, "msg", line->message);
    for (size_t i = 0; i < line->field_count; i++) {
        const struct log_field *field = &line->fields[i];

        if (field->text)
            json_write_text(out, field->name, cut(field->text, storage));
        else
            json_write_integer(out, field->name, field->number);
    }
    return buf_append_str(out, "}\n");
}
