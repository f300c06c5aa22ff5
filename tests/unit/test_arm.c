#include "proto/arm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"

#define NOW   ((time_ms)1795348800000)
#define SCOPE "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"

static const struct arm_subject looking = {
    .operation = "listKeys",
    .action = "Microsoft.Batch/batchAccounts/listkeys/action",
    .role = "Batch Key Rotator",
    .principal = "identity \"ops\" (2222)",
    .assignee = "2222",
};

static struct arm_subject changing(void)
{
    struct arm_subject subject = looking;

    subject.operation = "regenerateKeys";
    subject.changes = true;
    return subject;
}

static void test_request(void **state)
{
    struct secret *token = secret_new("tok", 3);
    struct arm_request wanted = {.method = "POST",
                                 .resource_manager = "https://management.azure.com",
                                 .resource_id = "/subscriptions/0/resourceGroups/r (\xc3\xa4).g",
                                 .operation = "regenerateKeys",
                                 .api_version = "2024-02-01",
                                 .body = "{\"keyName\":\"Primary\"}",
                                 .token = token,
                                 .client_request_id = "id-1",
                                 .correlation_id = "id-2"};
    struct http_request request;
    struct err err;

    (void)state;
    assert_int_equal(arm_request_build(&request, &wanted, &err), 0);
    assert_string_equal(request.method, "POST");
    assert_string_equal(buf_str(&request.url),
                        "https://management.azure.com/subscriptions/0/resourceGroups/"
                        "r%20%28%C3%A4%29.g/regenerateKeys?api-version=2024-02-01");
    assert_string_equal(sent_header(&request, "Authorization"), "Bearer tok");
    assert_string_equal(sent_header(&request, "Content-Type"), "application/json");
    assert_string_equal(sent_header(&request, "x-ms-client-request-id"), "id-1");
    assert_string_equal(sent_header(&request, "x-ms-correlation-request-id"), "id-2");
    assert_string_equal(sent_header(&request, "x-ms-return-client-request-id"), "true");
    assert_string_equal(buf_str(&request.body), "{\"keyName\":\"Primary\"}");
    assert_false(request.repeatable);
    http_request_done(&request);

    wanted.operation = "listKeys";
    wanted.query = "%24expand=kerb";
    assert_int_equal(arm_request_build(&request, &wanted, &err), 0);
    assert_non_null(
        strstr(buf_str(&request.url), ".g/listKeys?api-version=2024-02-01&%24expand=kerb"));
    http_request_done(&request);

    wanted.query = NULL;
    wanted.method = "GET";
    wanted.operation = NULL;
    wanted.body = NULL;
    wanted.correlation_id = NULL;
    wanted.repeatable = true;
    assert_int_equal(arm_request_build(&request, &wanted, &err), 0);
    assert_true(request.repeatable);
    assert_null(sent_header(&request, "Content-Type"));
    assert_null(sent_header(&request, "x-ms-correlation-request-id"));
    assert_non_null(strstr(buf_str(&request.url), ".g?api-version="));
    http_request_done(&request);
    secret_free(token);
}

