#include "base/json_writer.h"

#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/encoding.h"

/* RFC 8259 demands some escapes. Characters that control a terminal (DEL, C1), or that some readers
 * take for the end of a line (NEL, U+2028, U+2029), are escaped too. */
static bool needs_escape(uint32_t code_point)
{
    return code_point < 0x20 || code_point == '"' || code_point == '\\' ||
           (code_point >= 0x7F && code_point <= 0x9F) || code_point == 0x2028 ||
           code_point == 0x2029;
}

static void append_escape(struct buf *out, uint32_t code_point)
{
    switch (code_point) {
    case '"':
        buf_append_str(out, "\\\"");
        break;
    case '\\':
        buf_append_str(out, "\\\\");
        break;
    case '\n':
        buf_append_str(out, "\\n");
        break;
    case '\r':
        buf_append_str(out, "\\r");
        break;
    case '\t':
        buf_append_str(out, "\\t");
        break;
    default:
        buf_append_format(out, "\\u%04x", code_point);
        break;
    }
}

int json_append_string(struct buf *out, const char *text, size_t length)
{
    size_t at = 0;

    buf_append_char(out, '"');
    while (at < length) {
        uint32_t code_point = 0;
        size_t count = utf8_character(text + at, length - at, &code_point);
        if (count == 0)
            buf_append_str(out, "\xEF\xBF\xBD"); /* U+FFFD, the replacement character */
        else if (needs_escape(code_point))
            append_escape(out, code_point);
        else
            buf_append(out, text + at, count);
        at += count > 0 ? count : 1;
    }
    return buf_append_char(out, '"');
}

static void write_name(struct buf *out, const char *name)
{
    const char last = out->length > 0 ? out->data[out->length - 1] : '{';

    if (last != '{' && last != '[' && last != ':')
        (void)buf_append_char(out, ',');
    if (name) {
        (void)json_append_string(out, name, strlen(name));
        (void)buf_append_char(out, ':');
    }
}

void json_write_open(struct buf *out, const char *name, char bracket)
{
    write_name(out, name);
    (void)buf_append_char(out, bracket);
}

void json_write_close(struct buf *out, char bracket)
{
    (void)buf_append_char(out, bracket);
}

void json_write_null(struct buf *out, const char *name)
{
    write_name(out, name);
    (void)buf_append_str(out, "null");
}

void json_write_text(struct buf *out, const char *name, const char *text)
{
    write_name(out, name);
    if (text)
        (void)json_append_string(out, text, strlen(text));
    else
        (void)buf_append_str(out, "null");
}

void json_write_bool(struct buf *out, const char *name, bool value)
{
    write_name(out, name);
    (void)buf_append_str(out, value ? "true" : "false");
}

void json_write_number(struct buf *out, const char *name, uint64_t value)
{
    write_name(out, name);
    (void)buf_append_format(out, "%" PRIu64, value);
}

void json_write_integer(struct buf *out, const char *name, int64_t value)
{
    write_name(out, name);
    (void)buf_append_format(out, "%" PRId64, value);
}

void json_write_time(struct buf *out, const char *name, time_ms at)
{
    char text[DATE_TEXT_MAX];

    json_write_text(out, name, at > 0 && at != TIME_NEVER ? date_to_rfc3339(at, text) : NULL);
}

void json_write_age(struct buf *out, const char *name, time_ms born, time_ms now)
{
    if (born <= 0 || born == TIME_NEVER)
        json_write_null(out, name);
    else
        json_write_number(out, name,
                          now > born ? (uint64_t)(time_between(born, now) / MS_SECOND) : 0);
}
