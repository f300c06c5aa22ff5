#include "io/http/http_private.h"

#include <errno.h>
#include <string.h>

void http_exchange_init(struct http_exchange *exchange, struct http_request *request)
{
    memset(exchange, 0, sizeof(*exchange));
    exchange->request = *request;
    memset(request, 0, sizeof(*request));
    http_reply_init(&exchange->reply, exchange->request.reply_maximum);
}

static void release_handle(struct http_exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    exchange->easy = NULL;
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
    curl_slist_free_all(exchange->connect_to);
    exchange->connect_to = NULL;
}

/* Frees the members that only the transfer needed. The request goes last, because libcurl borrowed
 * parts of it. */
static void release_transfer(struct http_exchange *exchange)
{
    release_handle(exchange);
    http_request_done(&exchange->request);
}

void http_exchange_rewind(struct http_exchange *exchange)
{
    release_handle(exchange);
    http_reply_done(&exchange->reply);
    http_reply_init(&exchange->reply, exchange->request.reply_maximum);
    exchange->sent = false;
    exchange->has_line = false;
    exchange->body_sent = 0;
    exchange->header_bytes = 0;
    exchange->headers_complete = false;
    exchange->curl_error[0] = '\0';
}

/* Discards a partial answer, so that nobody reads a part of a body as the whole. */
static void fail(struct http_exchange *exchange)
{
    struct http_reply *reply = &exchange->reply;

    reply->outcome = exchange->sent ? HTTP_LOST : HTTP_UNSENT;
    buf_clear(&reply->body);
    if (!exchange->headers_complete)
        buf_clear(&reply->headers);
}

static void read_status(struct http_exchange *exchange)
{
    long status = 0;

    if (exchange->easy && exchange->sent && !exchange->request.bare)
        (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->reply.status = status >= 200 ? (int)status : 0;
}

void http_exchange_finish(struct http_exchange *exchange, CURLcode result)
{
    const bool bare = exchange->request.bare;

    read_status(exchange);
    if (bare ? exchange->has_line : result == CURLE_OK && exchange->reply.status != 0) {
        exchange->reply.outcome = HTTP_ANSWERED;
    } else {
        http_failure_describe(exchange, bare && result == CURLE_OK ? CURLE_GOT_NOTHING : result,
                              &exchange->reply.error);
        fail(exchange);
    }
    release_transfer(exchange);
}

void http_exchange_expire(struct http_exchange *exchange)
{
    read_status(exchange);
    http_failure_describe_timeout(exchange, &exchange->reply.error);
    fail(exchange);
    release_transfer(exchange);
}

void http_exchange_abandon(struct http_exchange *exchange, int code, const char *reason)
{
    read_status(exchange);
    (void)err_set(&exchange->reply.error, code, "%s", reason);
    fail(exchange);
    release_transfer(exchange);
}

void http_exchange_cancel(struct http_exchange *exchange)
{
    http_exchange_abandon(exchange, -ECANCELED, "canceled");
    exchange->reply.outcome = HTTP_CANCELED;
}

void http_exchange_done(struct http_exchange *exchange)
{
    release_transfer(exchange);
    http_reply_done(&exchange->reply);
}
