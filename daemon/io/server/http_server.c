#include "io/server/http_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "proto/remedy.h"

/* A connection's memory in libmicrohttpd: has to hold the request line and the headers. */
enum { CONNECTION_MEMORY = CONTROL_URI_MAX + 16 * 1024, FINAL_RUNS = 4 };

/* --- answers --- */

static void answer_error(struct exchange *exchange, int status, const char *code,
                         const char *message)
{
    buf_clear(&exchange->reply);
    (void)control_error_write(&exchange->reply, code, message);
    exchange->status = status;
}

void control_http_answer(struct exchange *exchange, const struct control_answer *answer)
{
    struct control_answer spoken = *answer;
    char message[REMEDY_MAX];

    exchange->request = NULL;
    /* The commands in it are to reach this daemon. */
    remedy_expand(answer->message, &(struct remedy_words){.socket = exchange->control->socket.path},
                  message, sizeof(message));
    spoken.message = message;
    exchange->status = control_outcome_http_status(answer->outcome);
    if (control_answer_write(&exchange->reply, &spoken) != 0)
        answer_error(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "no memory");
    if (exchange->suspended) {
        MHD_resume_connection(exchange->suspended);
        exchange->suspended = NULL;
        loop_defer(exchange->control->loop, &exchange->control->progress);
    }
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct exchange *exchange)
{
    const size_t length = exchange->reply.length;
    char *content = buf_take(&exchange->reply);
    struct MHD_Response *response;
    enum MHD_Result result;

    if (!content)
        return MHD_NO;
    response = MHD_create_response_from_buffer(length, content, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(content);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (exchange->allow)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, exchange->allow);
    result = MHD_queue_response(connection, (unsigned)exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* --- requests --- */

static void parse_request_line(struct exchange *exchange, const char *method)
{
    struct err err;

    err_clear(&err);
    exchange->parsed = true;
    switch (control_request_line_parse(method, exchange->uri, &exchange->line, &exchange->allow,
                                       &err)) {
    case 0:
        break;
    case -ENOENT:
        answer_error(exchange, MHD_HTTP_NOT_FOUND, "no_such_path", err.text);
        break;
    case -ENOTSUP:
        answer_error(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed", err.text);
        break;
    case -EINVAL:
        answer_error(exchange, MHD_HTTP_BAD_REQUEST, "invalid", err.text);
        break;
    default:
        answer_error(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", err.text);
        break;
    }
}

static void answer_too_large(struct exchange *exchange)
{
    answer_error(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "too_large", "the body is too large");
}

static void answer_question(struct exchange *exchange)
{
    const struct control_handler *handler = &exchange->control->handler;
    struct err err;
    int rc;

    err_clear(&err);
    rc = handler->status(handler->context, &exchange->line.query, &exchange->reply, &err);
    if (rc == 0)
        rc = exchange->reply.failed;
    if (rc == 0)
        exchange->status = MHD_HTTP_OK;
    else if (rc == -ENOENT)
        answer_error(exchange, MHD_HTTP_NOT_FOUND, "not_found", err.text);
    else if (rc == -ENOTUNIQ)
        answer_error(exchange, MHD_HTTP_CONFLICT, "ambiguous", err.text);
    else
        answer_error(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal",
                     "the status could not be put together");
}

static int connection_fd(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info ? info->connect_fd : -1;
}

static void carry_out_command(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct control_command command = {.account = NULL};
    struct json_object *document = NULL;
    struct err err;
    int rc;

    err_clear(&err);
    rc = control_command_parse(exchange->line.kind, buf_str(&exchange->body), exchange->body.length,
                               &command, &document, &err);
    if (rc != 0) {
        if (document)
            json_object_put(document);
        if (rc == -ENOMEM)
            answer_error(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", err.text);
        else
            answer_error(exchange, MHD_HTTP_BAD_REQUEST, "invalid", err.text);
        return;
    }
    control_dispatch(exchange, &command, document, connection_fd(connection));
}

static void handle_request(struct exchange *exchange, struct MHD_Connection *connection)
{
    if (exchange->body.failed)
        answer_too_large(exchange);
    else if (exchange->status != 0)
        ; /* its request line was refused already */
    else if (exchange->control->closing)
        answer_error(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping", "the daemon is stopping");
    else if (exchange->line.is_query)
        answer_question(exchange);
    else
        carry_out_command(exchange, connection);
}

static struct client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static bool announces_too_much(struct MHD_Connection *connection)
{
    const char *text =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return text && strtoull(text, NULL, 10) > CONTROL_BODY_MAX;
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
    (void)url; /* decoded, and so of no use where an account's name has a slash */
    (void)version;
    if (!exchange || !exchange->uri || !client)
        return MHD_NO;
    if (!exchange->parsed) {
        parse_request_line(exchange, method);
        if (!announces_too_much(connection))
            return MHD_YES;
        client->receiving = false;
        answer_too_large(exchange);
        return send_reply(connection, exchange);
    }
    if (*upload_length > 0) {
        (void)buf_append(&exchange->body, upload, *upload_length);
        *upload_length = 0;
        return MHD_YES;
    }
    if (client->receiving) {
        client->receiving = false;
        handle_request(exchange, connection);
        if (exchange->status == 0) {
            exchange->suspended = connection;
            MHD_suspend_connection(connection);
            return MHD_YES;
        }
    }
    return send_reply(connection, exchange);
}

static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    (void)connection;
    if (!exchange)
        return NULL;
    exchange->control = context;
    exchange->uri = str_dup(uri);
    buf_init(&exchange->body, CONTROL_BODY_MAX);
    buf_init(&exchange->reply, CONTROL_REPLY_MAX);
    return exchange;
}

static void expect_request(struct control *control, struct client *client)
{
    client->receiving = true;
    client->deadline = time_boot() + control->limits.receive_timeout;
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
    if (exchange->request)
        control_abandon(exchange->request);
    control_request_line_done(&exchange->line);
    buf_done(&exchange->body);
    buf_done(&exchange->reply);
    free(exchange->uri);
    free(exchange);
}

/* --- connections --- */

static void on_connection(void *context, struct MHD_Connection *connection, void **client_slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct control *control = context;
    struct client *client = *client_slot;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        client = calloc(1, sizeof(*client));
        *client_slot = client;
        if (!client)
            return; /* its requests are refused */
        client->fd = connection_fd(connection);
        list_append(&control->clients, &client->link);
        control->client_count++;
        expect_request(control, client);
        control_watch_clients(control);
    } else if (client) {
        list_remove(&client->link);
        control->client_count--;
        free(client);
        *client_slot = NULL;
        /* At its limit libmicrohttpd stops to watch for connections, and begins again only when it
         * is run once more after one has ended. */
        loop_defer(control->loop, &control->progress);
    }
}

int control_http_start(struct control *control, struct err *err)
{
    const unsigned idle_s = (unsigned)(control->limits.receive_timeout / MS_SECOND) + 1;

    control->http = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, control,
        MHD_OPTION_LISTEN_SOCKET, control->socket.fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, control,
        MHD_OPTION_NOTIFY_COMPLETED, on_exchange_over, control, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, control, MHD_OPTION_CONNECTION_LIMIT, control->limits.connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_END);
    if (!control->http)
        return err_set(err, -EIO, "the HTTP server for %s did not start", control->socket.path);
    control->socket.fd = -1;
    return 0;
}

void control_http_stop(struct control *control)
{
    const MHD_socket listening = MHD_quiesce_daemon(control->http);

    for (int i = 0; i < FINAL_RUNS; i++)
        (void)MHD_run(control->http);
    MHD_stop_daemon(control->http);
    control->http = NULL;
    if (listening != MHD_INVALID_SOCKET)
        (void)close(listening);
}
