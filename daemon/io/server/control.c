#include "io/server/control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "io/server/http_server.h"

/* For a request to arrive while every connection is taken. */
#define CROWDED_TIMEOUT ((duration_ms)100)

/* --- commands --- */

static void request_free(struct control_request *request)
{
    list_remove(&request->link);
    if (request->document)
        json_object_put(request->document);
    free(request->account);
    free(request);
}

void control_dispatch(struct exchange *exchange, struct control_command *command,
                      struct json_object *document, int fd)
{
    struct control *control = exchange->control;
    struct control_request *request = calloc(1, sizeof(*request));

    if (!request) {
        json_object_put(document);
        control_http_answer(exchange, &(struct control_answer){.outcome = CONTROL_NOT_DONE,
                                                               .message = "no memory",
                                                               .until = TIME_NEVER});
        return;
    }
    request->exchange = exchange;
    request->document = document;
    request->account = exchange->line.account;
    exchange->line.account = NULL;
    control_peer_name(fd, request->actor);
    command->account = request->account;
    command->actor = request->actor;
    request->command = *command;
    request->deadline = time_boot() + control->limits.command_timeout;
    list_append(&control->requests, &request->link);
    exchange->request = request;
    control->handler.command(control->handler.context, &request->command, request);
}

void control_abandon(struct control_request *request)
{
    list_remove(&request->link);
    request->exchange = NULL;
}

void control_answer(struct control_request *request, const struct control_answer *answer)
{
    if (request->exchange)
        control_http_answer(request->exchange, answer);
    request_free(request);
}

/* Tells the client that nobody will wait for the outcome any longer. */
static void give_up(struct control_request *request, const char *message)
{
    const struct control_answer answer = {
        .outcome = CONTROL_NOT_DONE, .message = message, .until = TIME_NEVER};
    struct exchange *exchange = request->exchange;

    control_abandon(request);
    control_http_answer(exchange, &answer);
}

/* --- the loop --- */

static void run_http(struct control *control)
{
    MHD_UNSIGNED_LONG_LONG timeout;

    (void)MHD_run(control->http);
    if (MHD_get_timeout(control->http, &timeout) == MHD_YES)
        timer_set_delay(&control->http_timer,
                        timeout < INT32_MAX ? (duration_ms)timeout : INT32_MAX);
    else
        timer_stop(&control->http_timer);
}

static void on_readiness(uv_poll_t *handle, int status, int events)
{
    (void)status; /* whatever it is, libmicrohttpd finds out itself */
    (void)events;
    run_http(container_of(handle, struct control, readiness));
}

static void on_http_timer(struct timer *timer)
{
    run_http(container_of(timer, struct control, http_timer));
}

/* Often enough that nobody has much more time than the limits say. */
static duration_ms sweep_interval(const struct control *control)
{
    const duration_ms receive = control->limits.receive_timeout;
    const duration_ms command = control->limits.command_timeout;

    return (receive < command ? receive : command) / 4 + 1;
}

/* As many are connected as may be, and others may be waiting for a place. */
static bool is_crowded(const struct control *control)
{
    return control->client_count >= control->limits.connections;
}

void control_watch_clients(struct control *control)
{
    if (is_crowded(control))
        timer_set_delay(&control->sweep, CROWDED_TIMEOUT);
    else if (control->client_count == 1) /* this is the first one */
        timer_set_delay(&control->sweep, sweep_interval(control));
}

/* When the client has taken too long over its request. Where others wait for its place that is
 * soon: whoever means it sends a request in one piece. */
static bool is_overdue(const struct control *control, const struct client *client, duration_ms now)
{
    const duration_ms began = client->deadline - control->limits.receive_timeout;

    return client->receiving &&
           (now >= client->deadline || (is_crowded(control) && now >= began + CROWDED_TIMEOUT));
}

/* libmicrohttpd's own timeout begins anew with every byte, so that a patient client could hold a
 * connection for ever. It has no call to end one: shutting the socket down has the effect. */