static void test_request_too_long(void **state)
{
    struct secret *token = secret_new("tok", 3);
    char id[9000];
    struct arm_request wanted = {.method = "GET",
                                 .resource_manager = "https://management.azure.com",
                                 .resource_id = id,
                                 .api_version = "2024-02-01",
                                 .token = token,
                                 .client_request_id = "id-1"};
    struct http_request request;
    struct err err;

    (void)state;
    memset(id, 'x', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    assert_int_equal(arm_request_build(&request, &wanted, &err), -EMSGSIZE);
    http_request_done(&request);
    secret_free(token);
}

#define ERROR(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"
#define GRANT                                                                                      \
    "grant identity \"ops\" (2222) the action Microsoft.Batch/batchAccounts/listkeys/action: `az " \
    "role assignment create --assignee 2222 --role \"Batch Key Rotator\" --scope {resource}`, "    \
    "after `{role}` where there is no such role yet"

/* Every status, with and without an error of Azure's; unknown: whether a request that changes
 * something may have taken effect. */
static const struct {
    int status;
    const char *headers;
    const char *body;
    enum reason reason;
    bool unknown;
    const char *code;
    const char *text;
    const char *remedy;
    duration_ms retry_after;
} refusals[] = {
    {403, NULL, ERROR("AuthorizationFailed", "The client 'c' does not have authorization"),
     REASON_PERMISSION_DENIED, false, "AuthorizationFailed",
     "Keys with 403 AuthorizationFailed: The client 'c'", GRANT, 0},
    {403, NULL, ERROR("LinkedAuthorizationFailed", "x"), REASON_PERMISSION_DENIED, false,
     "LinkedAuthorizationFailed", "", GRANT, 0},
    {403, NULL, ERROR("Forbidden", "x"), REASON_PERMISSION_DENIED, false, "Forbidden", "", GRANT,
     0},
    {403, NULL, ERROR("RequestDisallowedByPolicy", "x"), REASON_PERMISSION_DENIED, false,
     "RequestDisallowedByPolicy", "", "Azure Policy", 0},
    {403, NULL, "<html>blocked by proxy</html>", REASON_AZURE_ERROR, false, "",
     "403, without an error message of Azure's", "proxy", 0},
    {400, NULL, "{\"error\":{\"message\":\"No10 only\"}}", REASON_AZURE_ERROR, false, "",
     "Keys with 400, No10 only", "", 0},
    {401, NULL, ERROR("InvalidAuthenticationToken", "x"), REASON_TOKEN_FAILED, false,
     "InvalidAuthenticationToken", "401", "cloud.audience", 0},
    {401, NULL, ERROR("InvalidAuthenticationTokenTenant", "x"), REASON_TOKEN_FAILED, false,
     "InvalidAuthenticationTokenTenant", "401", "tenant that the subscription belongs to", 0},
    {401, NULL, "", REASON_TOKEN_FAILED, false, "", "401", "proxy", 0},
    {404, NULL, ERROR("SubscriptionNotFound", "x"), REASON_ACCOUNT_NOT_FOUND, false,
     "SubscriptionNotFound", "404", "subscription id", 0},
    {404, NULL, ERROR("ResourceGroupNotFound", "x"), REASON_ACCOUNT_NOT_FOUND, false,
     "ResourceGroupNotFound", "404", "check the account's id", 0},
    {404, NULL, ERROR("ResourceNotFound", "x"), REASON_ACCOUNT_NOT_FOUND, false, "ResourceNotFound",
     "404", "check the account's id", 0},
    {404, NULL, ERROR("SomethingElse", "x"), REASON_AZURE_ERROR, false, "SomethingElse", "404", "",
     0},
    {404, NULL, "<html>not found</html>", REASON_AZURE_ERROR, false, "", "404", "proxy", 0},
    {400, NULL, ERROR("InvalidApiVersionParameter", "x"), REASON_AZURE_ERROR, false,
     "InvalidApiVersionParameter", "400", "api_versions", 0},
    {400, NULL, ERROR("NoRegisteredProviderFound", "x"), REASON_AZURE_ERROR, false,
     "NoRegisteredProviderFound", "400", "api_versions", 0},
    {400, NULL, ERROR("BadRequest", "x"), REASON_AZURE_ERROR, false, "BadRequest", "400", "", 0},
    {409, NULL, ERROR("MissingSubscriptionRegistration", "x"), REASON_AZURE_ERROR, false,
     "MissingSubscriptionRegistration", "409", "az provider register", 0},
    {409, NULL, ERROR("ScopeLocked", "x"), REASON_PERMISSION_DENIED, false, "ScopeLocked", "409",
     "lock", 0},
    {409, NULL, ERROR("Conflict", "x"), REASON_AZURE_ERROR, false, "Conflict", "409", "", 0},
    {409, NULL, ERROR("ReadOnlyDisabledSubscription", "x"), REASON_PERMISSION_DENIED, false,
     "ReadOnlyDisabledSubscription", "409", "enable the subscription", 0},
    {412, NULL, ERROR("PreconditionFailed", "x"), REASON_AZURE_ERROR, false, "PreconditionFailed",
     "412", "", 0},
    {429, "Retry-After: 10\n", ERROR("SubscriptionRequestsThrottled", "x"), REASON_THROTTLED, false,
     "SubscriptionRequestsThrottled", "429", "", 10000},
    {429, NULL, "", REASON_THROTTLED, false, "", "429", "", 0},
    {503, "Retry-After: 3\n", ERROR("ServiceUnavailable", "x"), REASON_THROTTLED, true,
     "ServiceUnavailable", "503", "", 3000},
    {503, NULL, ERROR("ServerBusy", "x"), REASON_THROTTLED, true, "ServerBusy", "503", "", 0},
    {503, NULL, ERROR("ServiceUnavailable", "x"), REASON_AZURE_ERROR, true, "ServiceUnavailable",
     "503", "", 0},
    {500, NULL, ERROR("InternalServerError", "x"), REASON_AZURE_ERROR, true, "InternalServerError",
     "500", "", 0},
    {502, NULL, "<html>", REASON_AZURE_ERROR, true, "", "502", "", 0},
    {504, NULL, ERROR("GatewayTimeout", "x"), REASON_AZURE_ERROR, true, "GatewayTimeout", "504", "",
     0},
    {408, NULL, ERROR("RequestTimeout", "x"), REASON_AZURE_ERROR, true, "RequestTimeout", "408", "",
     0},
    {407, NULL, "", REASON_NETWORK, false, "", "407", "proxy", 0},
    {307, NULL, "", REASON_AZURE_ERROR, true, "", "307", "cloud.resource_manager", 0},
    {307, "Location: https://u:p@evil.example/subscriptions/1?sig=s3\n", "", REASON_AZURE_ERROR,
     true, "", "redirects the request to evil.example/subscriptions/1, which is not followed",
     "cloud.resource_manager", 0},
    {308, "Location: https://evil.example/a?sig=s3\nServer: nginx\n", ERROR("Moved", "x"),
     REASON_AZURE_ERROR, true, "", "request to https://evil.example/a, which",
     "cloud.resource_manager", 0},
    {302, "Location: /login\n", "<html>", REASON_AZURE_ERROR, true, "", "request to /login,",
     "proxy", 0},
    {403, "Server: squid/5.7\n", "<html><TITLE lang=en>\n ERROR:  Access\tDenied </TITLE>",
     REASON_AZURE_ERROR, false, "",
     "403, without an error message of Azure's; it is a web page, \"ERROR: Access Denied\"; its "
     "Server header is \"squid/5.7\"",
     "proxy", 0},
    {502, "Server: nginx\n", "Bad Gateway", REASON_AZURE_ERROR, true, "",
     "502, without an error message of Azure's; its Server header is \"nginx\"", "", 0},
    {403, NULL, "{\"Error\":{\"Code\":\"AuthorizationFailed\",\"Message\":\"x\"}}",
     REASON_PERMISSION_DENIED, false, "AuthorizationFailed", "403", "--assignee", 0},
    {403, NULL, "[{\"Code\":\"ScopeLocked\",\"Message\":\"\\ud83d\"}]", REASON_PERMISSION_DENIED,
     false, "ScopeLocked", "403", "lock", 0},
    {202, NULL, "", REASON_AZURE_ERROR, true, "", "202", "", 0},
    {204, NULL, "", REASON_AZURE_ERROR, true, "", "204", "", 0},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct arm_subject subject = changing();
        struct http_reply reply;
        struct failure failure;

        canned_answer(&reply, refusals[i].status, refusals[i].headers, refusals[i].body);
        assert_false(arm_reply_check(&reply, &looking, NOW, &failure));
        assert_int_equal(failure.reason, refusals[i].reason);
        assert_int_equal(failure.http_status, refusals[i].status);
        assert_false(failure.outcome_unknown);
        assert_string_equal(failure.error_code, refusals[i].code);
        assert_non_null(strstr(failure.text, refusals[i].text));
        assert_non_null(strstr(failure.remedy, refusals[i].remedy));
        assert_null(strstr(failure.text, "s3"));
        assert_int_equal(failure.retry_after, refusals[i].retry_after);

        assert_false(arm_reply_check(&reply, &subject, NOW, &failure));
        assert_int_equal(failure.reason, refusals[i].reason);
        assert_int_equal(failure.outcome_unknown, refusals[i].unknown);
        http_reply_done(&reply);
    }
}

