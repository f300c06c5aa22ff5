/*
 * What the tests of io/http/http share: a loop with a client, requests that are run to their end,
 * and name resolution that the test decides on.
 */
#ifndef KEYROTATED_TESTS_HTTP_FIXTURE_H
#define KEYROTATED_TESTS_HTTP_FIXTURE_H

#include <dirent.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "io/http/http.h"
#include "authority.h"
#include "scripted_server.h"

/* --- names: this program's getaddrinfo() is the one that libcurl calls --- */

static _Atomic bool names_stall = true; /* while true, "stall.test" takes STALL_MS to resolve */
static _Atomic int names_looked_up;
enum { STALL_MS = 5000 };

static inline void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_addresses)
{
    struct {
        struct addrinfo info;
        struct sockaddr_in address;
    } * answer;

    (void)hints;
    names_looked_up++;
    for (int i = 0; strcmp(name, "stall.test") == 0 && names_stall && i < STALL_MS / 5; i++)
        pause_ms(5);
    if (strcmp(name, "server.test") != 0 && strcmp(name, "proxy.test") != 0)
        return EAI_NONAME;
    answer = calloc(1, sizeof(*answer));
    answer->address.sin_family = AF_INET;
    answer->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    answer->address.sin_port = htons((uint16_t)atoi(service));
    answer->info.ai_family = AF_INET;
    answer->info.ai_socktype = SOCK_STREAM;
    answer->info.ai_protocol = IPPROTO_TCP;
    answer->info.ai_addr = (struct sockaddr *)&answer->address;
    answer->info.ai_addrlen = sizeof(answer->address);
    *ret_addresses = &answer->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *addresses)
{
    free(addresses);
}

/* --- the client --- */

struct fixture {
    struct loop *loop;
    struct http *http;
    int open_requests;
    bool closed;
};

/* What became of a request. */
struct result {
    struct fixture *fixture;
    int completions;
    enum http_outcome outcome;
    int status;
    char headers[2048];
    char body[2048];
    int error_code;
    char error[ERR_TEXT_MAX];
    duration_ms duration;
};

static inline int count_entries(const char *directory)
{
    DIR *stream = opendir(directory);
    int count = 0;

    while (readdir(stream))
        count++;
    closedir(stream);
    return count;
}

/* Without `ca_file`, one certificate takes the place of all those of the system, which valgrind
 * needs seconds to read. */
static inline struct fixture *fixture_new(const struct http_options *options)
{
    static const struct http_options plain = {.user_agent = "keyrotated/test"};
    struct http_options given = options ? *options : plain;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct err err;

    if (!given.ca_file)
        given.ca_file = TEST_AUTHORITY;
    fixture->loop = loop_new(&err);
    assert_non_null(fixture->loop);
    fixture->http = http_new(fixture->loop, &given, &err);
    if (!fixture->http)
        fail_msg("%s", err.text);
    return fixture;
}

static inline void fixture_on_closed(void *context)
{
    ((struct fixture *)context)->closed = true;
}

static inline void fixture_free(struct fixture *fixture)
{
    http_close(fixture->http, fixture_on_closed, fixture);
    assert_false(fixture->closed);
    loop_run(fixture->loop);
    assert_true(fixture->closed);
    assert_int_equal(fixture->open_requests, 0);
    assert_true(loop_free(fixture->loop));
    free(fixture);
}

static inline void fixture_on_reply(void *context, struct http_reply *reply)
{
    struct result *result = context;

    result->completions++;
    result->outcome = reply->outcome;
    result->status = reply->status;
    (void)snprintf(result->headers, sizeof(result->headers), "%s", buf_str(&reply->headers));
    (void)snprintf(result->body, sizeof(result->body), "%s", buf_str(&reply->body));
    result->error_code = reply->error.code;
    (void)snprintf(result->error, sizeof(result->error), "%s", reply->error.text);
    result->duration = reply->duration;
    if (--result->fixture->open_requests == 0)
        loop_stop(result->fixture->loop);
}

/* A request to https://HOST:PORT/path, or http:// where `plain`. */
static inline struct http_request request_to(const char *method, bool plain, const char *host,
                                             int port)
{
    struct http_request request;

    http_request_init(&request, method, 20 * MS_SECOND);
    (void)buf_append_format(&request.url, "%s://%s:%d/path?query=1", plain ? "http" : "https", host,
                            port);
    return request;
}

static inline struct http_request request_to_server(const char *method, const struct server *server)
{
    return request_to(method, true, "127.0.0.1", server->port);
}

static inline struct http_call *start(struct fixture *fixture, struct http_request *request,
                                      struct result *result)
{
    struct http_call *call;

    memset(result, 0, sizeof(*result));
    result->fixture = fixture;
    fixture->open_requests++;
    call = http_start(fixture->http, request, fixture_on_reply, result);
    assert_int_equal(result->completions, 0);
    assert_int_equal(request->header_count, 0);
    assert_int_equal(request->url.length, 0);
    return call;
}

/* Runs the loop until no request is open. */
static inline void finish_all(struct fixture *fixture)
{
    loop_run(fixture->loop);
    assert_int_equal(fixture->open_requests, 0);
}

static inline struct result run(struct fixture *fixture, struct http_request request)
{
    struct result result;

    (void)start(fixture, &request, &result);
    finish_all(fixture);
    assert_int_equal(result.completions, 1);
    return result;
}

static inline const char *outcome_name(enum http_outcome outcome)
{
    static const char *const names[] = {"ANSWERED", "UNSENT", "LOST", "CANCELED"};

    return names[outcome];
}

static inline void expect_outcome(const char *what, const struct result *result,
                                  enum http_outcome outcome)
{
    if (result->outcome != outcome)
        fail_msg("%s: %s instead of %s (status %d, %s)", what, outcome_name(result->outcome),
                 outcome_name(outcome), result->status, result->error);
    if (outcome == HTTP_ANSWERED)
        assert_int_equal(result->error_code, 0);
    else
        assert_true(result->error_code < 0 && *result->error != '\0');
    if (outcome != HTTP_ANSWERED)
        assert_string_equal(result->body, "");
}

static inline void expect_text(const char *what, const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s: \"%s\" does not contain \"%s\"", what, text, part);
}

#endif
