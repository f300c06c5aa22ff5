#include "proto/two_key/batch_probe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"

#define NOW     ((time_ms)1795348800000) /* Sun, 22 Nov 2026 12:00:00 GMT */
#define HOST    "https://myaccount.westeurope.batch.azure.com"
#define VERSION "api-version=2024-07-01.20.0"

/* base64 of the bytes 0 to 63 */
static const char key_text[] =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

/* Signatures that Microsoft's SDKs for Python and JavaScript agree on. */
static void test_signatures(void **state)
{
    static const struct {
        const char *method;
        const char *url;
        const char *header[2];
        const char *body;
        const char *signature;
    } cases[] = {
        {"GET",
         HOST "/pools?" VERSION "&maxresults=1",
         {NULL, NULL},
         NULL,
         "kKFYC3eFL1irmhiUSYxETHJxRc4ivzrmpxPyVrVHdyw="},
        {"GET",
         HOST "/supportedimages?maxresults=1&" VERSION,
         {"client-request-id", "9C4D50EE-2D56-4CD3-8152-34347DC9F2B0"},
         NULL,
         "5eaI2Cx5e+O/BHeJRgzjBMD8qMF4lRDTdvl2eXfy84Q="},
        {"GET",
         HOST "/pools?$filter=state%20eq%20'active'&$select=id&" VERSION,
         {NULL, NULL},
         NULL,
         "wTBsT/TwHe11gpnCEEtQd/hbpL6C5T5pmn2Ho+NzEnA="},
        {"HEAD",
         HOST "/pools/p1?" VERSION,
         {"If-Match", "0x8D1"},
         NULL,
         "FOJAdMXD+brBb2/bpYvI2LcwF79kmJL6kMGgiYLS0tk="},
        {"POST",
         HOST "/jobs?" VERSION,
         {"Content-Type", "application/json; odata=minimalmetadata"},
         "{\"id\":\"j\"}",
         "oII0hVYj2e17ifgf9cAlPia5927hhvfPirjqYjTEf7w="},
    };
    struct secret *key = secret_new(key_text, sizeof(key_text) - 1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request;
        char expected[128];
        struct err err;

        http_request_init(&request, cases[i].method, MS_SECOND);
        buf_append_str(&request.url, cases[i].url);
        if (cases[i].header[0])
            http_request_header(&request, cases[i].header[0], cases[i].header[1]);
        if (cases[i].body)
            buf_append_str(&request.body, cases[i].body);
        assert_int_equal(batch_sign(&request, "MyAccount", key, NOW, &err), 0);
        (void)snprintf(expected, sizeof(expected), "SharedKey myaccount:%s", cases[i].signature);
        assert_string_equal(sent_header(&request, "Authorization"), expected);
        assert_string_equal(sent_header(&request, "ocp-date"), "Sun, 22 Nov 2026 12:00:00 GMT");
        http_request_done(&request);
    }
    secret_free(key);
}

/* Names of headers and parameters count in lower case, in whatever order they are sent. */
static void test_case_and_order_do_not_matter(void **state)
{
    static const struct {
        const char *url;
        const char *names[2];
    } cases[] = {{HOST "/pools?b=1&a=2", {"ocp-range", "ocp-x"}},
                 {HOST "/pools?A=2&B=1", {"OCP-X", "Ocp-Range"}}};
    struct secret *key = secret_new(key_text, sizeof(key_text) - 1);
    char signatures[2][128];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct http_request request;
        struct err err;

        http_request_init(&request, "GET", MS_SECOND);
        buf_append_str(&request.url, cases[i].url);
        http_request_header(&request, cases[i].names[0], "same");
        http_request_header(&request, cases[i].names[1], "same");
        assert_int_equal(batch_sign(&request, "myaccount", key, NOW, &err), 0);
        str_copy(signatures[i], sizeof(signatures[i]), sent_header(&request, "Authorization"));
        http_request_done(&request);
    }
    assert_string_equal(signatures[0], signatures[1]);
    secret_free(key);
}

static void test_probe_request(void **state)
{
    struct secret *key = secret_new(key_text, sizeof(key_text) - 1);
    const struct two_key_probe probe = {.endpoint = "myaccount.westeurope.batch.localhost:8443",
                                        .name = "myaccount",
                                        .key = key,
                                        .client_request_id = "id-1",
                                        .now = NOW};
    struct http_request request;
    struct err err;

    (void)state;
    assert_int_equal(batch_probe.build(&batch_probe, &request, &probe, &err), 0);
    assert_string_equal(request.method, "GET");
    assert_string_equal(buf_str(&request.url),
                        "https://myaccount.westeurope.batch.localhost:8443/pools?" VERSION
                        "&maxresults=1&$select=id");
    assert_string_equal(sent_header(&request, "client-request-id"), "id-1");
    assert_null(sent_header(&request, "Content-Type"));
    assert_true(request.repeatable);
    http_request_done(&request);
    secret_free(key);
}

