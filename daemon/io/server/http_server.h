/*
 * The HTTP side of the control socket, on libmicrohttpd.
 *
 * libmicrohttpd has an epoll descriptor of its own, which becomes ready when any of its connections
 * is; our loop watches that one. What happens to a request:
 *
 *    uri seen -> (headers) -> body collected -> question: answered at once
 *                                            -> command:  handed to the handler;
 *                                                         answered inside the call: sent
 *                                                         else suspended until control_answer()
 *
 * What can go wrong: the request is malformed or too large (error document); it does not arrive in
 * time (connection shut down); the handler takes too long (told so, the late answer is dropped);
 * the client goes away (seen when the answer is sent); the daemon stops (told so).
 */
#ifndef KEYROTATED_IO_SERVER_HTTP_SERVER_H
#define KEYROTATED_IO_SERVER_HTTP_SERVER_H

#include <stdbool.h>

#include <json-c/json_object.h>
#include <microhttpd.h>

#include "base/buf.h"
#include "base/list.h"
#include "io/server/control.h"
#include "io/server/control_socket.h"

struct control {
    struct loop *loop;
    struct control_handler handler;
    struct control_limits limits;
    struct control_socket socket;
    struct MHD_Daemon *http;

    uv_poll_t readiness;      /* of libmicrohttpd's epoll descriptor */
    struct timer http_timer;  /* what libmicrohttpd wants to do at a time */
    struct timer sweep;       /* looks for clients and commands that take too long */
    struct deferred progress; /* an answer is to be sent, or everything to be closed */

    struct list clients; /* struct client: open connections */
    unsigned client_count;
    struct list requests; /* struct control_request: commands without an answer */

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

/* One request and its answer. */
struct exchange {
    struct control *control;
    char *uri; /* as sent */
    bool parsed;
    struct control_request_line line;
    struct buf body;
    int status; /* of the answer; 0: there is none yet */
    const char *allow;
    struct buf reply;
    struct control_request *request; /* NULL: no command is under way */
    struct MHD_Connection *suspended;
};

struct control_request {
    struct list link;          /* among control->requests while somebody waits for the answer */
    struct exchange *exchange; /* NULL: nobody waits any more */
    struct control_command command;
    char *account; /* what command.account borrows */
    char actor[CONTROL_ACTOR_MAX];
    struct json_object *document; /* owns the other texts of `command` */
    duration_ms deadline;
};

/* Starts libmicrohttpd on control->socket, which it owns from then on. */
int control_http_start(struct control *control, struct err *err);
/* Ends all connections; what is ready to be sent gets a last chance. */
void control_http_stop(struct control *control);

/* Gives the exchange its answer and lets the connection go on. */
void control_http_answer(struct exchange *exchange, const struct control_answer *answer);

/* --- in control.c --- */

/* Hands a command to the handler: takes over line->account and the document. */
void control_dispatch(struct exchange *exchange, struct control_command *command,
                      struct json_object *document, int fd);
/* The exchange is over: nobody waits for the answer any more. */
void control_abandon(struct control_request *request);
/* There is somebody to keep an eye on. */
void control_watch_clients(struct control *control);

#endif
