#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"

static const char CUT_MARK[] = "...";

/* Copies the text, which was `wanted` bytes before it was squeezed into `formatted`. The detour
 * over a second array lets callers use err->text itself as an argument of the format. */
static void store_text(struct err *err, char formatted[ERR_TEXT_MAX], int wanted)
{
    if (wanted < 0) {
        strcpy(err->text, "unknown error");
        return;
    }
    if (wanted >= ERR_TEXT_MAX) {
        size_t kept = utf8_whole(formatted, ERR_TEXT_MAX - sizeof(CUT_MARK));
        memcpy(formatted + kept, CUT_MARK, sizeof(CUT_MARK));
    }
    utf8_make_presentable(formatted);
    memcpy(err->text, formatted, strlen(formatted) + 1);
}

void err_clear(struct err *err)
{
    if (!err)
        return;
    err->code = 0;
    err->text[0] = '\0';
}

int err_set(struct err *err, int code, const char *format, ...)
{
    if (!err)
        return code;

    int saved_errno = errno;
    char formatted[ERR_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    int wanted = vsnprintf(formatted, sizeof(formatted), format, arguments);
    va_end(arguments);
    store_text(err, formatted, wanted);
    err->code = code;
    errno = saved_errno;
    return code;
}

int err_set_errno(struct err *err, int saved_errno, const char *format, ...)
{
    if (!err)
        return -saved_errno;

    int errno_at_entry = errno;
    char what[ERR_TEXT_MAX];
    char reason_storage[128];
    va_list arguments;

    va_start(arguments, format);
    int wanted = vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    if (wanted < 0)
        what[0] = '\0';

    const char *reason = strerror_r(saved_errno, reason_storage, sizeof(reason_storage));
    /* Room is kept for the reason, because it matters more than the end of a long path. */
    int room = ERR_TEXT_MAX - 1 - (int)strlen(": ") - (int)strlen(reason);
    if (wanted > room)
        what[utf8_whole(what, (size_t)room)] = '\0';

    err_set(err, -saved_errno, "%s: %s", what, reason);
    errno = errno_at_entry;
    return -saved_errno;
}

int err_wrap(struct err *err, const char *format, ...)
{
    if (!err)
        return -EIO;

    int rc = err->code != 0 ? err->code : -EIO;
    char prefix[ERR_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    int wanted = vsnprintf(prefix, sizeof(prefix), format, arguments);
    va_end(arguments);
    if (wanted < 0)
        prefix[0] = '\0';
    return err_set(err, rc, "%s: %s", prefix, err->text);
}
