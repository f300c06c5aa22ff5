#include "proto/http_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW ((time_ms)1795348800000) /* 2026-11-22T12:00:00Z */

static void reply_with(struct http_reply *reply, const char *headers)
{
    http_reply_init(reply, 1024);
    assert_int_equal(buf_append_str(&reply->headers, headers), 0);
}

static void test_retry_after(void **state)
{
    static const struct {
        const char *headers;
        duration_ms expected;
    } cases[] = {
        {"", 0},
        {"Retry-After: 0\n", 0},
        {"Retry-After: 17\n", 17000},
        {"retry-after:17\n", 17000},
        {"RETRY-AFTER: \t 017 \t\n", 17000},
        {"Retry-After: 17", 17000},
        {"Retry-After: 86399\n", 86399000},
        {"Retry-After: 86400\n", MS_DAY},
        {"Retry-After: 86401\n", MS_DAY},
        {"Retry-After: 99999999999999999999999999999999\n", MS_DAY},
        {"Retry-After: -5\n", 0},
        {"Retry-After: +5\n", 0},
        {"Retry-After: 1.5\n", 0},
        {"Retry-After: 5s\n", 0},
        {"Retry-After: soon\n", 0},
        {"Retry-After:\n", 0},
        {"X-Retry-After: 5\n", 0},
        {"Retry-After-Not: 5\n", 0},
        {"Retry-After : 5\n", 0},
        /* dates, against our clock */
        {"Retry-After: Sun, 22 Nov 2026 12:00:30 GMT\n", 30000},
        {"Retry-After: Sunday, 22-Nov-26 12:00:30 GMT\n", 30000},
        {"Retry-After: Sun Nov 22 12:00:30 2026\n", 30000},
        {"Retry-After: Sun, 22 Nov 2026 11:59:00 GMT\n", 0},
        {"Retry-After: Sun, 22 Nov 2026 12:00:00 GMT\n", 0},
        {"Retry-After: Wed, 25 Nov 2026 12:00:00 GMT\n", MS_DAY},
        {"Retry-After: Sun, 32 Nov 2026 12:00:30 GMT\n", 0},
        /* dates, against the server's */
        {"Date: Sun, 22 Nov 2026 09:00:00 GMT\nRetry-After: Sun, 22 Nov 2026 09:01:00 GMT\n",
         60000},
        {"Date: Sun, 22 Nov 2026 15:00:00 GMT\nRetry-After: Sun, 22 Nov 2026 14:00:00 GMT\n", 0},
        {"Date: nonsense\nRetry-After: Sun, 22 Nov 2026 12:00:30 GMT\n", 30000},
        /* milliseconds, and which header counts */
        {"retry-after-ms: 250\n", 250},
        {"x-ms-retry-after-ms: 251\n", 251},
        {"Retry-After: 9\nx-ms-retry-after-ms: 251\nretry-after-ms: 250\n", 250},
        {"Retry-After: 9\nX-MS-Retry-After-MS: 251\n", 251},
        {"Retry-After: 9\nretry-after-ms: x\n", 9000},
        {"retry-after-ms: 86400000\n", MS_DAY},
        {"retry-after-ms: 86400001\n", MS_DAY},
        {"retry-after-ms: 86399999\n", 86399999},
        {"retry-after-ms: 999999999999999999999999\n", MS_DAY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;

        reply_with(&reply, cases[i].headers);
        if (http_reply_retry_after(&reply, NOW) != cases[i].expected)
            fail_msg("\"%s\": %lld ms instead of %lld", cases[i].headers,
                     (long long)http_reply_retry_after(&reply, NOW), (long long)cases[i].expected);
        http_reply_done(&reply);
    }
}

static void test_reply_header(void **state)
{
    static const char headers[] =
        "Content-Type: application/json; charset=utf-8\n"
        "ETag:  \"a:b\"  \n"
        "Empty:\n"
        "Twice: one\n"
        "Twice: two\n"
        "Last: 1";
    struct http_reply reply;
    char value[64];
    char small[4];

    (void)state;
    reply_with(&reply, headers);
    assert_true(http_reply_header(&reply, "content-type", value, sizeof(value)));
    assert_string_equal(value, "application/json; charset=utf-8");
    assert_true(http_reply_header(&reply, "ETAG", value, sizeof(value)));
    assert_string_equal(value, "\"a:b\"");
    assert_true(http_reply_header(&reply, "Empty", value, sizeof(value)));
    assert_string_equal(value, "");
    assert_true(http_reply_header(&reply, "Twice", small, sizeof(small)));
    assert_string_equal(small, "one");
    assert_true(http_reply_header(&reply, "Last", value, 2));
    assert_string_equal(value, "1");
    assert_false(http_reply_header(&reply, "Last", value, 1));
    assert_false(http_reply_header(&reply, "Content", value, sizeof(value)));
    assert_false(http_reply_header(&reply, "application/json; charset", value, sizeof(value)));
    assert_false(http_reply_header(&reply, "Content-Type", small, sizeof(small)));
    http_reply_done(&reply);

    http_reply_init(&reply, 0);
    assert_false(http_reply_header(&reply, "Date", value, sizeof(value)));
    assert_true(http_reply_date(&reply) == TIME_NEVER);
    http_reply_done(&reply);
}

static void test_reply_date(void **state)
{
    struct http_reply reply;

    (void)state;
    reply_with(&reply, "Date: Sun, 22 Nov 2026 12:00:00 GMT\n");
    assert_true(http_reply_date(&reply) == NOW);
    http_reply_done(&reply);
    reply_with(&reply, "Date: 2026-11-22T12:00:00Z\n");
    assert_true(http_reply_date(&reply) == TIME_NEVER);
    http_reply_done(&reply);
}

static void test_request_is_complete(void **state)
{
    struct http_request request;

    (void)state;
    http_request_init(&request, "GET", 5000);
    assert_string_equal(request.method, "GET");
    assert_true(request.repeatable);
    assert_false(request.link_local);
    assert_true(request.deadline == 5000);
    assert_false(http_request_ok(&request)); /* no URL yet */
    assert_int_equal(buf_append_str(&request.url, "https://example.com/a?b=%20"), 0);
    assert_true(http_request_ok(&request));
    http_request_header(&request, "X-Name", "a value");
    assert_true(http_request_ok(&request));
    assert_string_equal(buf_str(&request.headers[0]), "X-Name: a value");
    http_request_done(&request);
    assert_int_equal(request.header_count, 0);
    http_request_done(&request);
}

static void test_repeatable_methods(void **state)
{
    static const struct {
        const char *method;
        bool repeatable;
    } cases[] = {{"GET", true},  {"HEAD", true},   {"POST", false},
                 {"PUT", false}, {"PATCH", false}, {"DELETE", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request;

        http_request_init(&request, cases[i].method, 1);
        assert_int_equal(request.repeatable, cases[i].repeatable);
        http_request_done(&request);
    }
}

static void test_request_header_checks(void **state)
{
    static const struct {
        const char *name, *value;
        bool ok;
    } cases[] = {
        {"Name", "value", true},     {"Name", "", true},
        {"Name", "v\xc3\xa4", true}, {"x-ms-Date_1", "a: b", true},
        {"", "value", false},        {"Na me", "value", false},
        {"Name:", "value", false},   {"Name", "a\r\nEvil: 1", false},
        {"Name", "a\nb", false},     {"Name", "a\tb", false},
        {"Name", "a\x7f", false},    {"N\name", "value", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request;

        http_request_init(&request, "GET", 1);
        assert_int_equal(buf_append_str(&request.url, "https://example.com/"), 0);
        http_request_header(&request, cases[i].name, cases[i].value);
        http_request_header(&request, "Good", "1"); /* a good header does not undo the bad one */
        if (http_request_ok(&request) != cases[i].ok)
            fail_msg("\"%s\" \"%s\"", cases[i].name, cases[i].value);
        http_request_done(&request);
    }
}

static void test_request_limits(void **state)
{
    struct http_request request;
    char long_value[HTTP_HEADER_MAX + 1];

    (void)state;
    http_request_init(&request, "GET", 1);
    assert_int_equal(buf_append_str(&request.url, "https://example.com/"), 0);
    for (int i = 0; i < HTTP_HEADERS_MAX; i++)
        http_request_header(&request, "Name", "value");
    assert_true(http_request_ok(&request));
    http_request_header(&request, "Name", "value");
    assert_false(http_request_ok(&request));
    http_request_done(&request);

    memset(long_value, 'x', sizeof(long_value) - 1);
    long_value[sizeof(long_value) - 1] = '\0';
    http_request_init(&request, "GET", 1);
    assert_int_equal(buf_append_str(&request.url, "https://example.com/"), 0);
    http_request_header(&request, "Name", long_value);
    assert_false(http_request_ok(&request));
    http_request_done(&request);

    http_request_init(&request, "PROPFIND", 1); /* longer than the field */
    assert_int_equal(buf_append_str(&request.url, "https://example.com/"), 0);
    assert_false(http_request_ok(&request));
    http_request_done(&request);
}

static void test_bearer(void **state)
{
    static const struct {
        const char *token;
        bool ok;
    } cases[] = {{"eyJ0.e30.c2ln", true}, {"eyJ0\r\nX-Other: 1", false}, {"eyJ0\x7f", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct secret *token = secret_new(cases[i].token, strlen(cases[i].token));
        struct http_request request;

        http_request_init(&request, "GET", 1);
        assert_int_equal(buf_append_str(&request.url, "https://example.com/"), 0);
        http_request_bearer(&request, token);
        assert_int_equal(http_request_ok(&request), cases[i].ok);
        if (cases[i].ok)
            assert_string_equal(buf_str(&request.headers[0]),
                                "Authorization: Bearer eyJ0.e30.c2ln");
        http_request_done(&request);
        secret_free(token);
    }
}

static void test_request_url(void **state)
{
    static const char *const unusable[] = {"https://example.com/a b", "https://example.com/\n",
                                           "https://example.com/\xc3\xa4", "https://e\x7f.com/"};

    (void)state;
    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        struct http_request request;

        http_request_init(&request, "GET", 1);
        assert_int_equal(buf_append_str(&request.url, unusable[i]), 0);
        assert_false(http_request_ok(&request));
        http_request_done(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_reply_header),
        cmocka_unit_test(test_reply_date),
        cmocka_unit_test(test_request_is_complete),
        cmocka_unit_test(test_repeatable_methods),
        cmocka_unit_test(test_request_header_checks),
        cmocka_unit_test(test_request_limits),
        cmocka_unit_test(test_request_url),
        cmocka_unit_test(test_bearer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