static void on_sweep(struct timer *timer)
{
    struct control *control = container_of(timer, struct control, sweep);
    const duration_ms now = time_boot();

    list_for_each (item, &control->clients) {
        const struct client *client = container_of(item, struct client, link);

        if (is_overdue(control, client, now))
            (void)shutdown(client->fd, SHUT_RDWR);
    }
    list_for_each (item, &control->requests) {
        struct control_request *request = container_of(item, struct control_request, link);

        if (now >= request->deadline)
            give_up(request, "it takes long; it may still be carried out: see the status");
    }
    if (is_crowded(control))
        timer_set_delay(timer, CROWDED_TIMEOUT);
    else if (!list_empty(&control->clients))
        timer_set_delay(timer, sweep_interval(control));
}

/* --- closing --- */

static void count_closed(struct control *control)
{
    void (*closed)(void *) = control->closed;
    void *context = control->closed_context;

    if (--control->open_handles > 0)
        return;
    control_socket_done(&control->socket);
    free(control);
    if (closed)
        closed(context);
}

static void on_readiness_closed(uv_handle_t *handle)
{
    count_closed(container_of((uv_poll_t *)handle, struct control, readiness));
}

static void on_http_timer_closed(struct timer *timer)
{
    count_closed(container_of(timer, struct control, http_timer));
}

static void on_sweep_closed(struct timer *timer)
{
    count_closed(container_of(timer, struct control, sweep));
}

static void finish_closing(struct control *control)
{
    list_for_each (item, &control->requests) {
        struct control_request *request = container_of(item, struct control_request, link);

        give_up(request, "the daemon is stopping; what was begun goes on when it starts again");
    }
    uv_close((uv_handle_t *)&control->readiness, on_readiness_closed);
    control_http_stop(control);
    loop_defer_cancel(&control->progress);
    timer_close(&control->http_timer, on_http_timer_closed);
    timer_close(&control->sweep, on_sweep_closed);
}

static void on_progress(struct deferred *deferred)
{
    struct control *control = container_of(deferred, struct control, progress);

    if (control->closing)
        finish_closing(control);
    else
        run_http(control);
}

void control_close(struct control *control, void (*closed)(void *context), void *context)
{
    if (control->closing)
        return;
    control->closing = true;
    control->closed = closed;
    control->closed_context = context;
    control_socket_unlink(&control->socket);
    loop_defer(control->loop, &control->progress);
}

/* --- opening --- */

static void fill_limits(struct control_limits *limits, const struct control_limits *wanted)
{
    *limits = wanted ? *wanted : (struct control_limits){0};
    if (limits->connections == 0)
        limits->connections = 64;
    if (limits->receive_timeout == 0)
        limits->receive_timeout = 10 * MS_SECOND;
    if (limits->command_timeout == 0)
        limits->command_timeout = 2 * MS_MINUTE;
}

static int watch_http(struct control *control, struct err *err)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(control->http, MHD_DAEMON_INFO_EPOLL_FD);
    int rc = uv_poll_init(loop_uv(control->loop), &control->readiness, info->epoll_fd);

    if (rc != 0)
        return err_set_errno(err, -rc, "watching the control socket");
    timer_init(control->loop, &control->http_timer, on_http_timer);
    timer_init(control->loop, &control->sweep, on_sweep);
    control->open_handles = 3;
    (void)uv_poll_start(&control->readiness, UV_READABLE, on_readiness); /* cannot fail */
    return 0;
}

int control_open(struct loop *loop, const char *path, const char *group,
                 const struct control_handler *handler, const struct control_limits *limits,
                 struct control **ret_control, struct err *err)
{
    struct control *control = calloc(1, sizeof(*control));
    int rc;

    *ret_control = NULL;
    if (!control)
        return err_set(err, -ENOMEM, "no memory for the control socket");
    control->loop = loop;
    control->handler = *handler;
    fill_limits(&control->limits, limits);
    list_init(&control->clients);
    list_init(&control->requests);
    deferred_init(&control->progress, on_progress);
    rc = control_socket_init(&control->socket, path, group, err);
    if (rc == 0)
        rc = control_http_start(control, err);
    if (rc == 0)
        rc = watch_http(control, err);
    if (rc == 0) {
        *ret_control = control;
        return 0;
    }
    if (control->http)
        control_http_stop(control);
    loop_defer_cancel(&control->progress);
    control_socket_done(&control->socket);
    free(control);
    return rc;
}

const char *control_warning(const struct control *control)
{
    return control->socket.warning[0] != '\0' ? control->socket.warning : NULL;
}
