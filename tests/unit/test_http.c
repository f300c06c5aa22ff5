#include "io/http/http.h"

#include <errno.h>

#include "http_fixture.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

/* --- what is sent, what is understood --- */

static void answer_ok(struct server *server, int connection)
{
    while (server_read_request(server, connection))
        server_send(connection, server->context ? server->context : OK_HEAD "{}");
}

static void test_request_on_the_wire(void **state)
{
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(answer_ok, NULL);
    struct http_request request = request_to_server("GET", server);
    struct result result;
    char expected[256];

    (void)state;
    http_request_header(&request, "Authorization", "Bearer token");
    http_request_header(&request, "X-Empty", "");
    http_request_header(&request, "X-Odd", "a: ");
    result = run(fixture, request);
    expect_outcome("GET", &result, HTTP_ANSWERED);
    assert_int_equal(result.status, 200);
    assert_string_equal(result.body, "{}");
    assert_string_equal(result.headers, "Content-Length: 2\n");
    (void)snprintf(expected, sizeof(expected),
                   "GET /path?query=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                   "User-Agent: keyrotated/test\r\nAccept: */*\r\n"
                   "Accept-Encoding: identity\r\n"
                   "Authorization: Bearer token\r\nX-Empty:\r\nX-Odd: a: \r\n\r\n",
                   server->port);
    assert_string_equal(server->last_request, expected);
    assert_int_equal(http_in_flight(fixture->http), 0);
    fixture_free(fixture);
    server_stop(server);
}

static void test_methods_and_bodies(void **state)
{
    static const struct {
        const char *method, *body;
        bool repeatable;
    } cases[] = {
        {"POST", "{\"a\":1}", false}, {"POST", "{\"a\":1}", true}, {"POST", "", false},
        {"POST", "", true},           {"PUT", "x", false},         {"PUT", "x", true},
        {"PATCH", "x", false},        {"PATCH", "", false},        {"DELETE", NULL, false},
        {"DELETE", "x", false},       {"HEAD", NULL, true},        {"GET", NULL, false},
    };
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(answer_ok, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const body = cases[i].body;
        struct http_request request = request_to_server(cases[i].method, server);
        struct result result;
        char expected[64];

        request.repeatable = cases[i].repeatable;
        (void)buf_append_str(&request.body, body ? body : "");
        result = run(fixture, request);
        expect_outcome(cases[i].method, &result, HTTP_ANSWERED);
        (void)snprintf(expected, sizeof(expected), "%s /path?query=1 HTTP/1.1\r\n",
                       cases[i].method);
        assert_memory_equal(server->last_request, expected, strlen(expected));
        if (body) {
            (void)snprintf(expected, sizeof(expected), "Content-Length: %zu\r\n", strlen(body));
            expect_text(cases[i].method, server->last_request, expected);
            assert_string_equal(strstr(server->last_request, "\r\n\r\n") + 4, body);
        } else {
            assert_null(strstr(server->last_request, "Content-Length"));
        }
        assert_null(strstr(server->last_request, "Expect"));
        assert_null(strstr(server->last_request, "Content-Type"));
    }
    assert_int_equal(server->connections, 1); /* kept alive throughout */
    fixture_free(fixture);
    server_stop(server);
}

/* A body beyond a mebibyte would make libcurl wait for "100 Continue". */
static void test_large_body_goes_at_once(void **state)
{
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(answer_ok, NULL);
    struct http_request request = request_to_server("POST", server);
    struct result result;

    (void)state;
    for (int i = 0; i < 6000; i++)
        (void)buf_append_str(&request.body, "0123456789");
    result = run(fixture, request);
    expect_outcome("large body", &result, HTTP_ANSWERED);
    assert_int_equal(strlen(strstr(server->last_request, "\r\n\r\n") + 4), 60000);
    fixture_free(fixture);
    server_stop(server);
}

static void test_replies(void **state)
{
    static const struct {
        const char *reply;
        int status;
        const char *headers, *body;
    } cases[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", ""},
        {"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\nx", 429,
         "Retry-After: 7\nContent-Length: 1\n", "x"},
        {"HTTP/1.1 100 Continue\r\nA: 1\r\n\r\nHTTP/1.1 103 Early\r\nB: 2\r\n\r\n"
         "HTTP/1.1 201 Created\r\nC: 3\r\nContent-Length: 0\r\n\r\n",
         201, "C: 3\nContent-Length: 0\n", ""},
        {"HTTP/1.1 200 OK\r\nLong: a\r\n\t b\r\nContent-Length: 0\r\n\r\n", 200,
         "Long: a\t b\nContent-Length: 0\n", ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n"
         "Retry-After: 99\r\n\r\n",
         200, "Transfer-Encoding: chunked\n", "abc"},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302,
         "Location: http://127.0.0.1:1/\nContent-Length: 0\n", ""},
        {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 401,
         "WWW-Authenticate: Basic\nContent-Length: 0\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture *fixture = fixture_new(NULL);
        struct server *server = server_start(answer_ok, cases[i].reply);
        struct result result = run(fixture, request_to_server("GET", server));

        expect_outcome(cases[i].reply, &result, HTTP_ANSWERED);
        assert_int_equal(result.status, cases[i].status);
        assert_string_equal(result.headers, cases[i].headers);
        assert_string_equal(result.body, cases[i].body);
        assert_int_equal(server->requests, 1);
        fixture_free(fixture);
        server_stop(server);
    }
}

/* --- answers that do not arrive --- */

struct mishap {
    const char *name;
    const char *reply; /* what is sent before ... */
    enum { CLOSE, RESET, HANG, FLOOD_BODY, FLOOD_HEADERS } then;
    int status;
    int error_code;
    const char *error;
};

static void act_out_mishap(struct server *server, int connection)
{
    const struct mishap *mishap = server->context;
    const bool is_flood = mishap->then == FLOOD_BODY || mishap->then == FLOOD_HEADERS;

    if (!server_read_request(server, connection))
        return;
    server_send(connection, mishap->reply);
    for (int i = 0; is_flood && i < 10000; i++)
        server_send(connection, mishap->then == FLOOD_BODY ? "0123456789" : "Header: 01234\r\n");
    if (mishap->then == RESET)
        server_reset(connection);
    if (mishap->then == HANG)
        server_await_hangup(connection);
}

static void test_lost_answers(void **state)
{
    static const struct mishap mishaps[] = {
        {"close", "", CLOSE, 0, -ECONNRESET, "broke before the whole answer"},
        {"reset", "", RESET, 0, -ECONNRESET, "broke before the whole answer"},
        {"half a status line", "HTTP/1.", CLOSE, 0, -ECONNRESET, "broke before the whole answer"},
        {"half the headers", "HTTP/1.1 200 OK\r\nContent-", RESET, 200, -ECONNRESET, "broke"},
        {"short body", OK_HEAD "{", CLOSE, 200, -ECONNRESET, "broke"},
        {"reset in body", OK_HEAD "{", RESET, 200, -ECONNRESET, "broke"},
        {"short chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", CLOSE, 200,
         -ECONNRESET, "broke"},
        {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", CLOSE,
         200, -ECONNRESET, "broke"},
        {"not HTTP", "220 mail.example.com ESMTP\r\n", CLOSE, 0, -EPROTO, "did not answer in HTTP"},
        {"only an interim response", "HTTP/1.1 100 Continue\r\n\r\n", CLOSE, 0, -ECONNRESET,
         "broke"},
        {"silence", "", HANG, 0, -ETIMEDOUT, "did not answer within 400ms"},
        {"stalled body", OK_HEAD "{", HANG, 200, -ETIMEDOUT, "did not end within 400ms"},
        {"long body", "HTTP/1.1 200 OK\r\n\r\n", FLOOD_BODY, 200, -EMSGSIZE, "longer than 1000 "},
        {"body one too long", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", FLOOD_BODY, 200,
         -EMSGSIZE, "longer than 1000 bytes"},
        {"long headers", "HTTP/1.1 200 OK\r\n", FLOOD_HEADERS, 200, -EMSGSIZE, "headers"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(mishaps) / sizeof(mishaps[0]); i++) {
        const struct mishap *mishap = &mishaps[i];
        struct fixture *fixture = fixture_new(NULL);
        struct server *server = server_start(act_out_mishap, mishap);
        struct http_request request = request_to_server("POST", server);
        struct result result;

        (void)buf_append_str(&request.body, "secret");
        request.deadline = mishap->then == HANG ? 400 : 10000;
        request.reply_maximum = 1000;
        result = run(fixture, request);
        expect_outcome(mishap->name, &result, HTTP_LOST);
        assert_int_equal(result.status, mishap->status);
        if (result.error_code != mishap->error_code)
            fail_msg("%s: error %d, %s", mishap->name, result.error_code, result.error);
        expect_text(mishap->name, result.error, mishap->error);
        expect_text(mishap->name, result.error, "127.0.0.1:");
        assert_null(strstr(result.error, "secret"));
        assert_null(strstr(result.error, "path"));
        if (mishap->then == HANG)
            assert_in_range(result.duration, 390, 3000);
        assert_int_equal(server->requests, 1);
        fixture_free(fixture);
        server_stop(server);
    }
}

static void test_body_of_exactly_the_maximum(void **state)
{
    static const struct mishap mishap = {
        "", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", FLOOD_BODY, 200, 0, ""};
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(act_out_mishap, &mishap);
    struct http_request request = request_to_server("GET", server);
    struct result result;

    (void)state;
    request.reply_maximum = 1000;
    result = run(fixture, request);
    expect_outcome("1000 bytes", &result, HTTP_ANSWERED);
    assert_int_equal(strlen(result.body), 1000);
    fixture_free(fixture);
    server_stop(server);
}

/* --- requests that never leave --- */

static void test_unsent(void **state)
{
    static const struct {
        const char *url;
        int error_code;
        const char *error;
    } cases[] = {
        {"http://127.0.0.1:1/secret", -ECONNREFUSED, "cannot connect to 127.0.0.1:1: "},
        {"https://127.0.0.1:1/secret", -ECONNREFUSED, "cannot connect to 127.0.0.1:1: "},
        {"https://absent.test/secret", -EHOSTUNREACH, "absent.test:443 cannot be resolved: check"},
        {"http://server.test/secret", -EPROTONOSUPPORT, "use https:// for server.test"},
        {"http://10.0.0.1/secret", -EPROTONOSUPPORT, "http:// is for loopback"},
        {"http://169.254.169.253/secret", -EPROTONOSUPPORT, "http:// is for loopback"},
        {"http://127.0.0.1.nip.io/secret", -EPROTONOSUPPORT, "http:// is for loopback"},
        {"http://128.0.0.1/secret", -EPROTONOSUPPORT, "http:// is for loopback"},
        {"ftp://127.0.0.1/secret", -EPROTONOSUPPORT, "ftp is not supported"},
        {"file:///etc/passwd", -EINVAL, "not usable"},
        {"https://user:secret@127.0.0.1:1/", -EINVAL, "URL is not usable"},
        {"127.0.0.1:1/secret", -EINVAL, "URL is not usable"},
        {"https://127.0.0.1:99999/secret", -EINVAL, "URL is not usable"},
        {"https:// 127.0.0.1/secret", -EINVAL, "HTTP does not allow"},
        {"", -EINVAL, "incomplete"},
    };
    struct fixture *fixture = fixture_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request;
        struct result result;

        http_request_init(&request, "GET", 10000);
        (void)buf_append_str(&request.url, cases[i].url);
        result = run(fixture, request);
        expect_outcome(cases[i].url, &result, HTTP_UNSENT);
        assert_int_equal(result.status, 0);
        expect_text(cases[i].url, result.error, cases[i].error);
        if (result.error_code != cases[i].error_code)
            fail_msg("%s: %d", cases[i].url, result.error_code);
        assert_null(strstr(result.error, "secret"));
    }
    fixture_free(fixture);
}

static void test_plain_http_where_it_is_allowed(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "127.1"};
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(answer_ok, NULL);

    (void)state;
    names_looked_up = 0;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct result result = run(fixture, request_to("GET", true, hosts[i], server->port));

        expect_outcome(hosts[i], &result, HTTP_ANSWERED);
    }
    assert_int_equal(names_looked_up, 0); /* no name server decides what "localhost" is */
    fixture_free(fixture);
    server_stop(server);
}

