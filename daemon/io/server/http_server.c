#include "io/server/http_server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/must.h"
#include "base/str.h"

/* For a request to arrive while every connection is taken. */
#define CROWDED_TIMEOUT ((duration_ms)100)

/* Besides the URI a connection's memory in libmicrohttpd has to hold the headers. */
enum { HEADERS_MAX = 16 * 1024, REFUSAL_MAX = 1024, FINAL_RUNS = 4 };

struct http_server {
    struct loop *loop;
    struct http_server_options options;
    struct MHD_Daemon *http;

    uv_poll_t readiness;      /* of libmicrohttpd's epoll descriptor */
    struct timer http_timer;  /* the next timeout of libmicrohttpd */
    struct timer sweep;       /* looks for clients that take too long */
    struct deferred progress; /* sends answers, or closes the server */

    struct list clients; /* struct client: open connections */
    unsigned client_count;
    struct list handled;  /* struct exchange: the handler has the call */
    struct list answered; /* struct exchange: to be sent */

    bool closing;
    unsigned open_handles;
    void (*closed)(void *context);
    void *closed_context;
};

/* A connection. */
struct client {
    struct list link;
    int fd;
    bool receiving;       /* a request has not arrived in full */
    duration_ms deadline; /* for that, on the clock of time_boot() */
};

/* A call and its answer. */
struct exchange {
    struct http_call call;
    struct http_server *server; /* NULL: the client no longer waits */
    struct list link;           /* in server->handled, then in server->answered */
    struct MHD_Connection *connection;
    bool begun;   /* its headers have arrived */
    bool handled; /* the handler has it, and has not answered */
    int status;   /* of the answer; 0: there is none yet */
    const char *content_type;
    const char *allow;
    struct buf content;
};

/* --- answers --- */

static void exchange_free(struct exchange *exchange)
{
    list_remove(&exchange->link);
    buf_done(&exchange->call.body);
    buf_done(&exchange->content);
    free(exchange->call.uri);
    free(exchange);
}

static void take_answer(struct exchange *exchange, const struct http_answer *answer)
{
    exchange->status = answer->status;
    exchange->content_type = answer->content_type;
    exchange->allow = answer->allow;
    exchange->content = *answer->content;
    buf_init(answer->content, answer->content->maximum);
}

void http_call_answer(struct http_call *call, const struct http_answer *answer)
{
    struct exchange *exchange = container_of(call, struct exchange, call);
    struct http_server *server = exchange->server;

    exchange->handled = false;
    take_answer(exchange, answer);
    if (!server) {
        exchange_free(exchange);
        return;
    }
    list_remove(&exchange->link);
    list_append(&server->answered, &exchange->link);
    loop_defer(server->loop, &server->progress);
}

static enum MHD_Result send_reply(struct exchange *exchange)
{
    const size_t length = exchange->content.length;
    char *content = buf_take(&exchange->content);
    struct MHD_Response *response;
    enum MHD_Result result;

    if (!content)
        return MHD_NO;
    response = MHD_create_response_from_buffer(length, content, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(content);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, exchange->content_type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (exchange->allow)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, exchange->allow);
    result = MHD_queue_response(exchange->connection, (unsigned)exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* --- requests --- */

static enum MHD_Result refuse_too_large(struct exchange *exchange)
{
    const struct http_server *server = exchange->server;
    struct http_answer answer = {.content = &exchange->content};

    server->options.refuse_too_large(server->options.context, &answer);
    exchange->status = answer.status;
    exchange->content_type = answer.content_type;
    return send_reply(exchange);
}

static int connection_fd(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info ? info->connect_fd : -1;
}

static struct client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void note_host(struct exchange *exchange)
{
    const char *host =
        MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

    if (!host || !str_copy(exchange->call.host, sizeof(exchange->call.host), host))
        exchange->call.host[0] = '\0';
}

static bool announces_too_much(const struct exchange *exchange)
{
    const char *text = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_LENGTH);

    return text && strtoull(text, NULL, 10) > exchange->server->options.body_max;
}

/* Suspend the connection first: the answer may come at once. */
static void hand_over(struct exchange *exchange)
{
    struct http_server *server = exchange->server;

    MHD_suspend_connection(exchange->connection);
    exchange->handled = true;
    list_append(&server->handled, &exchange->link);
    server->options.handle(server->options.context, &exchange->call);
}

/* Called when the headers are there, for every piece of the body, at its end, and once more when a
 * suspended connection goes on. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_length, void **exchange_slot)
{
    struct exchange *exchange = *exchange_slot;
    struct client *client = client_of(connection);

    (void)context;
    (void)url; /* decoded, and therefore ambiguous when a part of the path contains a slash */
    (void)version;
    if (!exchange || !exchange->call.uri || !client)
        return MHD_NO;
    if (!exchange->begun) {
        exchange->begun = true;
        exchange->call.fd = client->fd;
        note_host(exchange);
        (void)str_copy(exchange->call.method, sizeof(exchange->call.method), method);
        client->receiving = !announces_too_much(exchange);
        return client->receiving ? MHD_YES : refuse_too_large(exchange);
    }
    if (*upload_length > 0) {
        (void)buf_append(&exchange->call.body, upload, *upload_length);
        *upload_length = 0;
        return MHD_YES;
    }
    if (client->receiving) {
        client->receiving = false;
        if (exchange->call.body.failed)
            return refuse_too_large(exchange);
        hand_over(exchange);
        return MHD_YES;
    }
    return exchange->status != 0 ? send_reply(exchange) : MHD_NO;
}

