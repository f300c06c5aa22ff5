/*
 * What the files of the wing do for each other. Private to io/http/.
 */
#ifndef KEYROTATED_IO_HTTP_HTTP_PRIVATE_H
#define KEYROTATED_IO_HTTP_HTTP_PRIVATE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/sealed.h"
#include "io/loop/loop.h"
#include "proto/http_message.h"

/*
 * --- http_exchange.c ---
 *
 * One HTTP exchange with libcurl: the options of its easy handle, the callbacks that receive and
 * supply bytes, and the outcome. Independent of the loop; io/http/http.c drives it. Private to
 * io/http/http*.c.
 *
 * libcurl's pre-request callback shows whether the server can have seen the request: it is the
 * callback that runs after name resolution, connect, proxy CONNECT and TLS handshake and before the
 * first byte of each attempt. So the outcome never depends on an interpretation of error codes.
 */

/* The options of io/http/http.h, owned. */
struct http_settings {
    char *ca_file;    /* NULL: the system's bundle */
    char *proxy;      /* "": none */
    char *proxy_user; /* NULL: none */
    struct sealed *proxy_password;
    char *no_proxy;
    char *user_agent;
};

/* Why one of our callbacks aborted the transfer. */
enum http_refusal { REFUSED_NOTHING, REFUSED_LONG_BODY, REFUSED_LONG_HEADERS, REFUSED_RESENDING };

enum { HTTP_AUTHORITY_MAX = 280 };

struct http_exchange {
    struct http_request request;
    struct http_reply reply;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *connect_to;      /* where the URL names the certificate's host */
    char authority[HTTP_AUTHORITY_MAX]; /* "host:port", for messages */
    bool plain;                         /* http, not https */
    bool may_use_proxy;
    bool names_user; /* to the proxy */
    bool sent;       /* the server may have got some of the request */
    bool has_line;   /* bare: the whole answer is there */
    size_t body_sent;
    size_t header_bytes;
    bool headers_complete;
    bool redirected; /* this is the second request, after a 307 or 308 */
    enum http_refusal refusal;
    char curl_error[CURL_ERROR_SIZE];
};

/* Takes over the content of `request` and leaves that empty. The exchange must not move in memory
 * afterwards. */
void http_exchange_init(struct http_exchange *exchange, struct http_request *request);

/* Makes the easy handle, ready to be added to a multi handle. On failure (returned with the reason
 * in err) nothing has been sent. */
int http_exchange_prepare(struct http_exchange *exchange, const struct http_settings *settings,
                          struct err *err);

/* Called when libcurl has finished. Returns true when the answer is a redirection to follow; the
 * exchange is then reset to its state before http_exchange_prepare(), for the new URL
 * (io/http/http_redirect.c). */
bool http_exchange_redirect(struct http_exchange *exchange, CURLcode result);

/* Clears the outcome and keeps the request, so that it can be prepared and sent once more. */
void http_exchange_rewind(struct http_exchange *exchange);

/* Called when libcurl has finished: determines the outcome and releases the easy handle, which must
 * be in no multi handle. */
void http_exchange_finish(struct http_exchange *exchange, CURLcode result);

/* The same when the deadline has passed. */
void http_exchange_expire(struct http_exchange *exchange);

/* The same when we end the exchange: HTTP_UNSENT or, when the server may have received some of it,
 * HTTP_LOST. */
void http_exchange_abandon(struct http_exchange *exchange, int code, const char *reason);

/* The same when we cancel the exchange: HTTP_CANCELED. */
void http_exchange_cancel(struct http_exchange *exchange);

/* Wipes and frees whatever is left. */
void http_exchange_done(struct http_exchange *exchange);

/*
 * --- http_bare.c ---
 *
 * Bytes over TLS without HTTP. libcurl has a protocol that sends what stands in its URL, and hands
 * on what comes back: gopher (RFC 1436), here over TLS. So proxies, certificates, time limits and
 * the loop are those of every other request.
 */

/* Gives the handle, which has the options that all requests share, those of a bare one. False: this
 * libcurl cannot do it. */
bool http_bare_prepare(struct http_exchange *exchange);

/* Takes a part of the answer. False: that is all of it, or too much. */
bool http_bare_take(struct http_exchange *exchange, const char *data, size_t length);

/* Describes the cause of `result` in a sentence (io/http/http_failure.c). */
void http_failure_describe(const struct http_exchange *exchange, CURLcode result, struct err *err);
void http_failure_describe_timeout(const struct http_exchange *exchange, struct err *err);

/*
 * --- http_multi.c ---
 *
 * A libcurl multi handle driven by the loop: its sockets as poll handles, its one timer, its
 * completions. Private to io/http/http*.c.
 *
 * No event is raised from inside a libcurl callback, so that its receiver may call libcurl.
 */

struct http_multi;

struct http_multi_events {
    /* A transfer ended; its easy handle has been removed already. */
    void (*transfer_done)(CURL *easy, CURLcode result);
    /* The multi handle cannot go on. The receiver removes every transfer and closes it. */
    void (*broken)(void *owner, struct http_multi *multi);
    /* The multi handle is closed; it is freed as soon as this callback returns. */
    void (*closed)(void *owner, struct http_multi *multi);
};

struct http_multi *http_multi_new(struct loop *loop, const struct http_multi_events *events,
                                  void *owner, struct err *err);

/* The caller keeps ownership of the easy handle. Returns 0 or a negative errno value with err
 * set. */
int http_multi_add(struct http_multi *multi, CURL *easy, struct err *err);
void http_multi_remove(struct http_multi *multi, CURL *easy);

/* The number of transfers in the multi handle. */
unsigned http_multi_transfers(const struct http_multi *multi);

/* Closes the multi handle and its connections, from the loop. All transfers must have been removed.
 * Calling it twice is fine. */
void http_multi_close(struct http_multi *multi);

#endif
