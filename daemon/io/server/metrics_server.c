#include "io/server/metrics_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/listen_address.h"
#include "base/must.h"
#include "base/str.h"
#include "io/server/http_server.h"
#include "proto/metrics.h"
#include "proto/metrics_text.h"

enum { BACKLOG = 16, CONNECTIONS_MAX = 16, URI_MAX = 1024, BODY_MAX = 1024, TEXT_MAX = 1024 };

#define RECEIVE_TIMEOUT (10 * MS_SECOND)

#define PLAIN_TEXT "text/plain; charset=utf-8"

struct metrics_server {
    struct metrics_handler handler;
    char *address;
    bool is_loopback;
    struct http_server *http;
    bool closing;
    void (*closed)(void *context);
    void *closed_context;
};

/* --- answers --- */

static void answer(struct http_call *call, int status, const char *content_type,
                   struct buf *content)
{
    http_call_answer(call, &(struct http_answer){.status = status,
                                                 .content_type = content_type,
                                                 .allow = status == 405 ? "GET, HEAD" : NULL,
                                                 .content = content});
}

static void answer_text(struct http_call *call, int status, const char *text)
{
    struct buf content;

    buf_init(&content, TEXT_MAX);
    buf_append_format(&content, "%s\n", text);
    answer(call, status, PLAIN_TEXT, &content);
    buf_done(&content);
}

static void answer_metrics(struct metrics_server *server, struct http_call *call)
{
    struct buf content;

    buf_init(&content, METRICS_MAX);
    if (server->handler.write(server->handler.context, &content) == 0)
        answer(call, 200, METRICS_CONTENT_TYPE, &content);
    else
        answer_text(call, 500,
                    "the metrics are longer than the daemon can send: write a smaller "
                    "metrics.accounts");
    buf_done(&content);
}

static void answer_readiness(struct metrics_server *server, struct http_call *call)
{
    const char *trouble = server->handler.trouble(server->handler.context);

    answer_text(call, trouble ? 503 : 200, trouble ? trouble : "ok");
}

/* --- requests --- */

static bool is_path(const char *uri, const char *path)
{
    const size_t length = strlen(path);

    return strncmp(uri, path, length) == 0 && (uri[length] == '\0' || uri[length] == '?');
}

static void handle(void *context, struct http_call *call)
{
    struct metrics_server *server = context;

    if (server->closing)
        answer_text(call, 503, "the daemon stops");
    else if (server->is_loopback && !listen_address_is_host_here(call->host))
        answer_text(call, 403, "this server answers to localhost and to IP addresses");
    else if (!str_equal(call->method, "GET") && !str_equal(call->method, "HEAD"))
        answer_text(call, 405, "GET and HEAD are what can be asked");
    else if (is_path(call->uri, "/metrics"))
        answer_metrics(server, call);
    else if (is_path(call->uri, "/healthz"))
        answer_text(call, 200, "ok");
    else if (is_path(call->uri, "/readyz"))
        answer_readiness(server, call);
    else
        answer_text(call, 404, "there are /metrics, /healthz and /readyz");
}

static void refuse_too_large(void *context, struct http_answer *answer)
{
    (void)context;
    answer->status = 413;
    answer->content_type = PLAIN_TEXT;
    (void)buf_append_str(answer->content, "the body is too large\n");
}

/* --- opening and closing --- */

static int listen_at(const char *text, bool *ret_is_loopback, struct err *err)
{
    static const int yes = 1;
    struct listen_address address;
    int fd;

    if (!listen_address_parse(text, &address))
        return err_set(err, -EINVAL, "%s is no address and port", text);
    *ret_is_loopback = address.is_loopback;
    fd = socket(address.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "making a socket for %s", text);
    /* A restart must not wait for the connections of the process before. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (const struct sockaddr *)&address.address, address.length) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    (void)err_set_errno(err, errno, "listening on %s", text);
    (void)close(fd);
    return err->code;
}

int metrics_server_open(struct loop *loop, const char *listen,
                        const struct metrics_handler *handler, struct metrics_server **ret_server,
                        struct err *err)
{
    struct metrics_server *server = must_alloc(sizeof(*server));
    const int fd = listen_at(listen, &server->is_loopback, err);
    const struct http_server_options options = {
        .listen_fd = fd,
        .connections = CONNECTIONS_MAX,
        .receive_timeout = RECEIVE_TIMEOUT,
        .uri_max = URI_MAX,
        .body_max = BODY_MAX,
        .context = server,
        .handle = handle,
        .refuse_too_large = refuse_too_large,
    };
    int rc = fd < 0 ? fd : http_server_open(loop, &options, &server->http, err);

    *ret_server = NULL;
    if (rc != 0) {
        if (fd >= 0)
            (void)close(fd);
        free(server);
        return rc;
    }
    server->handler = *handler;
    server->address = must_dup(listen);
    *ret_server = server;
    return 0;
}

const char *metrics_server_address(const struct metrics_server *server)
{
    return server->address;
}

static void on_closed(void *context)
{
    struct metrics_server *server = context;
    void (*closed)(void *) = server->closed;
    void *closed_context = server->closed_context;

    free(server->address);
    free(server);
    if (closed)
        closed(closed_context);
}

void metrics_server_close(struct metrics_server *server, void (*closed)(void *context),
                          void *context)
{
    server->closing = true;
    server->closed = closed;
    server->closed_context = context;
    http_server_close(server->http, on_closed, server);
}
