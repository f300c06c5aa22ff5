#include "proto/imds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"

#define NOW ((time_ms)1795348800000)
#define URL "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"

static const struct imds_identity system_assigned = {.endpoint = "http://169.254.169.254",
                                                     .audience = "https://management.azure.com/"};

static void test_request(void **state)
{
    static const struct {
        struct imds_identity identity;
        const char *url;
    } cases[] = {
        {{.audience = "https://management.azure.com/"},
         URL "&resource=https%3A%2F%2Fmanagement.azure.com%2F"},
        {{.audience = "r", .client_id = "3"}, URL "&resource=r&client_id=3"},
        {{.audience = "r", .object_id = "4"}, URL "&resource=r&object_id=4"},
        {{.audience = "r", .resource_id = "/subscriptions/5"},
         URL "&resource=r&msi_res_id=%2Fsubscriptions%2F5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct imds_identity identity = cases[i].identity;
        struct http_request request;
        struct err err;

        identity.endpoint = "http://169.254.169.254";
        assert_int_equal(imds_token_request(&request, &identity, &err), 0);
        assert_string_equal(request.method, "GET");
        assert_string_equal(buf_str(&request.url), cases[i].url);
        assert_string_equal(sent_header(&request, "Metadata"), "true");
        assert_true(request.link_local);
        http_request_done(&request);
    }
}

static void test_granted(void **state)
{
    struct access_token token;
    struct http_reply reply;
    struct failure failure;

    (void)state;
    canned_answer(&reply, 200, NULL,
                  "{\"access_token\":\"abc\",\"client_id\":\"3\",\"expires_in\":\"86399\","
                  "\"expires_on\":\"1795435199\",\"not_before\":\"1795348500\",\"resource\":"
                  "\"https://management.azure.com/\",\"token_type\":\"Bearer\"}");
    assert_int_equal(imds_token_reply(&token, &reply, &system_assigned, NOW, &failure), 0);
    assert_int_equal(token.lifetime, 86399000);
    assert_int_equal(token.refresh_after, 86399000 / 2);
    access_token_done(&token);
    http_reply_done(&reply);
}

static void test_refused(void **state)
{
    static const struct imds_identity user_assigned = {
        .endpoint = "http://169.254.169.254", .audience = "r", .client_id = "33333333"};
    static const struct {
        const struct imds_identity *identity;
        int status;
        const char *body;
        enum reason reason;
        const char *code;
        const char *text;
        const char *remedy;
    } cases[] = {
        {&system_assigned, 400,
         "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}",
         REASON_TOKEN_FAILED, "invalid_request", "400 invalid_request: Identity not found",
         "system-assigned managed identity"},
        {&user_assigned, 400,
         "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}",
         REASON_TOKEN_FAILED, "invalid_request", "Identity not found",
         "assign the managed identity 33333333"},
        {&system_assigned, 500, "", REASON_TOKEN_FAILED, "", "500 without an explanation", ""},
        {&system_assigned, 429, "{}", REASON_THROTTLED, "", "429", ""},
        {&system_assigned, 410, "null", REASON_TOKEN_FAILED, "", "410", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct access_token token;
        struct http_reply reply;
        struct failure failure;

        canned_answer(&reply, cases[i].status, NULL, cases[i].body);
        assert_int_equal(imds_token_reply(&token, &reply, cases[i].identity, NOW, &failure), -EIO);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_string_equal(failure.error_code, cases[i].code);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_non_null(strstr(failure.remedy, cases[i].remedy));
        http_reply_done(&reply);
    }
}

static void test_not_on_azure(void **state)
{
    struct access_token token;
    struct http_reply reply;
    struct failure failure;

    (void)state;
    canned_silence(&reply, HTTP_UNSENT, "connection timed out");
    assert_int_equal(imds_token_reply(&token, &reply, &system_assigned, NOW, &failure), -EIO);
    assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
    assert_non_null(strstr(failure.remedy, "Azure virtual machine"));
    http_reply_done(&reply);
}

static void test_retry(void **state)
{
    static const struct {
        enum http_outcome outcome;
        int status;
        const char *headers;
        unsigned attempts;
        duration_ms elapsed;
        duration_ms expected;
    } cases[] = {
        {HTTP_ANSWERED, 404, NULL, 1, 0, 2000},
        {HTTP_ANSWERED, 404, NULL, 2, 2000, 4000},
        {HTTP_ANSWERED, 500, NULL, 3, 6000, 8000},
        {HTTP_ANSWERED, 503, NULL, 4, 14000, 16000},
        {HTTP_ANSWERED, 503, NULL, 5, 30000, 0},
        {HTTP_ANSWERED, 429, "Retry-After: 7\n", 1, 0, 7000},
        {HTTP_ANSWERED, 429, "Retry-After: 1\n", 1, 0, 2000},
        {HTTP_ANSWERED, 429, "Retry-After: 3600\n", 1, 0, 0},
        {HTTP_ANSWERED, 400, NULL, 1, 0, 0},
        {HTTP_ANSWERED, 403, NULL, 1, 0, 0},
        {HTTP_ANSWERED, 302, NULL, 1, 0, 0},
        {HTTP_ANSWERED, 410, NULL, 1, 0, 10000},
        {HTTP_ANSWERED, 410, NULL, 7, 70000, 10000},
        {HTTP_ANSWERED, 410, NULL, 8, 80000, 0},
        {HTTP_LOST, 0, NULL, 1, 0, 2000},
        {HTTP_UNSENT, 0, NULL, 1, 0, 0},
        {HTTP_CANCELED, 0, NULL, 1, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;

        canned_answer(&reply, cases[i].status, cases[i].headers, NULL);
        reply.outcome = cases[i].outcome;
        assert_int_equal(imds_retry_delay(&reply, cases[i].attempts, cases[i].elapsed, NOW),
                         cases[i].expected);
        http_reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request), cmocka_unit_test(test_granted),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_not_on_azure),
        cmocka_unit_test(test_retry),
    };

    return cmocka_run_group_tests_name("imds", tests, NULL, NULL);
}
