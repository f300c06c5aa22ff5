/* Requests that prove keys by a signature, each held against one that the openssl command made. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/failure.h"
#include "proto/two_key/cosmos_probe.h"
#include "proto/two_key/hmac_probe.h"
#include "proto/two_key/iot_probe.h"
#include "proto/two_key/web_token_probe.h"

/* 2026-11-28 12:00:00 UTC */
#define NOW  1795867200000LL
#define DATE "Sat, 28 Nov 2026 12:00:00 GMT"
#define BASE64_KEY                                                                                 \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define POLICY                                                                                     \
    "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Devices/IotHubs/hub/IotHubKeys/"       \
    "service"
#define TEXT_KEY "0123abcABC"

static const struct {
    const struct two_key_probe_form *form;
    const char *key, *key_id;
    const char *method, *url, *authorization;
    const char *headers[2];
} cases[] = {
    {&cosmos_probe,
     BASE64_KEY,
     NULL,
     "GET",
     "https://host.example/dbs",
     "type%3Dmaster%26ver%3D1.0%26sig%3Dtvahtlp%2BdTUJCLF2mCpRwVtctDS92xEfYNG83zl6fnU%3D",
     {"x-ms-date: " DATE, "x-ms-version: 2018-12-31"}},
    {&app_configuration_probe,
     BASE64_KEY,
     "0-l9-s0:x",
     "GET",
     "https://host.example/keys?api-version=1.0&name=keyrotated-looks-for-nothing",
     "HMAC-SHA256 Credential=0-l9-s0:x&SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
     "m3sjNRJfGhJM7vnuJhSbUbHL9ZdbblLcm6GIbxBNQFA=",
     {"x-ms-date: " DATE, "x-ms-content-sha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}},
    {&communication_probe,
     BASE64_KEY,
     NULL,
     "GET",
     "https://host.example/phoneNumbers?api-version=2022-12-01&top=1",
     "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
     "4Xj4HY6Q2OIDt6uVsN75li84tCT8/24hrduqP/gePIg=",
     {"x-ms-date: " DATE, "x-ms-content-sha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}},
    {&signalr_probe,
     TEXT_KEY,
     NULL,
     "HEAD",
     "https://host.example/api/hubs/none/connections/none?api-version=2022-06-01",
     "Bearer "
     "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJodHRwczovL2hvc3QuZXhhbXBsZS9hcGk"
     "vaHVicy9ub25lL2Nvbm5lY3Rpb25zL25vbmUiLCJleHAiOjE3OTU4Njc1MDB9.Ywd9-"
     "CejQozlKMMLxTCbqbJzbaLAELEHTyj8I_K52G0",
     {"Accept: application/json, */*;q=0.5", NULL}},
    {&web_pubsub_probe,
     TEXT_KEY,
     NULL,
     "HEAD",
     "https://host.example/api/hubs/none/connections/none?api-version=2024-01-01",
     "Bearer "
     "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJodHRwczovL2hvc3QuZXhhbXBsZS9hcGk"
     "vaHVicy9ub25lL2Nvbm5lY3Rpb25zL25vbmUiLCJleHAiOjE3OTU4Njc1MDB9.Ywd9-"
     "CejQozlKMMLxTCbqbJzbaLAELEHTyj8I_K52G0",
     {"Accept: application/json, */*;q=0.5", NULL}},
    {&iot_hub_probe,
     BASE64_KEY,
     NULL,
     "GET",
     "https://host.example/statistics/service?api-version=2021-04-12",
     "SharedAccessSignature "
     "sr=host.example&sig=BcUS3xqxBBrFV6FX4UMpOsviIXAqipoxeK6BlW0ao5o%3D&se=1795867500&skn=service",
     {"x-ms-max-item-count: 1", NULL}},
    {&device_provisioning_probe,
     BASE64_KEY,
     NULL,
     "POST",
     "https://host.example/enrollmentGroups/query?api-version=2021-10-01",
     "SharedAccessSignature "
     "sr=host.example&sig=BcUS3xqxBBrFV6FX4UMpOsviIXAqipoxeK6BlW0ao5o%3D&se=1795867500&skn=service",
     {"x-ms-max-item-count: 1", NULL}},
};

static int build(const struct two_key_probe_form *form, const char *key, const char *key_id,
                 struct http_request *request, struct err *err)
{
    struct secret *secret = secret_new(key, strlen(key));
    const struct two_key_probe probe = {
        .endpoint = "host.example",
        .name = "acct1",
        .resource_id = POLICY,
        .key = secret,
        .key_id = key_id,
        .client_request_id = "id-1",
        .now = NOW,
    };
    int rc = form->build(form, request, &probe, err);

    secret_free(secret);
    return rc;
}

static bool has_header(const struct http_request *request, const char *line)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(buf_str(&request->headers[i]), line) == 0)
            return true;
    return false;
}

static void test_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request;
        struct err err = {.code = 0};
        char line[1024];

        assert_int_equal(build(cases[i].form, cases[i].key, cases[i].key_id, &request, &err), 0);
        assert_string_equal(request.method, cases[i].method);
        assert_string_equal(buf_str(&request.url), cases[i].url);
        (void)snprintf(line, sizeof(line), "Authorization: %s", cases[i].authorization);
        assert_true(has_header(&request, line));
        for (size_t k = 0; k < 2 && cases[i].headers[k]; k++)
            assert_true(has_header(&request, cases[i].headers[k]));
        assert_true(request.repeatable && !request.follows);
        http_request_done(&request);
    }
}

