#include "proto/arm_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"

#define NOW ((time_ms)1795348800000)
#define APP "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Web/sites/shop"
/* As App Service words its errors. */
#define WEB_ERROR(code, message)                                                                   \
    "{\"Code\":\"" code "\",\"Message\":\"" message                                                \
    "\",\"Target\":null,\"Details\":[{\"Message\":\"" message "\"},{\"Code\":\"" code              \
    "\"}],\"Innererror\":null}"
#define ARM_ERROR(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"
#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

static const struct arm_target_subject writing = {
    .id = APP,
    .noun = "the app",
    .key = "app",
    .operation = "writing the app's settings",
    .action = "Microsoft.Web/sites/config/write",
    .role = "Website Contributor",
    .principal = "identity \"ops\" (2222)",
    .assignee = "2222",
    .when_in_use = "End the swap",
    .changes = true,
};

static void test_successes(void **state)
{
    static const int good[] = {200, 201, 202, 204};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct failure failure;
        struct http_reply reply;

        canned_answer(&reply, good[i], NULL, "");
        assert_true(arm_target_check(&reply, &writing, NOW, &failure));
        http_reply_done(&reply);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        int status;
        const char *headers, *body;
        enum reason reason;
        bool unknown;
        const char *text, *remedy;
    } cases[] = {
        {403, NULL, ARM_ERROR("AuthorizationFailed", "no"), REASON_TARGET_DENIED, false,
         "answered writing the app's settings with 403 AuthorizationFailed: no",
         "grant identity \"ops\" (2222) the action Microsoft.Web/sites/config/write: `az role "
         "assignment create --assignee 2222 --role \"Website Contributor\" --scope " APP "`"},
        {403, NULL, ARM_ERROR("RequestDisallowedByPolicy", "p"), REASON_TARGET_DENIED, false,
         "403 RequestDisallowedByPolicy: p", "exempt the app from the Azure Policy assignment"},
        {409, NULL, ARM_ERROR("ScopeLocked", "l"), REASON_TARGET_DENIED, false, "ScopeLocked",
         "`az lock list --resource " APP "`"},
        {404, NULL, ARM_ERROR("ResourceNotFound", "r"), REASON_TARGET_FAILED, false,
         "404 ResourceNotFound: r", "correct `app`: `az resource show --ids " APP "`"},
        {404, NULL, ARM_ERROR("SubscriptionNotFound", "s"), REASON_TARGET_FAILED, false,
         "404 SubscriptionNotFound: s", "correct `app`"},
        {401, NULL, ARM_ERROR("InvalidAuthenticationToken", "t"), REASON_TOKEN_FAILED, false,
         "401 InvalidAuthenticationToken: t", "check cloud.audience"},
        {401, NULL, ARM_ERROR("InvalidAuthenticationTokenTenant", "t"), REASON_TOKEN_FAILED, false,
         "401", "belongs to the tenant of the app's subscription"},
        {429, "Retry-After: 17\n", ARM_ERROR("TooManyRequests", "slow"), REASON_THROTTLED, false,
         "429 TooManyRequests: slow", ""},
        {429, NULL, "<html>", REASON_THROTTLED, false, "429, without an error message of Azure's",
         ""},
        {409, NULL,
         WEB_ERROR("Conflict", "Cannot modify this site because another operation is in progress."),
         REASON_TARGET_FAILED, false,
         "409 Conflict: Cannot modify this site because another operation is in progress.",
         "none needed while another operation works on the app: it is tried again. End the swap"},
        {412, NULL, ARM_ERROR("PreconditionFailed", "e"), REASON_TARGET_FAILED, false, "412",
         "none needed"},
        {400, NULL, WEB_ERROR("BadRequest", "The parameter is invalid."), REASON_TARGET_FAILED,
         false, "400 BadRequest: The parameter is invalid.", "see what the message says"},
        {500, NULL, WEB_ERROR("InternalServerError", "x"), REASON_TARGET_FAILED, true,
         "500 InternalServerError: x", "Azure's status page"},
        {503, NULL, ARM_ERROR("ServerBusy", "b"), REASON_THROTTLED, true, "503 ServerBusy", ""},
        {504, NULL, ARM_ERROR("GatewayTimeout", "g"), REASON_TARGET_FAILED, true, "504",
         "`az resource show --ids " APP "` answers"},
        {408, NULL, ARM_ERROR("RequestTimeout", "g"), REASON_TARGET_FAILED, true, "408",
         "it is tried again by itself"},
        {422, NULL, ARM_ERROR("Unprocessable", "u"), REASON_TARGET_FAILED, false,
         "422 Unprocessable", "see what the message says"},
        {307, "Location: https://elsewhere/x?secret=1\n", "", REASON_TARGET_FAILED, true,
         "with 307, without an error message of Azure's", "proxy"},
        {200 + 3, NULL, "<html><title>Login</title>", REASON_TARGET_FAILED, true, "with 203",
         "proxy"},
        {502, "Server: squid\n", "<html>", REASON_TARGET_FAILED, true, "squid",
         "it is tried again by itself; else check what stands between"},
        {403, "Server: squid\n", "<html>", REASON_TARGET_FAILED, false, "403", "proxy"},
        {409, NULL, WEB_ERROR("Conflict", "the key is " KEY), REASON_TARGET_FAILED, false,
         "the key is ", "none needed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct failure failure;
        struct http_reply reply;

        canned_answer(&reply, cases[i].status, cases[i].headers, cases[i].body);
        assert_false(arm_target_check(&reply, &writing, NOW, &failure));
        http_reply_done(&reply);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_int_equal(failure.outcome_unknown, cases[i].unknown);
        assert_int_equal(failure.http_status, cases[i].status);
        if (!strstr(failure.text, cases[i].text) || !strstr(failure.remedy, cases[i].remedy))
            fail_msg("%zu: %s / %s", i, failure.text, failure.remedy);
        assert_null(strstr(failure.text, KEY));
        assert_null(strstr(failure.text, "secret=1"));
    }
}

