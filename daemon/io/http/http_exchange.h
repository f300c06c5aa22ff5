/*
 * One HTTP exchange as libcurl sees it: the options of its easy handle, the callbacks that take and
 * give bytes, and what its end means. Knows nothing of loops; io/http/http.c drives it. Private to
 * io/http/http*.c.
 *
 * Whether the server can have seen the request is known from libcurl's pre-request callback, which
 * runs after name resolution, connect, proxy CONNECT and TLS handshake and before the first byte of
 * each attempt. So the outcome never depends on an interpretation of error codes.
 */
#ifndef KEYROTATED_IO_HTTP_HTTP_EXCHANGE_H
#define KEYROTATED_IO_HTTP_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "base/err.h"
#include "proto/http_message.h"

/* The options of io/http/http.h, owned. */
struct http_settings {
    char *ca_file; /* NULL: the system's bundle */
    char *proxy;   /* "": none */
    char *no_proxy;
    char *user_agent;
};

/* Why a callback of ours made libcurl give up. */
enum http_refusal { REFUSED_NOTHING, REFUSED_LONG_BODY, REFUSED_LONG_HEADERS, REFUSED_RESENDING };

enum { HTTP_AUTHORITY_MAX = 280 };

struct http_exchange {
    struct http_request request;
    struct http_reply reply;
    CURL *easy;
    struct curl_slist *headers;
    char authority[HTTP_AUTHORITY_MAX]; /* "host:port", for messages */
    bool plain;                         /* http, not https */
    bool may_use_proxy;
    bool sent; /* the server may have got some of the request */
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

/* libcurl is through, as for http_exchange_finish(). Is the answer a redirection that is followed?
 * Then the exchange is as it was before http_exchange_prepare(), for the new place
 * (io/http/http_redirect.c). */
bool http_exchange_redirect(struct http_exchange *exchange, CURLcode result);

/* Forgets what became of the request, and keeps that: it is to be prepared and sent once more. */
void http_exchange_rewind(struct http_exchange *exchange);

/* libcurl is through: judges the result and releases the easy handle, which is in no multi handle.
 */
void http_exchange_finish(struct http_exchange *exchange, CURLcode result);

/* The deadline has come, likewise. */
void http_exchange_expire(struct http_exchange *exchange);

/* We end it, likewise: HTTP_UNSENT or, where the server may have got some of it, HTTP_LOST. */
void http_exchange_abandon(struct http_exchange *exchange, int code, const char *reason);

/* We give it up, likewise: HTTP_CANCELED. */
void http_exchange_cancel(struct http_exchange *exchange);

/* Wipes and frees whatever is left. */
void http_exchange_done(struct http_exchange *exchange);

/* Says in words why `result` came about (io/http/http_failure.c). */
void http_failure_describe(const struct http_exchange *exchange, CURLcode result, struct err *err);
void http_failure_describe_timeout(const struct http_exchange *exchange, struct err *err);

#endif
