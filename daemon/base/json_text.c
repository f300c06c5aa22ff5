#include "base/json_text.h"

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