static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct exchange *exchange = must_alloc(sizeof(*exchange));

    exchange->server = server;
    exchange->connection = connection;
    exchange->call.uri = must_dup(uri);
    list_init(&exchange->link);
    buf_init(&exchange->call.body, server->options.body_max);
    buf_init(&exchange->content, REFUSAL_MAX);
    return exchange;
}

static void expect_request(struct http_server *server, struct client *client)
{
    client->receiving = true;
    client->deadline = time_boot() + server->options.receive_timeout;
}

static void on_exchange_over(void *context, struct MHD_Connection *connection, void **exchange_slot,
                             enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *exchange_slot;
    struct client *client = client_of(connection);

    (void)code;
    if (client)
        expect_request(context, client);
    if (!exchange)
        return;
    *exchange_slot = NULL;
    list_remove(&exchange->link);
    exchange->server = NULL;
    if (!exchange->handled)
        exchange_free(exchange);
}

/* --- connections --- */

/* Is every connection taken, so that other clients may be waiting? */
static bool is_crowded(const struct http_server *server)
{
    return server->client_count >= server->options.connections;
}

/* Short enough that no client gets much more time than the limit. */
static duration_ms sweep_interval(const struct http_server *server)
{
    return is_crowded(server) ? CROWDED_TIMEOUT : server->options.receive_timeout / 4 + 1;
}

/* Has the client taken too long for its request? The limit is short while others wait, because a
 * proper client sends its request in one piece. */
static bool is_overdue(const struct http_server *server, const struct client *client,
                       duration_ms now)
{
    const duration_ms began = client->deadline - server->options.receive_timeout;

    return client->receiving &&
           (now >= client->deadline || (is_crowded(server) && now >= began + CROWDED_TIMEOUT));
}

/* libmicrohttpd's own timeout restarts with every byte, so that a slow client could hold a
 * connection for ever. It has no function to end a connection, so the socket is shut down. */
static void on_sweep(struct timer *timer)
{
    struct http_server *server = container_of(timer, struct http_server, sweep);
    const duration_ms now = time_boot();

    list_for_each_entry (client, &server->clients, const struct client, link) {
        if (is_overdue(server, client, now))
            (void)shutdown(client->fd, SHUT_RDWR);
    }
    if (!list_empty(&server->clients))
        timer_set_delay(timer, sweep_interval(server));
}

static void on_connection(void *context, struct MHD_Connection *connection, void **client_slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;
    struct client *client = *client_slot;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        client = must_alloc(sizeof(*client));
        *client_slot = client;
        client->fd = connection_fd(connection);
        list_append(&server->clients, &client->link);
        server->client_count++;
        expect_request(server, client);
        if (is_crowded(server) || server->client_count == 1)
            timer_set_delay(&server->sweep, sweep_interval(server));
    } else if (client) {
        list_remove(&client->link);
        server->client_count--;
        free(client);
        *client_slot = NULL;
        /* At its limit libmicrohttpd stops watching for connections, and resumes only when it runs
         * again after one has ended. */
        loop_defer(server->loop, &server->progress);
    }
}

/* --- the loop --- */

static void run_http(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout;

    (void)MHD_run(server->http);
    if (MHD_get_timeout(server->http, &timeout) == MHD_YES)
        timer_set_delay(&server->http_timer,
                        timeout < INT32_MAX ? (duration_ms)timeout : INT32_MAX);
    else
        timer_stop(&server->http_timer);
}