static void test_code_in_details(void **state)
{
    struct http_reply reply;
    struct failure failure;

    (void)state;
    canned_answer(&reply, 409, NULL,
                  "{\"error\":{\"code\":\"Conflict\",\"message\":\"m\",\"details\":[{\"code\":"
                  "\"ScopeLocked\",\"message\":\"n\"}]}}");
    assert_false(arm_reply_check(&reply, &looking, NOW, &failure));
    assert_int_equal(failure.reason, REASON_PERMISSION_DENIED);
    assert_string_equal(failure.error_code, "Conflict");
    assert_non_null(strstr(failure.text, "409 Conflict: n"));
    http_reply_done(&reply);
}

static void test_assignee_from_message(void **state)
{
    struct arm_subject subject = looking;
    struct http_reply reply;
    struct failure failure;

    (void)state;
    subject.assignee = NULL;
    canned_answer(&reply, 403, NULL,
                  ERROR("AuthorizationFailed",
                        "The client 'c' with object id '5f6a9d0e-1111-2222-3333-444455556666' "
                        "does not have authorization"));
    assert_false(arm_reply_check(&reply, &subject, NOW, &failure));
    assert_non_null(strstr(failure.remedy, "--assignee 5f6a9d0e-1111-2222-3333-444455556666 "));
    http_reply_done(&reply);

    canned_answer(&reply, 403, NULL, ERROR("AuthorizationFailed", "with object id 'oops"));
    assert_false(arm_reply_check(&reply, &subject, NOW, &failure));
    assert_non_null(strstr(failure.remedy, "--assignee PRINCIPAL "));
    http_reply_done(&reply);
}

