#include "proto/http_message.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "base/str.h"

enum { HEADER_VALUE_MAX = 256 }; /* of those that are read here: numbers and dates */

const char *http_service_name(enum http_service service)
{
    static const char *const names[HTTP_SERVICE_COUNT] = {
        [HTTP_TO_OTHER] = "other",
        [HTTP_TO_RESOURCE_MANAGER] = "resource_manager",
        [HTTP_TO_ENTRA] = "entra",
        [HTTP_TO_MANAGED_IDENTITY] = "managed_identity",
        [HTTP_TO_DATA_PLANE] = "data_plane",
        [HTTP_TO_KEY_VAULT] = "key_vault",
        [HTTP_TO_HASHICORP_VAULT] = "hashicorp_vault",
        [HTTP_TO_KUBERNETES] = "kubernetes",
        [HTTP_TO_WEBHOOK] = "webhook",
    };

    return names[service];
}

/* --- request --- */

void http_request_init(struct http_request *request, const char *method, duration_ms deadline)
{
    memset(request, 0, sizeof(*request));
    buf_init(&request->url, HTTP_URL_MAX);
    for (size_t i = 0; i < HTTP_HEADERS_MAX; i++)
        buf_init(&request->headers[i], HTTP_HEADER_MAX);
    buf_init(&request->body, HTTP_BODY_MAX);
    buf_init(&request->tls.authorities, HTTP_PEM_MAX);
    buf_init(&request->tls.certificate, HTTP_PEM_MAX);
    buf_init(&request->tls.private_key, HTTP_PEM_MAX);
    if (!str_copy(request->method, sizeof(request->method), method))
        request->failed = true;
    request->repeatable = str_equal(method, "GET") || str_equal(method, "HEAD");
    request->deadline = deadline;
    request->reply_maximum = HTTP_BODY_MAX;
}

void http_request_done(struct http_request *request)
{
    buf_done(&request->url);
    for (size_t i = 0; i < HTTP_HEADERS_MAX; i++)
        buf_done(&request->headers[i]);
    buf_done(&request->body);
    buf_done(&request->tls.authorities);
    buf_done(&request->tls.certificate);
    buf_done(&request->tls.private_key);
    memset(request, 0, sizeof(*request));
}

static bool is_token(const char *text)
{
    static const char characters[] =
        "!#$%&'*+-.^_`|~0123456789"
        "abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return *text != '\0' && text[strspn(text, characters)] == '\0';
}

static bool has_control_character(const char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            return true;
    }
    return false;
}

void http_request_header(struct http_request *request, const char *name, const char *value)
{
    struct buf *header;

    if (request->header_count == HTTP_HEADERS_MAX || !is_token(name) ||
        has_control_character(value)) {
        request->failed = true;
        return;
    }
    header = &request->headers[request->header_count++];
    (void)buf_append_str(header, name);
    (void)buf_append_str(header, ": ");
    (void)buf_append_str(header, value);
}

void http_request_secret(struct http_request *request, const char *name, const char *before,
                         const struct secret *value)
{
    const size_t index = request->header_count;

    http_request_header(request, name, before);
    if (has_control_character(secret_bytes(value)))
        request->failed = true;
    else if (request->header_count > index)
        (void)buf_append(&request->headers[index], secret_bytes(value), secret_length(value));
}

void http_request_bearer(struct http_request *request, const struct secret *token)
{
    http_request_secret(request, "Authorization", "Bearer ", token);
}

static bool is_printable_ascii(const struct buf *text)
{
    for (size_t i = 0; i < text->length; i++) {
        const unsigned char c = (unsigned char)text->data[i];

        if (c <= 0x20 || c >= 0x7f)
            return false;
    }
    return true;
}

