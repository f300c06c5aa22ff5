#include "io/server/control.h"

#include <errno.h>
#include <stdlib.h>

#include <json-c/json_object.h>

#include "base/must.h"
#include "io/server/control_socket.h"
#include "io/server/http_server.h"
#include "proto/remedy.h"

struct control {
    struct loop *loop;
    struct control_handler handler;
    struct control_limits limits;
    struct control_socket socket;
    struct http_server *http;
    struct timer deadline; /* the deadline of the oldest waiting request */
    struct list requests;  /* struct control_request: those without an answer, oldest first */
    bool closing;
    unsigned open_parts;
    void (*closed)(void *context);
    void *closed_context;
};

struct control_request {
    struct control *control;
    struct list link;       /* among control->requests while somebody waits for the answer */
    struct http_call *call; /* NULL: the client no longer waits */
    struct control_command command;
    char *account; /* what command.account borrows */
    char actor[CONTROL_ACTOR_MAX];
    struct json_object *document;     /* owns the other texts of `command` */
    struct control_request_line line; /* of a question; its texts live as long as the request */
    duration_ms deadline;
};

/* --- answers --- */

static void send_document(struct http_call *call, int status, const char *allow,
                          struct buf *document)
{
    http_call_answer(call, &(struct http_answer){.status = status,
                                                 .content_type = "application/json",
                                                 .allow = allow,
                                                 .content = document});
}

static void send_error(struct http_call *call, int status, const char *allow, const char *code,
                       const char *message)
{
    struct buf document;

    buf_init(&document, CONTROL_REPLY_MAX);
    (void)control_error_write(&document, code, message);
    send_document(call, status, allow, &document);
    buf_done(&document);
}

static void send_answer(const struct control *control, struct http_call *call,
                        const struct control_answer *answer)
{
    struct control_answer spoken = *answer;
    char message[REMEDY_MAX];
    struct buf document;

    /* The commands in the message must name this daemon's socket. */
    remedy_expand(answer->message, &(struct remedy_words){.socket = control->socket.path}, message,
                  sizeof(message));
    spoken.message = message;
    buf_init(&document, CONTROL_REPLY_MAX);
    if (control_answer_write(&document, &spoken) == 0)
        send_document(call, control_outcome_http_status(answer->outcome), NULL, &document);
    else
        send_error(call, 500, NULL, "internal", "no memory");
    buf_done(&document);
}

static void refuse_too_large(void *context, struct http_answer *answer)
{
    (void)context;
    answer->status = 413;
    answer->content_type = "application/json";
    (void)control_error_write(answer->content, "too_large", "the body is too large");
}

/* --- commands --- */

static void request_free(struct control_request *request)
{
    list_remove(&request->link);
    if (request->document)
        json_object_put(request->document);
    free(request->account);
    control_request_line_done(&request->line);
    free(request);
}

void control_answer(struct control_request *request, const struct control_answer *answer)
{
    if (request->call)
        send_answer(request->control, request->call, answer);
    request_free(request);
}

/* Answers the client without the outcome. */
static void give_up(struct control_request *request, const char *message)
{
    const struct control_answer answer = {
        .outcome = CONTROL_NOT_DONE, .message = message, .until = TIME_NEVER};

    list_remove(&request->link);
    send_answer(request->control, request->call, &answer);
    request->call = NULL;
}

static void watch_deadline(struct control *control)
{
    const struct control_request *oldest;
    duration_ms now = time_boot();

    if (list_empty(&control->requests))
        return;
    oldest = container_of(control->requests.next, struct control_request, link);
    timer_set_delay(&control->deadline, oldest->deadline > now ? oldest->deadline - now : 0);
}

static void on_deadline(struct timer *timer)
{
    struct control *control = container_of(timer, struct control, deadline);
    const duration_ms now = time_boot();

    list_for_each_entry (request, &control->requests, struct control_request, link) {
        if (now >= request->deadline)
            give_up(request, request->line.question
                                 ? "the journal is slow to read: ask again later"
                                 : "the command takes long and may still be carried out: see the "
                                   "status");
    }
    watch_deadline(control);
}

static void send_unparsed(struct http_call *call, int rc, const char *allow, const struct err *err)
{
    static const struct {
        int rc;
        int status;
        const char *code;
    } rows[] = {
        {-ENOENT, 404, "no_such_path"},
        {-ENOTSUP, 405, "method_not_allowed"},
        {-EINVAL, 400, "invalid"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].rc == rc) {
            send_error(call, rows[i].status, allow, rows[i].code, err->text);
            return;
        }
    }
    send_error(call, 500, NULL, "internal", err->text);
}

/* A request whose answer is awaited from now on. */
static struct control_request *await_answer(struct control *control, struct http_call *call)
{
    struct control_request *request = must_alloc(sizeof(*request));

    list_init(&request->link);
    request->control = control;
    request->call = call;
    request->deadline = time_boot() + control->limits.command_timeout;
    return request;
}

static void carry_out_command(struct control *control, struct http_call *call,
                              struct control_request_line *line)
{
    struct control_request *request = await_answer(control, call);
    struct err err;
    int rc;

