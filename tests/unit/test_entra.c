#include "proto/entra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"

#define NOW ((time_ms)1795348800000)

static const struct entra_client client = {
    .login = "https://login.microsoftonline.com",
    .tenant_id = "11111111-1111-1111-1111-111111111111",
    .client_id = "22222222-2222-2222-2222-222222222222",
    .audience = "https://management.azure.com/",
};

static void test_request(void **state)
{
    struct entra_client with_secret = client;
    struct secret *secret = secret_new("p&s=w+d ~\xc3\xa4", 11);
    struct http_request request;
    struct err err;

    (void)state;
    with_secret.proof = secret;
    assert_int_equal(entra_token_request(&request, &with_secret, "an-id", &err), 0);
    assert_string_equal(request.method, "POST");
    assert_string_equal(buf_str(&request.url),
                        "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/"
                        "oauth2/v2.0/token");
    assert_string_equal(sent_header(&request, "Content-Type"), "application/x-www-form-urlencoded");
    assert_string_equal(sent_header(&request, "client-request-id"), "an-id");
    assert_string_equal(buf_str(&request.body),
                        "grant_type=client_credentials"
                        "&client_id=22222222-2222-2222-2222-222222222222"
                        "&scope=https%3A%2F%2Fmanagement.azure.com%2F%2F.default"
                        "&client_secret=p%26s%3Dw%2Bd%20~%C3%A4"
                        "&claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22"
                        "CP1%22%5D%7D%7D%7D");
    http_request_done(&request);
    secret_free(secret);
}

/* Azure Stack Hub with Active Directory Federation Services. */
static void test_adfs(void **state)
{
    struct entra_client with_secret = client;
    struct secret *secret = secret_new("s", 1);
    struct http_request request;
    struct err err;

    (void)state;
    with_secret.login = "https://adfs.local.azurestack.external/adfs";
    with_secret.tenant_id = "adfs";
    with_secret.audience = "https://management.adfs.azurestack.local/8f3b";
    with_secret.proof = secret;
    assert_int_equal(entra_token_request(&request, &with_secret, "an-id", &err), 0);
    assert_string_equal(buf_str(&request.url),
                        "https://adfs.local.azurestack.external/adfs/oauth2/token");
    assert_string_equal(buf_str(&request.body),
                        "grant_type=client_credentials"
                        "&client_id=22222222-2222-2222-2222-222222222222"
                        "&resource=https%3A%2F%2Fmanagement.adfs.azurestack.local%2F8f3b"
                        "&client_secret=s");
    http_request_done(&request);
    secret_free(secret);
}

static void test_assertion(void **state)
{
    struct entra_client with_assertion = client;
    struct secret *assertion = secret_new("e30.e30.c2ln", 12);
    struct http_request request;
    struct err err;

    (void)state;
    with_assertion.proof = assertion;
    with_assertion.is_assertion = true;
    assert_int_equal(entra_token_request(&request, &with_assertion, "an-id", &err), 0);
    assert_string_equal(buf_str(&request.body),
                        "grant_type=client_credentials"
                        "&client_id=22222222-2222-2222-2222-222222222222"
                        "&scope=https%3A%2F%2Fmanagement.azure.com%2F%2F.default"
                        "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
                        "client-assertion-type%3Ajwt-bearer&client_assertion=e30.e30.c2ln"
                        "&claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22"
                        "CP1%22%5D%7D%7D%7D");
    http_request_done(&request);
    secret_free(assertion);
}

