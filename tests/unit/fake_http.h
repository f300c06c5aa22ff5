/*
 * An HTTP client whose replies are scripted: it defines what io/http/http.h declares, as far as the
 * modules under test use it. To be included once in a test program, after fake_loop.h. Without a
 * script entry left a request hangs until it is canceled or fake_http_answer_all() is called.
 */
#ifndef KEYROTATED_TESTS_FAKE_HTTP_H
#define KEYROTATED_TESTS_FAKE_HTTP_H

#include <stdlib.h>

#include "canned_reply.h"
#include "io/http/http.h"

struct scripted {
    enum http_outcome outcome;
    int status;
    const char *headers;
    const char *body;
    const char *expected_url; /* a part of it; NULL: any */
};

struct http_call {
    struct list link;
    struct deferred deliver;
    struct http_request request;
    const struct scripted *reply;
    http_done *done;
    void *context;
};

enum { FAKE_SENT_MAX = 64 };

static struct {
    const struct scripted *script;
    size_t script_length;
    size_t sent_count; /* requests so far */
    struct list calls;
    struct { /* what was sent, in order */
        char method[8];
        char url[512];
        char authorization[256];
        char key[256];
        char correlation_id[64];
        char client_request_id[64];
        char if_match[64];
        char body[512];
    } sent[FAKE_SENT_MAX];
} fake_http;

static const struct scripted fake_http_canceled = {.outcome = HTTP_CANCELED};

static void fake_http_reset(const struct scripted *script, size_t length)
{
    memset(&fake_http, 0, sizeof(fake_http));
    fake_http.script = script;
    fake_http.script_length = length;
    list_init(&fake_http.calls);
}

static void fake_http_deliver(struct deferred *deferred)
{
    struct http_call *call = container_of(deferred, struct http_call, deliver);
    const struct scripted *scripted = call->reply;
    struct http_reply reply;

    if (scripted->outcome == HTTP_ANSWERED)
        canned_answer(&reply, scripted->status, scripted->headers, scripted->body);
    else
        canned_silence(&reply, scripted->outcome, "scripted");
    list_remove(&call->link);
    call->done(call->context, &reply);
    http_reply_done(&reply);
    http_request_done(&call->request);
    free(call);
}

static void fake_http_note(char *out, size_t size, const char *value)
{
    str_copy(out, size, value ? value : "");
}

#define FAKE_HTTP_NOTE(member, value)                                                              \
    fake_http_note(fake_http.sent[fake_http.sent_count].member, sizeof(fake_http.sent[0].member),  \
                   value)

struct http_call *http_start(struct http *http, struct http_request *request, http_done *done,
                             void *context)
{
    struct http_call *call = calloc(1, sizeof(*call));

    (void)http;
    call->request = *request;
    memset(request, 0, sizeof(*request));
    call->done = done;
    call->context = context;
    deferred_init(&call->deliver, fake_http_deliver);
    list_append(&fake_http.calls, &call->link);
    FAKE_HTTP_NOTE(method, call->request.method);
    FAKE_HTTP_NOTE(url, buf_str(&call->request.url));
    FAKE_HTTP_NOTE(body, buf_str(&call->request.body));
    FAKE_HTTP_NOTE(authorization, sent_header(&call->request, "Authorization"));
    FAKE_HTTP_NOTE(if_match, sent_header(&call->request, "If-Match"));
    FAKE_HTTP_NOTE(key, sent_header(&call->request, "aeg-sas-key"));
    FAKE_HTTP_NOTE(correlation_id, sent_header(&call->request, "x-ms-correlation-request-id"));
    FAKE_HTTP_NOTE(client_request_id, sent_header(&call->request, "x-ms-client-request-id"));
    if (fake_http.sent_count < fake_http.script_length) {
        call->reply = &fake_http.script[fake_http.sent_count];
        if (call->reply->expected_url &&
            !strstr(buf_str(&call->request.url), call->reply->expected_url)) {
            (void)fprintf(stderr, "unexpected request: %s\n", buf_str(&call->request.url));
            abort();
        }
        loop_defer(&fake_loop, &call->deliver);
    }
    fake_http.sent_count++;
    return call;
}

void http_cancel(struct http_call *call)
{
    call->reply = &fake_http_canceled;
    loop_defer(&fake_loop, &call->deliver);
}

/* Answers every request that hangs. */
static inline void fake_http_answer_all(const struct scripted *reply)
{
    list_for_each (link, &fake_http.calls) {
        struct http_call *call = container_of(link, struct http_call, link);

        if (!call->reply) {
            call->reply = reply;
            loop_defer(&fake_loop, &call->deliver);
        }
    }
}

#endif
