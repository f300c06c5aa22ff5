#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "base/json_writer.h"

enum { MESSAGE_MAX = 4096, CODE_MAX = 32, USE_MAX = 512 };

/* The complaint of this run. */
static struct {
    bool in_json;
    char code[CODE_MAX]; /* "": no complaint, or a document has it already */
    char message[MESSAGE_MAX];
} kept;

void ctl_complain_in_json(void)
{
    kept.in_json = true;
}

static const char *code_of(enum ctl_exit result)
{
    switch (result) {
    case CTL_USAGE:
        return "usage";
    case CTL_NOT_PERMITTED:
        return "not_permitted";
    case CTL_UNREACHABLE:
        return "unreachable";
    case CTL_REFUSED:
        return "refused";
    default:
        return "not_done";
    }
}

static void complain(const char *code, const char *format, va_list arguments)
{
    char message[MESSAGE_MAX];
    int length = vsnprintf(message, sizeof(message), format, arguments);

    if (length >= MESSAGE_MAX)
        message[utf8_whole(message, MESSAGE_MAX - 1)] = '\0';
    if (!kept.in_json) {
        fprintf(stderr, "keyrotatectl: %s\n", message);
        return;
    }
    if (kept.code[0] != '\0')
        return;
    (void)str_copy(kept.code, sizeof(kept.code), code);
    (void)str_copy(kept.message, sizeof(kept.message), message);
}

enum ctl_exit ctl_complain(enum ctl_exit result, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain(code_of(result), format, arguments);
    va_end(arguments);
    return result;
}

enum ctl_exit ctl_complain_as(enum ctl_exit result, const char *code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain(code, format, arguments);
    va_end(arguments);
    return result;
}

enum ctl_exit ctl_complain_of_use(const char *format, ...)
{
    char message[USE_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return ctl_complain(CTL_USAGE, "%s (--help shows how)", message);
}

void ctl_print(FILE *stream, struct buf *text)
{
    fputs(text->failed ? "(too long to show)\n" : buf_str(text), stream);
    (void)fflush(stream);
    buf_done(text);
}

void ctl_complaint_write(struct buf *out)
{
    if (kept.code[0] == '\0')
        return;
    json_write_open(out, "error", '{');
    json_write_text(out, "code", kept.code);
    json_write_text(out, "message", kept.message);
    json_write_close(out, '}');
    kept.code[0] = '\0';
}

void ctl_complaint_take(struct buf *out)
{
    if (kept.code[0] != '\0')
        (void)buf_append_str(out, kept.message);
    kept.code[0] = '\0';
}

void ctl_complaint_print(void)
{
    struct buf out;

    if (kept.code[0] == '\0')
        return;
    buf_init(&out, CONTROL_REPLY_MAX);
    json_write_open(&out, NULL, '{');
    ctl_complaint_write(&out);
    json_write_close(&out, '}');
    (void)buf_append_char(&out, '\n');
    fputs(out.failed ? "{\"error\":{\"code\":\"not_done\",\"message\":\"out of memory\"}}\n"
                     : buf_str(&out),
          stdout);
    buf_done(&out);
}