    err_clear(&err);
    request->account = line->account;
    line->account = NULL;
    rc = control_command_parse(line->kind, buf_str(&call->body), call->body.length,
                               &request->command, &request->document, &err);
    if (rc != 0) {
        send_unparsed(call, rc, NULL, &err);
        request_free(request);
        return;
    }
    control_socket_peer(call->fd, request->actor);
    request->command.account = request->account;
    request->command.actor = request->actor;
    list_append(&control->requests, &request->link);
    watch_deadline(control);
    control->handler.command(control->handler.context, &request->command, request);
}

/* --- questions --- */

static void send_answer_to_question(struct http_call *call, int rc, struct buf *document,
                                    const struct err *err)
{
    if (rc == 0)
        rc = document->failed;
    if (rc == 0)
        send_document(call, 200, NULL, document);
    else if (rc == -ENOENT)
        send_error(call, 404, NULL, "not_found", err->text);
    else if (rc == -ENOTUNIQ)
        send_error(call, 409, NULL, "ambiguous", err->text);
    else if (rc == -EINVAL)
        send_error(call, 400, NULL, "invalid", err->text);
    else if (rc == -EIO)
        send_error(call, 503, NULL, "not_done", err->text);
    else
        send_error(call, 500, NULL, "internal", "the answer could not be put together");
}

void control_answer_question(struct control_request *request, int rc, struct buf *document,
                             const struct err *err)
{
    if (request->call)
        send_answer_to_question(request->call, rc, document, err);
    buf_done(document);
    request_free(request);
}

/* The request takes the line over. */
static void ask_question(struct control *control, struct http_call *call,
                         struct control_request_line *line)
{
    struct control_request *request = await_answer(control, call);

    request->line = *line;
    *line = (struct control_request_line){0};
    list_append(&control->requests, &request->link);
    watch_deadline(control);
    request->line.question->ask(control->handler.context, &request->line.query, request);
}

static void answer_question(struct control *control, struct http_call *call,
                            struct control_request_line *line)
{
    struct buf document;
    struct err err;
    int rc;

    if (line->question->ask) {
        ask_question(control, call, line);
        return;
    }
    err_clear(&err);
    buf_init(&document, CONTROL_REPLY_MAX);
    rc = line->question->answer(control->handler.context, &line->query, &document, &err);
    send_answer_to_question(call, rc, &document, &err);
    buf_done(&document);
}

static void on_call(void *context, struct http_call *call)
{
    struct control *control = context;
    struct control_request_line line;
    const char *allow = NULL;
    struct err err;
    int rc;

    err_clear(&err);
    rc = control_request_line_parse(call->method, call->uri, control->handler.questions,
                                    control->handler.question_count, &line, &allow, &err);
    if (rc != 0) {
        send_unparsed(call, rc, allow, &err);
    } else if (control->closing) {
        send_error(call, 503, NULL, "stopping", "the daemon is stopping");
    } else if (line.question) {
        answer_question(control, call, &line);
    } else {
        carry_out_command(control, call, &line);
    }
    control_request_line_done(&line);
}

/* --- closing --- */

static void count_closed(void *context)
{
    struct control *control = context;
    void (*closed)(void *) = control->closed;
    void *closed_context = control->closed_context;

    if (--control->open_parts > 0)
        return;
    control_socket_done(&control->socket);
    free(control);
    if (closed)
        closed(closed_context);
}

static void on_deadline_closed(struct timer *timer)
{
    count_closed(container_of(timer, struct control, deadline));
}

void control_close(struct control *control, void (*closed)(void *context), void *context)
{
    if (control->closing)
        return;
    control->closing = true;
    control->closed = closed;
    control->closed_context = context;
    control_socket_unlink(&control->socket);
    list_for_each_entry (request, &control->requests, struct control_request, link) {
        give_up(request,
                request->line.question
                    ? "the daemon is stopping"
                    : "the daemon is stopping; it continues unfinished work when it starts again");
    }
    http_server_close(control->http, count_closed, control);
    timer_close(&control->deadline, on_deadline_closed);
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

static int start_http(struct control *control, struct err *err)
{
    const struct http_server_options options = {
        .listen_fd = control->socket.fd,
        .connections = control->limits.connections,
        .receive_timeout = control->limits.receive_timeout,
        .uri_max = CONTROL_URI_MAX,
        .body_max = CONTROL_BODY_MAX,
        .context = control,
        .handle = on_call,
        .refuse_too_large = refuse_too_large,
    };
    int rc = http_server_open(control->loop, &options, &control->http, err);

    if (rc == 0)
        control->socket.fd = -1;
    return rc == 0 ? 0 : err_wrap(err, "serving %s", control->socket.path);
}

int control_open(struct loop *loop, const char *path, const char *group,
                 const struct control_handler *handler, const struct control_limits *limits,
                 struct control **ret_control, struct err *err)
{
    struct control *control = must_alloc(sizeof(*control));
    int rc;

    *ret_control = NULL;
    control->loop = loop;
    control->handler = *handler;
    fill_limits(&control->limits, limits);
    list_init(&control->requests);
    rc = control_socket_init(&control->socket, path, group, err);
    if (rc == 0)
        rc = start_http(control, err);
    if (rc == 0) {
        timer_init(loop, &control->deadline, on_deadline);
        control->open_parts = 2;
        *ret_control = control;
        return 0;
    }
    control_socket_done(&control->socket);
    free(control);
    return rc;
}

const char *control_warning(const struct control *control)
{
    return control->socket.warning[0] != '\0' ? control->socket.warning : NULL;
}