static void test_key_that_is_none(void **state)
{
    static const char *const texts[] = {"hunter2", "AAE", "====", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct secret *key = secret_new(texts[i], strlen(texts[i]));
        const struct two_key_probe probe = {
            .endpoint = "h", .name = "a", .key = key, .client_request_id = "id", .now = NOW};
        struct http_request request;
        struct err err;

        assert_int_equal(batch_probe.build(&batch_probe, &request, &probe, &err), -EINVAL);
        assert_null(strstr(err.text, "hunter2"));
        http_request_done(&request);
        secret_free(key);
    }
}

#define REFUSAL(detail)                                                                            \
    "{\"odata.metadata\":\"x\",\"code\":\"AuthenticationFailed\",\"message\":{\"lang\":\"en-US\"," \
    "\"value\":\"Server failed to authenticate the request.\\nRequestId:1\"},\"values\":[{"        \
    "\"key\":\"AuthenticationErrorDetail\",\"value\":\"" detail "\"}]}"
#define MAC                                                                                        \
    "The MAC signature found in the HTTP request 'kKFYC3eFL1irmhiUSYxETHJxRc4ivzrmpxPyVrVHdyw=' "  \
    "is not the same as any computed signature."

static void test_verdicts(void **state)
{
    static const struct {
        int status;
        const char *headers;
        const char *body;
        enum reason reason;
        const char *text;
    } cases[] = {
        {403, NULL, REFUSAL(MAC), REASON_KEY_REFUSED, "403 AuthenticationFailed"},
        {401, NULL, REFUSAL(MAC), REASON_KEY_REFUSED, "401 AuthenticationFailed"},
        {403, "Date: Sun, 22 Nov 2026 12:10:00 GMT\n", REFUSAL(MAC), REASON_KEY_REFUSED, "403"},
        {403, "Date: Sun, 22 Nov 2026 12:20:00 GMT\n", REFUSAL("x"), REASON_CLOCK_SKEW, "20m"},
        {403, "Date: Sun, 22 Nov 2026 11:40:00 GMT\n", REFUSAL("x"), REASON_CLOCK_SKEW, "20m"},
        {403, NULL,
         REFUSAL("The specified type of authentication SharedKey is not allowed for this account."),
         REASON_SHARED_KEY_DISABLED, "SharedKey"},
        {403, NULL, "{\"code\":\"AuthorizationFailed\",\"message\":{\"value\":\"x\"}}",
         REASON_AZURE_ERROR, "did not say"},
        {403, NULL, "<html>", REASON_AZURE_ERROR, "did not say"},
        {400, NULL, REFUSAL(MAC), REASON_AZURE_ERROR, "did not say"},
        {404, NULL, "", REASON_AZURE_ERROR, "did not say"},
        {429, "Retry-After: 3\n", "", REASON_THROTTLED, "did not say"},
        {503, "Retry-After: 3\n", "", REASON_THROTTLED, "did not say"},
        {503, NULL, "{\"code\":\"ServerBusy\",\"message\":\"x\"}", REASON_THROTTLED, "ServerBusy"},
        {503, NULL, "", REASON_AZURE_ERROR, "did not say"},
        {500, NULL, "", REASON_AZURE_ERROR, "did not say"},
        {302, NULL, "", REASON_AZURE_ERROR, "did not say"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;
        struct failure failure;

        canned_answer(&reply, cases[i].status, cases[i].headers, cases[i].body);
        buf_append_str(&reply.headers, "request-id: r-1\n");
        assert_false(batch_probe.read(&batch_probe, &reply, NOW, &failure));
        assert_int_equal(failure.reason, cases[i].reason);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_null(strstr(failure.text, "kKFYC3eF"));
        assert_string_equal(failure.request_id, "r-1");
        assert_false(failure.outcome_unknown);
        http_reply_done(&reply);
    }
}

static void test_accepted_and_silent(void **state)
{
    struct http_reply reply;
    struct failure failure;

    (void)state;
    canned_answer(&reply, 200, NULL, "{\"value\":[]}");
    assert_true(batch_probe.read(&batch_probe, &reply, NOW, &failure));
    http_reply_done(&reply);
    canned_silence(&reply, HTTP_UNSENT, "no route");
    assert_false(batch_probe.read(&batch_probe, &reply, NOW, &failure));
    assert_int_equal(failure.reason, REASON_NETWORK);
    http_reply_done(&reply);
    canned_silence(&reply, HTTP_LOST, "reset");
    assert_false(batch_probe.read(&batch_probe, &reply, NOW, &failure));
    assert_int_equal(failure.reason, REASON_NETWORK);
    assert_false(failure.outcome_unknown);
    http_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_probe_request),
        cmocka_unit_test(test_case_and_order_do_not_matter),
        cmocka_unit_test(test_key_that_is_none),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_accepted_and_silent),
    };

    return cmocka_run_group_tests_name("batch_probe", tests, NULL, NULL);
}
