#include "io/http/http_private.h"

#include <string.h>

#include "base/encoding.h"
#include "base/must.h"

/* libcurl leaves out the first character of the path, which is the type of the item, and adds a
 * line break to the rest. */
#define PATH "/0"

/* Percent-encoded, a byte takes three. */
enum { URL_MAX = HTTP_AUTHORITY_MAX + 3 * HTTP_URL_MAX };

static bool set_url(struct http_exchange *exchange)
{
    const struct buf *body = &exchange->request.body;
    struct buf url;
    bool set;

    if (body->length < 2 || memcmp(body->data + body->length - 2, "\r\n", 2) != 0)
        return false;
    buf_init(&url, URL_MAX);
    (void)buf_append_format(&url, "gophers://%s" PATH, exchange->authority);
    (void)percent_encode(&url, buf_str(body), body->length - 2);
    if (url.failed == -ENOMEM)
        fault_out_of_memory();
    set =
        url.failed == 0 && curl_easy_setopt(exchange->easy, CURLOPT_URL, buf_str(&url)) == CURLE_OK;
    buf_done(&url);
    return set;
}

bool http_bare_prepare(struct http_exchange *exchange)
{
    CURL *const easy = exchange->easy;

    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "gophers") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK && set_url(exchange);
}

bool http_bare_take(struct http_exchange *exchange, const char *data, size_t length)
{
    const char *end = memchr(data, '\n', length);
    struct buf *line = &exchange->reply.body;

    if (buf_append(line, data, end ? (size_t)(end - data) : length) == -ENOMEM)
        fault_out_of_memory();
    if (line->failed != 0)
        return false;
    exchange->has_line = !!end;
    if (end && line->length > 0 && line->data[line->length - 1] == '\r')
        line->data[--line->length] = '\0';
    return !end;
}