/* Nothing is sent: a refused URL is completed before it can be canceled. */
static void test_more_hosts_for_plain_http(void **state)
{
    static const char *const hosts[] = {"169.254.169.254", "[::1]", "127.255.255.254", "LocalHost"};
    struct fixture *fixture = fixture_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct http_request request = request_to("GET", true, hosts[i], 1);
        struct result result;

        http_cancel(start(fixture, &request, &result));
        finish_all(fixture);
        expect_outcome(hosts[i], &result, HTTP_CANCELED);
    }
    fixture_free(fixture);
}

/* --- libcurl repeats nothing by itself --- */

struct drop {
    bool reads_body;
};

/* The first request of a connection is answered, the second one is not. */
static void answer_then_drop(struct server *server, int connection)
{
    const struct drop *drop = server->context;

    if (!server_read_request(server, connection))
        return;
    server_send(connection, OK_HEAD "{}");
    (void)server_read(server, connection, drop->reads_body);
}

static void test_unrepeatable_is_sent_once(void **state)
{
    static const struct {
        const char *name, *method, *body;
        bool reads_body, repeatable;
        int requests; /* requests that the server gets, with the first one */
    } cases[] = {
        {"body", "POST", "x", true, false, 2},
        {"body that is not read", "POST", "x", false, false, 2},
        {"no body", "POST", "", true, false, 2},
        {"DELETE", "DELETE", "", true, false, 2},
        {"repeatable", "GET", "", true, true, 3},
        {"repeatable with body", "POST", "x", true, true, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct drop drop = {cases[i].reads_body};
        struct fixture *fixture = fixture_new(NULL);
        struct server *server = server_start(answer_then_drop, &drop);
        struct http_request request;
        struct result result = run(fixture, request_to_server("GET", server));

        expect_outcome(cases[i].name, &result, HTTP_ANSWERED);
        request = request_to_server(cases[i].method, server);
        request.repeatable = cases[i].repeatable;
        (void)buf_append_str(&request.body, cases[i].body);
        result = run(fixture, request);
        expect_outcome(cases[i].name, &result, cases[i].repeatable ? HTTP_ANSWERED : HTTP_LOST);
        if (!cases[i].repeatable) {
            assert_int_equal(result.error_code, -ECONNRESET);
            assert_non_null(strstr(result.error,
                                   "closed the connection without an answer; the "
                                   "request was not repeated"));
        }
        assert_int_equal(server->requests, cases[i].requests);

        result = run(fixture, request_to_server("GET", server)); /* the client still works */
        expect_outcome(cases[i].name, &result, HTTP_ANSWERED);
        fixture_free(fixture);
        server_stop(server);
    }
}

/* --- canceling and closing --- */

static void test_cancel(void **state)
{
    static const struct mishap silence = {"", "", HANG, 0, 0, ""};
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(act_out_mishap, &silence);
    struct http_request request = request_to_server("GET", server);
    struct result result;
    struct http_call *call = start(fixture, &request, &result);

    (void)state;
    assert_int_equal(http_in_flight(fixture->http), 1);
    http_cancel(call);
    http_cancel(call);
    http_cancel(NULL);
    assert_int_equal(result.completions, 0); /* only from the loop */
    finish_all(fixture);
    assert_int_equal(result.completions, 1);
    expect_outcome("cancel", &result, HTTP_CANCELED);
    fixture_free(fixture);
    server_stop(server);
}

static void test_close_cancels_what_is_under_way(void **state)
{
    static const struct mishap silence = {"", "", HANG, 0, 0, ""};
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(act_out_mishap, &silence);
    struct http_request requests[3];
    struct result results[3];
    struct result late;

    (void)state;
    for (int i = 0; i < 2; i++) {
        requests[i] = request_to_server("GET", server);
        (void)start(fixture, &requests[i], &results[i]);
    }
    requests[2] = request_to("GET", false, "stall.test", 443);
    (void)start(fixture, &requests[2], &results[2]);
    while (server->requests < 2)
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);

    http_close(fixture->http, fixture_on_closed, fixture);
    requests[0] = request_to_server("GET", server);
    assert_non_null(start(fixture, &requests[0], &late)); /* too late, but it is answered */
    assert_false(fixture->closed);
    finish_all(fixture);
    loop_run(fixture->loop);
    assert_true(fixture->closed);
    for (int i = 0; i < 3; i++)
        expect_outcome("close", &results[i], HTTP_CANCELED);
    expect_outcome("late", &late, HTTP_CANCELED);
    assert_true(loop_free(fixture->loop));
    free(fixture);
    server_stop(server);
}