static void test_pause(void **state)
{
    struct failure failure;
    struct http_reply reply;

    (void)state;
    canned_answer(&reply, 429, "Retry-After: 17\n", ARM_ERROR("TooManyRequests", "slow"));
    assert_false(arm_target_check(&reply, &writing, NOW, &failure));
    assert_int_equal(failure.retry_after, 17 * MS_SECOND);
    http_reply_done(&reply);
}

static void test_silence(void **state)
{
    static const struct {
        enum http_outcome outcome;
        bool unknown;
    } cases[] = {{HTTP_UNSENT, false}, {HTTP_LOST, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arm_target_subject reading = writing;
        struct failure failure;
        struct http_reply reply;

        canned_silence(&reply, cases[i].outcome, "the connection was cut");
        assert_false(arm_target_check(&reply, &writing, NOW, &failure));
        assert_int_equal(failure.reason, REASON_TARGET_FAILED);
        assert_int_equal(failure.outcome_unknown, cases[i].unknown);
        assert_non_null(strstr(failure.text, "the connection was cut"));
        assert_non_null(strstr(failure.remedy, "`az resource show --ids " APP "` answers from"));
        reading.changes = false;
        assert_false(arm_target_check(&reply, &reading, NOW, &failure));
        assert_false(failure.outcome_unknown);
        http_reply_done(&reply);
    }
}

static void test_unusable(void **state)
{
    struct failure failure;
    struct http_reply reply;

    (void)state;
    canned_answer(&reply, 200, NULL, "<html><title>Welcome</title>");
    arm_target_unreadable(&reply, &writing, "it is no JSON", &failure);
    assert_int_equal(failure.reason, REASON_TARGET_FAILED);
    assert_true(failure.outcome_unknown);
    assert_non_null(strstr(failure.text, "with something unusable: it is no JSON"));
    assert_non_null(strstr(failure.text, "Welcome"));
    assert_non_null(strstr(failure.remedy, "proxy"));
    http_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_successes), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_pause),     cmocka_unit_test(test_silence),
        cmocka_unit_test(test_unusable),
    };

    return cmocka_run_group_tests_name("arm_target", tests, NULL, NULL);
}