static void on_readiness(uv_poll_t *handle, int status, int events)
{
    (void)status; /* libmicrohttpd detects errors itself */
    (void)events;
    run_http(container_of(handle, struct http_server, readiness));
}

static void on_http_timer(struct timer *timer)
{
    run_http(container_of(timer, struct http_server, http_timer));
}

static void resume_all(struct list *exchanges)
{
    struct list *item;

    while ((item = list_pop(exchanges)))
        MHD_resume_connection(container_of(item, struct exchange, link)->connection);
}

/* --- closing --- */

static void count_closed(struct http_server *server)
{
    void (*closed)(void *) = server->closed;
    void *context = server->closed_context;

    if (--server->open_handles > 0)
        return;
    free(server);
    closed(context);
}

static void on_readiness_closed(uv_handle_t *handle)
{
    count_closed(container_of((uv_poll_t *)handle, struct http_server, readiness));
}

static void on_http_timer_closed(struct timer *timer)
{
    count_closed(container_of(timer, struct http_server, http_timer));
}

static void on_sweep_closed(struct timer *timer)
{
    count_closed(container_of(timer, struct http_server, sweep));
}

/* Answers that are ready get a last chance to be sent. */
static void stop_http(struct http_server *server)
{
    const MHD_socket listening = MHD_quiesce_daemon(server->http);

    for (int i = 0; i < FINAL_RUNS; i++) {
        (void)MHD_run(server->http);
        /* Also a request that arrived just now: libmicrohttpd must not stop with a connection
         * suspended. */
        resume_all(&server->answered);
        resume_all(&server->handled);
    }
    MHD_stop_daemon(server->http);
    if (listening != MHD_INVALID_SOCKET)
        (void)close(listening);
}

static void on_progress(struct deferred *deferred)
{
    struct http_server *server = container_of(deferred, struct http_server, progress);

    resume_all(&server->answered);
    if (!server->closing) {
        run_http(server);
        return;
    }
    resume_all(&server->handled);
    uv_close((uv_handle_t *)&server->readiness, on_readiness_closed);
    stop_http(server);
    loop_defer_cancel(&server->progress);
    timer_close(&server->http_timer, on_http_timer_closed);
    timer_close(&server->sweep, on_sweep_closed);
}

void http_server_close(struct http_server *server, void (*closed)(void *context), void *context)
{
    server->closing = true;
    server->closed = closed;
    server->closed_context = context;
    loop_defer(server->loop, &server->progress);
}

/* --- opening --- */

static struct MHD_Daemon *start_http(struct http_server *server)
{
    const struct http_server_options *options = &server->options;
    const unsigned idle_s = (unsigned)(options->receive_timeout / MS_SECOND) + 1;

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, options->listen_fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_exchange_over, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_CONNECTION_LIMIT, options->connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->uri_max + HEADERS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_END);
}

static int watch_http(struct http_server *server, struct err *err)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->http, MHD_DAEMON_INFO_EPOLL_FD);
    int rc = uv_poll_init(loop_uv(server->loop), &server->readiness, info->epoll_fd);

    if (rc != 0)
        return err_set_errno(err, -rc, "watching an HTTP server's connections");
    timer_init(server->loop, &server->http_timer, on_http_timer);
    timer_init(server->loop, &server->sweep, on_sweep);
    server->open_handles = 3;
    (void)uv_poll_start(&server->readiness, UV_READABLE, on_readiness); /* cannot fail */
    return 0;
}

int http_server_open(struct loop *loop, const struct http_server_options *options,
                     struct http_server **ret_server, struct err *err)
{
    struct http_server *server = must_alloc(sizeof(*server));
    int rc;

    *ret_server = NULL;
    server->loop = loop;
    server->options = *options;
    list_init(&server->clients);
    list_init(&server->handled);
    list_init(&server->answered);
    deferred_init(&server->progress, on_progress);
    server->http = start_http(server);
    rc = server->http ? watch_http(server, err) : err_set(err, -EIO, "libmicrohttpd did not start");
    if (rc == 0) {
        *ret_server = server;
        return 0;
    }
    if (server->http) {
        (void)MHD_quiesce_daemon(server->http); /* the socket stays the caller's */
        MHD_stop_daemon(server->http);
    }
    loop_defer_cancel(&server->progress);
    free(server);
    return rc;
}