int http_request_check(const struct http_request *request)
{
    const int parts[] = {request->url.failed, request->body.failed, request->tls.authorities.failed,
                         request->tls.certificate.failed, request->tls.private_key.failed};
    int rc = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++)
        rc = parts[i];
    for (size_t i = 0; i < request->header_count && rc == 0; i++)
        rc = request->headers[i].failed;
    if (rc == 0 &&
        (request->failed || request->url.length == 0 || !is_printable_ascii(&request->url)))
        rc = -EMSGSIZE;
    return rc;
}

bool http_request_ok(const struct http_request *request)
{
    return http_request_check(request) == 0;
}

/* --- reply --- */

void http_reply_init(struct http_reply *reply, size_t body_maximum)
{
    memset(reply, 0, sizeof(*reply));
    buf_init(&reply->headers, HTTP_REPLY_HEADERS_MAX);
    buf_init(&reply->body, body_maximum);
    err_clear(&reply->error);
}

void http_reply_done(struct http_reply *reply)
{
    buf_done(&reply->headers);
    buf_done(&reply->body);
    err_clear(&reply->error);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* If the line [line, end) is a header of that name: the start of its value, not yet trimmed. */
static const char *value_of_line(const char *line, const char *end, const char *name)
{
    const size_t length = strlen(name);

    if ((size_t)(end - line) <= length || line[length] != ':')
        return NULL;
    return str_starts_with_nocase(line, name) ? line + length + 1 : NULL;
}

bool http_reply_header(const struct http_reply *reply, const char *name, char *out, size_t size)
{
    const char *line = buf_str(&reply->headers);

    while (*line != '\0') {
        const char *end = strchrnul(line, '\n');
        const char *value = value_of_line(line, end, name);

        if (value) {
            while (value < end && is_blank(*value))
                value++;
            while (end > value && is_blank(end[-1]))
                end--;
            if ((size_t)(end - value) >= size)
                return false;
            memcpy(out, value, (size_t)(end - value));
            out[end - value] = '\0';
            return true;
        }
        line = *end == '\0' ? end : end + 1;
    }
    return false;
}

time_ms http_reply_date(const struct http_reply *reply)
{
    char value[HEADER_VALUE_MAX];
    time_ms at;

    if (!http_reply_header(reply, "Date", value, sizeof(value)) || !date_from_http(value, &at))
        return TIME_NEVER;
    return at;
}

/* Accepts only digits, as RFC 9110 demands, also with leading zeros; absurdly large values are
 * capped. */
static bool parse_delay(const char *text, duration_ms unit, duration_ms *ret_delay)
{
    duration_ms delay = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        if (delay <= MS_DAY)
            delay = delay * 10 + (*text - '0');
    }
    *ret_delay = delay >= MS_DAY / unit ? MS_DAY : delay * unit;
    return true;
}

static bool parse_retry_date(const struct http_reply *reply, const char *text, time_ms now,
                             duration_ms *ret_delay)
{
    const time_ms sent = http_reply_date(reply);
    const time_ms reference = sent != TIME_NEVER ? sent : now;
    time_ms at;

    if (!date_from_http(text, &at))
        return false;
    if (at <= reference)
        *ret_delay = 0;
    else
        *ret_delay = at - reference < MS_DAY ? at - reference : MS_DAY;
    return true;
}

duration_ms http_reply_retry_after(const struct http_reply *reply, time_ms now)
{
    static const char *const millisecond_names[] = {"retry-after-ms", "x-ms-retry-after-ms"};
    char value[HEADER_VALUE_MAX];
    duration_ms delay;

    for (size_t i = 0; i < sizeof(millisecond_names) / sizeof(millisecond_names[0]); i++)
        if (http_reply_header(reply, millisecond_names[i], value, sizeof(value)) &&
            parse_delay(value, 1, &delay))
            return delay;
    if (http_reply_header(reply, "Retry-After", value, sizeof(value)) &&
        (parse_delay(value, MS_SECOND, &delay) || parse_retry_date(reply, value, now, &delay)))
        return delay;
    return 0;
}
