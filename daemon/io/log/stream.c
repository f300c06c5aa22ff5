#include "io/log/log_private.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_bytes(struct log_stream *stream, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = write(stream->fd, bytes, length);

        if (count >= 0) {
            bytes += count;
            length -= (size_t)count;
            stream->torn = length > 0;
        } else if (errno == EAGAIN) {
            struct pollfd writable = {.fd = stream->fd, .events = POLLOUT};

            (void)poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int log_stream_write_text(struct log_stream *stream, const char *text, size_t length)
{
    int rc = stream->torn ? write_bytes(stream, "\n", 1) : 0;

    return rc != 0 ? rc : write_bytes(stream, text, length);
}

int log_stream_write(struct log_stream *stream, log_format_line *format,
                     const struct log_line *line)
{
    struct buf text;
    int rc;

    buf_init(&text, LOG_LINE_MAX);
    if (format(&text, line) == 0) {
        rc = log_stream_write_text(stream, text.data, text.length);
    } else {
        /* Memory probably ran out; write at least the event's name. */
        char bare[256];

        snprintf(bare, sizeof(bare), "level=%s event=%.100s\n", log_level_name(line->level),
                 line->event);
        rc = log_stream_write_text(stream, bare, strlen(bare));
    }
    buf_done(&text);
    return rc;
}
