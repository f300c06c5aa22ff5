/*
 * An HTTP/1.1 server on a listening socket, by libmicrohttpd.
 *
 * libmicrohttpd has an epoll descriptor of its own, which becomes ready when any of its connections
 * is; our loop watches that one: the server needs no thread. What happens to a request:
 *
 *    headers -> body collected -> connection suspended, handler called -> http_call_answer()
 *            -> reply sent, from the loop
 *
 * What can go wrong: the body is too large (413); the request does not arrive in time (the
 * connection is shut down); the client goes away (seen when the answer is sent); the server is
 * closed (what is answered by then is sent, other connections end without an answer).
 */
#ifndef KEYROTATED_IO_SERVER_HTTP_SERVER_H
#define KEYROTATED_IO_SERVER_HTTP_SERVER_H

#include "base/buf.h"
#include "base/err.h"
#include "io/loop/loop.h"

struct http_server;

enum { HTTP_METHOD_MAX = 16, HTTP_HOST_MAX = 264 };

/* A request that has arrived in full. The texts stay valid until it is answered. */
struct http_call {
    char method[HTTP_METHOD_MAX]; /* cut when it is longer than every known method */
    char *uri;                    /* path and query as sent, percent-encoded */
    char host[HTTP_HOST_MAX];     /* its Host header; "": it has none, or a longer one */
    struct buf body;
    int fd; /* of its connection, to ask the kernel who it is; -1: unknown */
};

struct http_answer {
    int status;
    const char *content_type; /* borrowed, as is `allow`: constants */
    const char *allow;        /* the value of Allow:, for 405; NULL: none */
    struct buf *content;      /* taken: it is empty afterwards */
};

struct http_server_options {
    int listen_fd; /* owned by the server once it is open */
    unsigned connections;
    duration_ms receive_timeout; /* for a whole request; 100 ms while all connections are taken,
                                  * so that slow clients give way */
    size_t uri_max;
    size_t body_max;

    /* Both are called from the loop, `context` first. */
    void *context;
    /* A request. The handler, or what it starts, calls http_call_answer() once: from inside this
     * call or at any later time, also after http_server_close(). */
    void (*handle)(void *context, struct http_call *call);
    /* Fills the answer to a request whose body is too large. */
    void (*refuse_too_large)(void *context, struct http_answer *answer);
};

int http_server_open(struct loop *loop, const struct http_server_options *options,
                     struct http_server **ret_server, struct err *err);

/* Gives a call its answer, and the call back to the server. Nothing is sent from inside this call:
 * the loop does that. */
void http_call_answer(struct http_call *call, const struct http_answer *answer);

/* Sends what has been answered, ends all connections, and calls closed(context) from the loop; the
 * server is gone then. The server closes only after this call has returned. */
void http_server_close(struct http_server *server, void (*closed)(void *context), void *context);

#endif