static void test_silence(void **state)
{
    static const struct {
        enum http_outcome outcome;
        bool changes;
        enum reason reason;
        bool unknown;
    } cases[] = {
        {HTTP_UNSENT, false, REASON_NETWORK, false},
        {HTTP_UNSENT, true, REASON_NETWORK, false},
        {HTTP_LOST, false, REASON_NETWORK, false},
        {HTTP_LOST, true, REASON_OUTCOME_UNKNOWN, true},
        {HTTP_CANCELED, false, REASON_NETWORK, false},
        {HTTP_CANCELED, true, REASON_OUTCOME_UNKNOWN, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arm_subject subject = cases[i].changes ? changing() : looking;
        struct http_reply reply;
        struct failure failure;

        canned_silence(&reply, cases[i].outcome, "connection reset");
        assert_false(arm_reply_check(&reply, &subject, NOW, &failure));
        assert_int_equal(failure.reason, cases[i].reason);
        assert_int_equal(failure.outcome_unknown, cases[i].unknown);
        http_reply_done(&reply);
    }
}

static void test_success_and_ids(void **state)
{
    static const char headers[] =
        "x-ms-request-id: r-1\nX-MS-Correlation-Request-Id: c-1\n"
        "x-ms-client-request-id: k-1\n";
    struct arm_subject subject = changing();
    struct http_reply reply;
    struct failure failure;

    (void)state;
    canned_answer(&reply, 200, headers, "{}");
    assert_true(arm_reply_check(&reply, &looking, NOW, &failure));
    arm_reply_unreadable(&reply, &looking, "it is nonsense", &failure);
    assert_int_equal(failure.reason, REASON_AZURE_ERROR);
    assert_false(failure.outcome_unknown);
    assert_string_equal(failure.request_id, "r-1");
    assert_string_equal(failure.correlation_id, "c-1");
    assert_string_equal(failure.client_request_id, "k-1");
    assert_null(strstr(failure.remedy, "proxy"));
    assert_non_null(strstr(failure.remedy, "az resource show --ids "));
    arm_reply_unreadable(&reply, &subject, "it is nonsense", &failure);
    assert_int_equal(failure.reason, REASON_OUTCOME_UNKNOWN);
    assert_true(failure.outcome_unknown);
    assert_non_null(strstr(failure.text, "it is nonsense"));
    http_reply_done(&reply);
    canned_answer(&reply, 200, "Server: portal\n", " <html><title>Log in</title>");
    arm_reply_unreadable(&reply, &looking, "it is nonsense", &failure);
    assert_non_null(strstr(failure.text,
                           "nonsense; it is a web page, \"Log in\"; its Server header "
                           "is \"portal\""));
    assert_non_null(strstr(failure.remedy, "proxy"));
    http_reply_done(&reply);
}

static void test_message_is_made_harmless(void **state)
{
    static const char key[] =
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw"
        "==";
    struct http_reply reply;
    struct failure failure;
    char body[512];

    (void)state;
    (void)snprintf(body, sizeof(body), ERROR("Oops", "a\\r\\nb %s over " SCOPE), key);
    canned_answer(&reply, 400, NULL, body);
    assert_false(arm_reply_check(&reply, &looking, NOW, &failure));
    assert_null(strstr(failure.text, "AAECAwQF"));
    assert_null(strchr(failure.text, '\n'));
    assert_non_null(strstr(failure.text, SCOPE));
    http_reply_done(&reply);
}

static void test_remaining(void **state)
{
    static const struct {
        const char *headers;
        bool write;
        int64_t expected;
    } cases[] = {
        {"x-ms-ratelimit-remaining-subscription-reads: 249\n", false, 249},
        {"x-ms-ratelimit-remaining-subscription-reads: 249\n", true, -1},
        {"x-ms-ratelimit-remaining-subscription-writes: 199\n"
         "x-ms-ratelimit-remaining-subscription-global-writes: 2999\n",
         true, 199},
        {"x-ms-ratelimit-remaining-subscription-writes: 199\n"
         "x-ms-ratelimit-remaining-subscription-global-writes: 5\n",
         true, 5},
        {"x-ms-ratelimit-remaining-subscription-writes: 0\n", true, 0},
        {"x-ms-ratelimit-remaining-subscription-writes: -3\n", true, -1},
        {"x-ms-ratelimit-remaining-subscription-writes: many\n", true, -1},
        {"x-ms-ratelimit-remaining-subscription-writes: 99999999999999999999999\n", true, -1},
        {"", true, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;

        canned_answer(&reply, 200, cases[i].headers, NULL);
        assert_int_equal(arm_reply_remaining(&reply, cases[i].write), cases[i].expected);
        http_reply_done(&reply);
    }
}

static void test_whose_limit_it_is(void **state)
{
#define RESOURCE_REQUESTS "x-ms-ratelimit-remaining-subscription-resource-requests: "
#define WRITES            "x-ms-ratelimit-remaining-subscription-writes: "
#define CODE(code)        "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}"
    static const struct {
        int status;
        const char *headers, *body;
        enum arm_limit expected;
        int64_t left; /* to the provider */
    } cases[] = {
        {429, "Retry-After: 17\n", CODE("TooManyRequests"), ARM_LIMIT_OF_RESOURCE, -1},
        {429, "Retry-After: 17\n" WRITES "199\n", "<html>", ARM_LIMIT_OF_RESOURCE, -1},
        {429, RESOURCE_REQUESTS "3\n", CODE("TooManyRequests"), ARM_LIMIT_OF_RESOURCE, 3},
        {429, RESOURCE_REQUESTS "0\n", CODE("TooManyRequests"), ARM_LIMIT_OF_PROVIDER, 0},
        {429, RESOURCE_REQUESTS "0\n", NULL, ARM_LIMIT_OF_PROVIDER, 0},
        {429, RESOURCE_REQUESTS "0\n" WRITES "7\n", NULL, ARM_LIMIT_OF_PROVIDER, 0},
        {429, RESOURCE_REQUESTS "0\n" WRITES "0\n", NULL, ARM_LIMIT_OF_SUBSCRIPTION, 0},
        {429, RESOURCE_REQUESTS "-1\n", NULL, ARM_LIMIT_OF_RESOURCE, -1},
        {429, "", CODE("SubscriptionRequestsThrottled"), ARM_LIMIT_OF_SUBSCRIPTION, -1},
        {429, "", CODE("TenantRequestsThrottled"), ARM_LIMIT_OF_SUBSCRIPTION, -1},
        {503, RESOURCE_REQUESTS "0\n", CODE("ServerBusy"), ARM_LIMIT_OF_RESOURCE, 0},
        {200, RESOURCE_REQUESTS "0\n", NULL, ARM_LIMIT_OF_RESOURCE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;

        canned_answer(&reply, cases[i].status, cases[i].headers, cases[i].body);
        assert_int_equal(arm_reply_limit(&reply, true), cases[i].expected);
        assert_int_equal(arm_reply_provider_remaining(&reply), cases[i].left);
        http_reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_request_too_long),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_code_in_details),
        cmocka_unit_test(test_assignee_from_message),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_success_and_ids),
        cmocka_unit_test(test_message_is_made_harmless),
        cmocka_unit_test(test_remaining),
        cmocka_unit_test(test_whose_limit_it_is),
    };

    return cmocka_run_group_tests_name("arm", tests, NULL, NULL);
}