struct chain {
    struct fixture *fixture;
    struct server *server;
    int left;
    bool running_done;
};

static void start_next(void *context, struct http_reply *reply)
{
    struct chain *chain = context;

    assert_false(chain->running_done);
    chain->running_done = true;
    assert_int_equal(reply->outcome, chain->left >= 0 ? HTTP_ANSWERED : HTTP_CANCELED);
    if (chain->left-- > 0) {
        struct http_request request = request_to_server("GET", chain->server);

        assert_non_null(http_start(chain->fixture->http, &request, start_next, chain));
        if (chain->left == 0) {
            http_close(chain->fixture->http, fixture_on_closed, chain->fixture);
            chain->left = -1;
        }
    }
    chain->running_done = false;
}

/* Starting and closing from inside done(). */
static void test_completions_may_do_anything(void **state)
{
    struct chain chain = {
        .fixture = fixture_new(NULL), .server = server_start(answer_ok, NULL), .left = 3};
    struct http_request request = request_to_server("GET", chain.server);

    (void)state;
    (void)http_start(chain.fixture->http, &request, start_next, &chain);
    loop_run(chain.fixture->loop);
    assert_int_equal(chain.left, -2);
    assert_true(chain.fixture->closed);
    assert_true(loop_free(chain.fixture->loop));
    free(chain.fixture);
    server_stop(chain.server);
}

