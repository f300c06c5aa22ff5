#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/str.h"

enum { FIRST_CAPACITY = 64 };

void buf_init(struct buf *buf, size_t maximum)
{
    /* One byte is kept for the NUL, so that `maximum + 1` cannot wrap around. */
    *buf = (struct buf){.maximum = maximum < SIZE_MAX ? maximum : SIZE_MAX - 1};
}

static void release(struct buf *buf)
{
    /* Wipe the whole capacity: bytes that were cut off or half formatted lie beyond `length`. */
    wipe(buf->data, buf->capacity);
    free(buf->data);
    buf->data = NULL;
    buf->length = 0;
    buf->capacity = 0;
}

void buf_done(struct buf *buf)
{
    if (!buf)
        return;
    release(buf);
    buf->failed = 0;
}

void buf_clear(struct buf *buf)
{
    wipe(buf->data, buf->capacity);
    buf->length = 0;
    buf->failed = 0;
}

void buf_truncate(struct buf *buf, size_t length)
{
    if (length >= buf->length)
        return;
    wipe(buf->data + length, buf->length - length);
    buf->length = length;
}

static int fail(struct buf *buf, int code)
{
    buf->failed = code;
    return code;
}

/* Moves the content to a block of `capacity` bytes. Not realloc(), which would leave the old block
 * behind unwiped. */
static int move(struct buf *buf, size_t capacity)
{
    char *data = malloc(capacity);

    if (!data)
        return fail(buf, -ENOMEM);
    if (buf->length > 0)
        memcpy(data, buf->data, buf->length);
    data[buf->length] = '\0';

    size_t length = buf->length;
    release(buf);
    buf->data = data;
    buf->length = length;
    buf->capacity = capacity;
    return 0;
}

/* Makes room for `more` bytes and the NUL. */
static int reserve(struct buf *buf, size_t more)
{
    if (buf->failed != 0)
        return buf->failed;
    if (more > buf->maximum - buf->length)
        return fail(buf, -EMSGSIZE);

    size_t needed = buf->length + more + 1;
    if (needed <= buf->capacity)
        return 0;

    size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
    while (capacity < needed && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (capacity < needed || capacity > buf->maximum + 1)
        capacity = buf->maximum + 1;
    return move(buf, capacity);
}

int buf_append(struct buf *buf, const void *data, size_t length)
{
    int rc = reserve(buf, length);

    if (rc != 0)
        return rc;
    if (length > 0)
        memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
    return 0;
}

int buf_append_str(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

int buf_append_char(struct buf *buf, char c)
{
    return buf_append(buf, &c, 1);
}

int buf_append_lower(struct buf *buf, const char *text, size_t length)
{
    const size_t start = buf->length;
    int rc = buf_append(buf, text, length);

    if (rc == 0 && length > 0)
        str_lower(buf->data + start);
    return rc;
}

int buf_append_vformat(struct buf *buf, const char *format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    int rc = length < 0 ? fail(buf, -EMSGSIZE) : reserve(buf, (size_t)length);
    if (rc == 0) {
        vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
    return rc;
}

int buf_append_format(struct buf *buf, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int rc = buf_append_vformat(buf, format, arguments);
    va_end(arguments);
    return rc;
}

const char *buf_str(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
    if (buf->failed != 0 || reserve(buf, 0) != 0)
        return NULL;

    char *text = buf->data;
    buf->data = NULL;
    buf->length = 0;
    buf->capacity = 0;
    return text;
}