static void test_granted(void **state)
{
    static const struct {
        const char *body;
        duration_ms lifetime;
        duration_ms refresh_after;
    } cases[] = {
        {"{\"token_type\":\"Bearer\",\"expires_in\":3599,\"ext_expires_in\":3599,"
         "\"access_token\":\"abc\"}",
         3599000, 3299000},
        {"{\"token_type\":\"bearer\",\"expires_in\":\"3600\",\"access_token\":\"abc\"}", 3600000,
         3300000},
        {"{\"expires_in\":86400,\"refresh_in\":43200,\"access_token\":\"abc\"}", 86400000,
         43200000},
        {"{\"expires_in\":86400,\"access_token\":\"abc\"}", 86400000, 43200000},
        {"{\"expires_in\":3600,\"refresh_in\":3601,\"access_token\":\"abc\"}", 3600000, 3300000},
        {"{\"expires_in\":3600,\"refresh_in\":0,\"access_token\":\"abc\"}", 3600000, 3300000},
        {"{\"expires_in\":3599.5,\"access_token\":\"abc\"}", 3599500, 3299500},
        {"{\"expires_in\":\"3599.0\",\"access_token\":\"abc\"}", 3599000, 3299000},
        {"{\"expires_in\":3.6e3,\"access_token\":\"abc\"}", 3600000, 3300000},
        /* NOW, and the Date of the answer, is the reference of expires_on. */
        {"{\"expires_on\":1700003600,\"access_token\":\"abc\"}", 3600000, 3300000},
        {"{\"expires_on\":\"1700003600\",\"expires_in\":\"\",\"access_token\":\"abc\"}", 3600000,
         3300000},
        {"{\"expires_on\":\"2023-11-14T23:13:20Z\",\"access_token\":\"abc\"}", 3600000, 3300000},
        {"{\"expires_on\":\"2023-11-14T23:13:20+00:00\",\"expires_in\":null,\"access_token\":"
         "\"abc\"}",
         3600000, 3300000},
        {"{\"expires_on\":\"Tue, 14 Nov 2023 23:13:20 GMT\",\"access_token\":\"abc\"}", 3600000,
         3300000},
        {"{\"expires_on\":\"11/14/2023 23:13:20 +00:00\",\"access_token\":\"abc\"}", 3600000,
         3300000},
        {"{\"expires_on\":\"11/14/2023 11:13:20 PM +00:00\",\"access_token\":\"abc\"}", 3600000,
         3300000},
        {"{\"expires_in\":60,\"expires_on\":\"nonsense\",\"access_token\":\"abc\"}", 60000, 30000},
        {"{\"access_token\":\"abc\"}", 300000, 150000},
        {"{\"expires_in\":\"\",\"expires_on\":\"\",\"access_token\":\"abc\"}", 300000, 150000},
        {"\xEF\xBB\xBF{\"expires_in\":60,\"x\":\"\\ud83d\",\"access_token\":\"abc\"}", 60000,
         30000},
        {"{\"expires_in\":60,\"access_token\":\"abc\"}", 60000, 30000},
        {"{\"expires_in\":1,\"access_token\":\"abc\"}", 1000, 500},
        {"{\"expires_in\":9223372036854775000,\"access_token\":\"abc\"}", 7 * MS_DAY,
         7 * MS_DAY / 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct access_token token;
        struct http_reply reply;
        struct failure failure;

        canned_answer(&reply, 200, "Date: Tue, 14 Nov 2023 22:13:20 GMT\n", cases[i].body);
        assert_int_equal(entra_token_reply(&token, &reply, &client, NOW, &failure), 0);
        assert_string_equal(secret_bytes(token.token), "abc");
        assert_int_equal(token.lifetime, cases[i].lifetime);
        assert_int_equal(token.refresh_after, cases[i].refresh_after);
        access_token_done(&token);
        http_reply_done(&reply);
    }
}

static void test_unusable(void **state)
{
    static const char *const bodies[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"expires_in\":3600}",
        "{\"expires_in\":3600,\"access_token\":\"\"}",
        "{\"expires_in\":3600,\"access_token\":17}",
        "{\"expires_in\":3600,\"access_token\":\"a\\r\\nX: y\"}",
        "{\"expires_in\":3600,\"access_token\":\"a b\"}",
        "{\"expires_on\":\"tomorrow\",\"access_token\":\"abc\"}",
        "{\"expires_on\":1699999999,\"access_token\":\"abc\"}",
        "{\"expires_in\":60,\"expires_in\":3600,\"access_token\":\"abc\"}",
        "{\"expires_in\":60,\"access_token\":\"abc\",\"access_token\":\"abc\"}",
        "{\"expires_in\":\"3599.x\",\"access_token\":\"abc\"}",
        "{\"expires_in\":true,\"access_token\":\"abc\"}",
        "{\"expires_in\":0,\"access_token\":\"abc\"}",
        "{\"expires_in\":-5,\"access_token\":\"abc\"}",
        "{\"expires_in\":\"soon\",\"access_token\":\"abc\"}",
        "{\"token_type\":\"pop\",\"expires_in\":3600,\"access_token\":\"abc\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct access_token token;
        struct http_reply reply;
        struct failure failure;

        canned_answer(&reply, 200, "Date: Tue, 14 Nov 2023 22:13:20 GMT\n", bodies[i]);
        assert_int_equal(entra_token_reply(&token, &reply, &client, NOW, &failure), -EIO);
        assert_null(token.token);
        assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
        assert_null(strstr(failure.text, "abc"));
        http_reply_done(&reply);
    }
}

static void test_refused(void **state)
{
    static const struct {
        int status;
        const char *headers;
        const char *body;
        enum reason reason;
        const char *code;
        const char *text;
        const char *remedy;
        duration_ms retry_after;
    } cases[] = {
        {401, NULL,
         "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client "
         "secret provided.\\r\\nTrace ID: x\",\"error_codes\":[7000215],\"trace_id\":\"t1\","
         "\"correlation_id\":\"c1\"}",
         REASON_TOKEN_FAILED, "AADSTS7000215", "AADSTS7000215: Invalid client secret provided.",
         "of application 22222222-2222-2222-2222-222222222222", 0},
        {401, NULL, "{\"error\":\"invalid_client\",\"error_codes\":[7000222]}", REASON_TOKEN_FAILED,
         "AADSTS7000222", "because the client secret has expired: 401 invalid_client",
         "az ad app credential reset --append --id 22222222-2222-2222-2222-222222222222", 0},
        {400, NULL, "{\"error\":\"unauthorized_client\",\"error_codes\":[700016]}",
         REASON_TOKEN_FAILED, "AADSTS700016", "400 unauthorized_client",
         "not known in tenant 11111111-1111-1111-1111-111111111111", 0},
        {400, NULL, "{\"error\":\"invalid_request\",\"error_codes\":[90002]}", REASON_TOKEN_FAILED,
         "AADSTS90002", "invalid_request", "check tenant_id", 0},
        {400, NULL, "{\"error\":\"invalid_resource\",\"error_codes\":[500011]}",
         REASON_TOKEN_FAILED, "AADSTS500011", "invalid_resource", "https://management.azure.com/",
         0},
        {400, NULL, "{\"error\":\"invalid_request\",\"error_codes\":[1, \"x\", 99]}",
         REASON_TOKEN_FAILED, "invalid_request", "invalid_request", "", 0},
        {429, "Retry-After: 17\n", "{\"error\":\"temporarily_unavailable\"}", REASON_THROTTLED,
         "temporarily_unavailable", "429", "ask for tokens of application", 17000},
        {403, "Server: squid\n", "<html><title>Denied</title>", REASON_TOKEN_FAILED, "",
         "403 without an explanation; it is a web page, \"Denied\"; its Server header is \"squid\"",
         "cloud.login", 0},
        {307, "Location: https://else.example/token?x=1\n", "", REASON_TOKEN_FAILED, "",
         "request to https://else.example/token, which is not followed", "cloud.login", 0},
        {503, "Retry-After: 5\n", "<html>", REASON_TOKEN_FAILED, "", "503 without an explanation",
         "status page", 5000},
        {500, NULL, "", REASON_TOKEN_FAILED, "", "500", "status page", 0},
        {302, NULL, "", REASON_TOKEN_FAILED, "", "302", "cloud.login", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct access_token token;
        struct http_reply reply;
        struct failure failure;

        canned_answer(&reply, cases[i].status, cases[i].headers, cases[i].body);
        assert_int_equal(entra_token_reply(&token, &reply, &client, NOW, &failure), -EIO);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_int_equal(failure.http_status, cases[i].status);
        assert_string_equal(failure.error_code, cases[i].code);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_null(strstr(failure.text, "Trace ID"));
        assert_non_null(strstr(failure.remedy, cases[i].remedy));
        assert_int_equal(failure.remedy[0] == '\0', cases[i].remedy[0] == '\0');
        assert_int_equal(failure.retry_after, cases[i].retry_after);
        assert_false(failure.outcome_unknown);
        http_reply_done(&reply);
    }
}

static void test_silence(void **state)
{
    static const enum http_outcome outcomes[] = {HTTP_UNSENT, HTTP_LOST};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct access_token token;
        struct http_reply reply;
        struct failure failure;

        canned_silence(&reply, outcomes[i], "the name cannot be resolved");
        assert_int_equal(entra_token_reply(&token, &reply, &client, NOW, &failure), -EIO);
        assert_int_equal(failure.reason, REASON_NETWORK);
        assert_false(failure.outcome_unknown);
        assert_non_null(strstr(failure.text, "the name cannot be resolved"));
        http_reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),   cmocka_unit_test(test_adfs),
        cmocka_unit_test(test_assertion), cmocka_unit_test(test_granted),
        cmocka_unit_test(test_unusable),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_silence),
    };

    return cmocka_run_group_tests_name("entra", tests, NULL, NULL);
}