/* A text that is no base64 is refused before anything is sent; where the text itself is the key,
 * any will do. */
static void test_keys_that_sign_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const bool decodes = strcmp(cases[i].key, BASE64_KEY) == 0;
        struct http_request request;
        struct err err = {.code = 0};

        assert_int_equal(build(cases[i].form, "no base64", "id", &request, &err),
                         decodes ? -EINVAL : 0);
        assert_null(strstr(err.text, "no base64"));
        http_request_done(&request);
    }
}

/* App Configuration wants to know which key it is. */
static void test_without_id(void **state)
{
    struct http_request request;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(build(&app_configuration_probe, BASE64_KEY, NULL, &request, &err), -ENODATA);
    assert_non_null(strstr(err.text, "id of the key"));
    http_request_done(&request);
}

static void test_verdicts(void **state)
{
    static const struct {
        const struct two_key_probe_form *form;
        int status;
        const char *body;
        enum reason reason;
    } answers[] = {
        {&cosmos_probe, 200, "", REASON_NONE},
        {&cosmos_probe, 401, "{\"code\":\"Unauthorized\",\"message\":\"no match\"}",
         REASON_KEY_REFUSED},
        {&cosmos_probe, 401,
         "{\"code\":\"Unauthorized\",\"message\":\"Local Authorization is disabled. Use an AAD "
         "token to authorize all requests.\"}",
         REASON_SHARED_KEY_DISABLED},
        {&cosmos_probe, 403, "{\"code\":\"Forbidden\"}", REASON_AZURE_ERROR},
        {&app_configuration_probe, 200, "", REASON_NONE},
        {&app_configuration_probe, 401, "", REASON_KEY_REFUSED},
        {&app_configuration_probe, 403, "", REASON_AZURE_ERROR},
        {&app_configuration_probe, 429, "", REASON_THROTTLED},
        {&communication_probe, 200, "", REASON_NONE},
        {&communication_probe, 401, "", REASON_KEY_REFUSED},
        {&communication_probe, 404, "", REASON_AZURE_ERROR},
        {&signalr_probe, 404, "", REASON_NONE},
        {&signalr_probe, 401, "", REASON_KEY_REFUSED},
        {&web_pubsub_probe, 404, "", REASON_NONE},
        {&web_pubsub_probe, 403, "", REASON_AZURE_ERROR},
    };

    (void)state;
    assert_true(signalr_probe.acceptance_is_uncertain && web_pubsub_probe.acceptance_is_uncertain);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct failure failure = {.reason = REASON_NONE};
        struct http_reply reply;

        http_reply_init(&reply, 1024);
        reply.outcome = HTTP_ANSWERED;
        reply.status = answers[i].status;
        (void)buf_append_str(&reply.body, answers[i].body);
        assert_int_equal(answers[i].form->read(answers[i].form, &reply, NOW, &failure),
                         answers[i].reason == REASON_NONE);
        assert_int_equal(failure.reason, answers[i].reason);
        http_reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_keys_that_sign_nothing),
        cmocka_unit_test(test_without_id),
        cmocka_unit_test(test_verdicts),
    };

    return cmocka_run_group_tests_name("probe_signatures", tests, NULL, NULL);
}
