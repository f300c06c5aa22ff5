#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"

#define BLOCK_SIZE 16384

static enum MHD_Result queue(struct MHD_Connection *connection, const struct http_reply *reply,
                             struct MHD_Response *response)
{
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < reply->headers.count; i++)
        MHD_add_response_header(response, reply->headers.list[i].name,
                                reply->headers.list[i].value);
    result = MHD_queue_response(connection, (unsigned int)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Response *response_from_file(struct http_reply *reply)
{
    struct MHD_Response *response;
    struct stat status;
    uint64_t size;

    if (fstat(reply->body_fd, &status) != 0)
        return NULL;
    size = (uint64_t)status.st_size;
    if (reply->body_fd_offset < size)
        size -= reply->body_fd_offset;
    else
        size = 0;
    response = MHD_create_response_from_fd_at_offset64(size, reply->body_fd, reply->body_fd_offset);
    if (response)
        reply->body_fd = -1;
    return response;
}

enum MHD_Result wire_send(struct MHD_Connection *connection, struct http_reply *reply)
{
    struct MHD_Response *response;

    if (reply->body_fd >= 0) {
        response = response_from_file(reply);
    } else {
        response =
            MHD_create_response_from_buffer(reply->body_length, reply->body, MHD_RESPMEM_MUST_FREE);
        if (response)
            reply->body = NULL;
    }
    return queue(connection, reply, response);
}

struct half_body {
    char *bytes;
    size_t half;
};

static ssize_t read_half(void *cls, uint64_t position, char *buffer, size_t room)
{
    const struct half_body *body = cls;
    size_t length;

    if (position >= body->half)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    length = body->half - (size_t)position;
    if (length > room)
        length = room;
    memcpy(buffer, body->bytes + position, length);
    return (ssize_t)length;
}

static void free_half(void *cls)
{
    struct half_body *body = cls;

    free(body->bytes);
    free(body);
}

enum MHD_Result wire_send_truncated(struct MHD_Connection *connection,
                                    const struct http_reply *reply)
{
    struct half_body *body = memory_zeroed(1, sizeof(*body));
    struct MHD_Response *response;

    body->bytes = memory_text_n(!reply->body ? "" : reply->body, reply->body_length);
    body->half = reply->body_length / 2;
    response = MHD_create_response_from_callback(reply->body_length, BLOCK_SIZE, read_half, body,
                                                 free_half);
    if (!response)
        free_half(body);
    return queue(connection, reply, response);
}

static ssize_t read_blanks(void *cls, uint64_t position, char *buffer, size_t room)
{
    (void)cls;
    (void)position;
    memset(buffer, ' ', room);
    return (ssize_t)room;
}

enum MHD_Result wire_send_oversized(struct MHD_Connection *connection,
                                    const struct http_reply *reply, uint64_t size)
{
    return queue(connection, reply,
                 MHD_create_response_from_callback(size == UINT64_MAX ? MHD_SIZE_UNKNOWN : size,
                                                   BLOCK_SIZE, read_blanks, NULL, NULL));
}

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return !info ? -1 : info->connect_fd;
}

/* Closes the connection while the library still owns the descriptor: an unconnected socket takes
 * its number, so that whatever the library writes afterwards (such as a TLS close_notify) goes
 * nowhere and its own close finds something to close. */
static void close_under_library(int fd)
{
    int placeholder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (placeholder < 0) {
        shutdown(fd, SHUT_RDWR);
        return;
    }
    dup3(placeholder, fd, O_CLOEXEC);
    close(placeholder);
}

void wire_reset(struct MHD_Connection *connection)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    int fd = socket_of(connection);

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close_under_library(fd);
}

void wire_cut(struct MHD_Connection *connection)
{
    close_under_library(socket_of(connection));
}

enum wire_wait wire_wait(struct MHD_Connection *connection, int64_t ms, int stop_fd)
{
    struct pollfd watched[] = {
        {.fd = stop_fd, .events = POLLIN},
        {.fd = !connection ? -1 : socket_of(connection), .events = POLLRDHUP},
    };
    int64_t deadline = clock_monotonic_us() + ms * CLOCK_US_PER_MS;

    for (;;) {
        int64_t left_us = deadline - clock_monotonic_us();
        int64_t left_ms = (left_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS;

        if (left_us <= 0)
            return WAIT_OVER;
        if (left_ms > INT_MAX)
            left_ms = INT_MAX;
        if (poll(watched, 2, (int)left_ms) < 0 && errno != EINTR)
            return WAIT_STOPPED;
        if (watched[0].revents != 0)
            return WAIT_STOPPED;
        if (watched[1].revents != 0)
            return WAIT_CLIENT_GONE;
    }
}