/* --- limits --- */

static void test_too_many_at_a_time(void **state)
{
    enum { COUNT = HTTP_IN_FLIGHT_MAX + 2 };
    struct fixture *fixture = fixture_new(NULL);
    struct result *results = calloc(COUNT, sizeof(*results));

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        struct http_request request = request_to("GET", true, "127.0.0.1", 1);

        (void)start(fixture, &request, &results[i]);
    }
    finish_all(fixture);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(results[i].outcome, HTTP_UNSENT);
        assert_int_equal(results[i].error_code, i < HTTP_IN_FLIGHT_MAX ? -ECONNREFUSED : -EBUSY);
    }
    free(results);
    fixture_free(fixture);
}

static int init(void **state)
{
    struct err err;

    (void)state;
    return http_global_init(&err);
}

static int done(void **state)
{
    (void)state;
    names_stall = false;
    for (int i = 0; i < 500 && count_entries("/proc/self/task") > 3; i++)
        pause_ms(10); /* for the threads of abandoned lookups */
    http_global_done();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_on_the_wire),
        cmocka_unit_test(test_methods_and_bodies),
        cmocka_unit_test(test_large_body_goes_at_once),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_lost_answers),
        cmocka_unit_test(test_body_of_exactly_the_maximum),
        cmocka_unit_test(test_unsent),
        cmocka_unit_test(test_plain_http_where_it_is_allowed),
        cmocka_unit_test(test_more_hosts_for_plain_http),
        cmocka_unit_test(test_unrepeatable_is_sent_once),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_close_cancels_what_is_under_way),
        cmocka_unit_test(test_completions_may_do_anything),
        cmocka_unit_test(test_too_many_at_a_time),
    };

    return cmocka_run_group_tests(tests, init, done);
}
