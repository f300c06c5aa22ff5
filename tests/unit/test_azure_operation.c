/* Regenerates that Azure goes on with after its answer, and the polls of them. */
#include "io/azure/azure.h"

#include "azure_fixture.h"
#include "proto/arm_operation.h"

#define ARM "https://arm.example"

static char named[HTTP_URL_MAX];

static void on_regenerated(void *context, const struct azure_result *of)
{
    named[0] = '\0';
    if (of->operation_url)
        (void)str_copy(named, sizeof(named), of->operation_url);
    on_done(context, of);
}

/* What an answer names, and what is polled of that. */
static void test_named_urls(void **state)
{
    static const struct {
        const char *headers, *url, *refused;
        duration_ms after;
    } cases[] = {
        {"Location: " ARM "/op/1?t=1\nRetry-After: 7\n", ARM "/op/1?t=1", NULL, 7 * MS_SECOND},
        {"Azure-AsyncOperation: " ARM "/op/2?c=x%2F\nLocation: " ARM "/op/1\n",
         ARM "/op/2?c=x%2F#status", NULL, 0},
        {"azure-asyncoperation: https://arm.example:443/op/2\n",
         "https://arm.example:443/op/2#status", NULL, 0},
        {"Azure-AsyncOperation: https://other.example/op?sig=s3cret\nLocation: " ARM "/op/1\n",
         ARM "/op/1", NULL, 0},
        {"Azure-AsyncOperation: https://other.example/op?sig=s3cret\n", "", "at other.example that",
         0},
        {"Location: https://arm.example.evil/op?sig=s3cret\n", "", "at arm.example.evil that", 0},
        {"Location: https://arm.example@evil.example/op\n", "", "at arm.example@evil.example", 0},
        {"Location: http://arm.example/op\n", "", "at arm.example that", 0},
        {"Location: /op/1\n", "", "names no URL", 0},
        {"Location: /op/1?next=https://s3cret.example\n", "", "names no URL", 0},
        {"Location: " ARM "/op/1#x\n", "", "at arm.example that", 0},
        {NULL, "", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted script[] = {TOKEN, STATUS(202, cases[i].headers, NULL)};

        start(script, 2);
        azure_regenerate(azure, &subject, SLOT_PRIMARY, "corr-1", on_regenerated, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_null(result.failure);
        assert_true(result.under_way);
        assert_string_equal(named, cases[i].url);
        assert_int_equal(result.poll_after, cases[i].after);
        if (cases[i].refused)
            assert_non_null(strstr(description.text, cases[i].refused));
        else
            assert_string_equal(description.text, "");
        assert_null(strstr(description.text, "s3cret"));
        stop();
    }
}

/* The answer of a slow type that cannot be read: it has ended, and nothing is shown. */
static void test_unreadable_end(void **state)
{
    static const struct scripted script[] = {TOKEN, STATUS(200, NULL, "")};
    struct two_key_resource slow = *two_key_resource_at(0);
    struct azure_call *call;

    (void)state;
    slow.slow_for = MS_HOUR;
    start(script, 2);
    call = azure_regenerate(azure, &subject, SLOT_PRIMARY, "corr-1", on_regenerated, &subject);
    call->resource = &slow;
    fake_loop_run(0);
    assert_null(result.failure);
    assert_false(result.under_way || result.shown[SLOT_PRIMARY]);
    stop();
}

#define BY_STATUS(status) STATUS(200, "Retry-After: 3\n", "{\"status\":\"" status "\"}")

static void test_polls(void **state)
{
    static const struct {
        const char *url;
        struct scripted answer;
        enum operation_state state;
        enum reason reason;
        const char *text;
    } cases[] = {
        {"/op/1", STATUS(202, NULL, NULL), OPERATION_RUNNING, REASON_NONE, ""},
        {"/op/1", STATUS(204, NULL, NULL), OPERATION_SUCCEEDED, REASON_NONE, ""},
        {"/op/1", STATUS(201, NULL, "{}"), OPERATION_SUCCEEDED, REASON_NONE, ""},
        {"/op/1", STATUS(200, NULL, "{\"key1\":\"" KEY_A "\",\"status\":\"Failed\"}"),
         OPERATION_SUCCEEDED, REASON_NONE, ""},
        {"/op/1", STATUS(404, NULL, NULL), OPERATION_FORGOTTEN, REASON_NONE, ""},
        {"/op/1", STATUS(410, NULL, NULL), OPERATION_FORGOTTEN, REASON_NONE, ""},
        {"/op/1", DENIED, OPERATION_RUNNING, REASON_PERMISSION_DENIED,
         "asking how the regenerate goes"},
        {"/op/1", SILENCE(HTTP_LOST), OPERATION_RUNNING, REASON_NETWORK, ""},
        {"/op/1", STATUS(500, NULL, NULL), OPERATION_RUNNING, REASON_AZURE_ERROR, ""},
        {"/op/1", STATUS(429, NULL, "{\"error\":{\"code\":\"TooManyRequests\"}}"),
         OPERATION_RUNNING, REASON_THROTTLED, ""},
        {"/op/2#status", BY_STATUS("InProgress"), OPERATION_RUNNING, REASON_NONE, ""},
        {"/op/2#status", BY_STATUS("Updating"), OPERATION_RUNNING, REASON_NONE, ""},
        {"/op/2#status", STATUS(202, NULL, NULL), OPERATION_RUNNING, REASON_NONE, ""},
        {"/op/2#status", BY_STATUS("succeeded"), OPERATION_SUCCEEDED, REASON_NONE, ""},
        {"/op/2#status", BY_STATUS("Canceled"), OPERATION_FAILED, REASON_AZURE_ERROR,
         "Azure says that the regenerate was canceled, and gives no reason"},
        {"/op/2#status",
         STATUS(200, NULL,
                "{\"status\":\"Failed\",\"error\":{\"code\":\"Busy\",\"message\":\"later\"}}"),
         OPERATION_FAILED, REASON_AZURE_ERROR,
         "Azure says that the regenerate failed (Busy): later"},
        {"/op/2#status", STATUS(404, NULL, NULL), OPERATION_FORGOTTEN, REASON_NONE, ""},
        {"/op/2#status", STATUS(204, NULL, NULL), OPERATION_RUNNING, REASON_AZURE_ERROR, ""},
        {"/op/2#status", STATUS(200, NULL, "{}"), OPERATION_RUNNING, REASON_AZURE_ERROR,
         "\"status\" is missing"},
        {"/op/2#status", STATUS(200, NULL, "<html>"), OPERATION_RUNNING, REASON_AZURE_ERROR, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted script[] = {TOKEN, cases[i].answer};
        char url[256];

        (void)snprintf(url, sizeof(url), ARM "%s", cases[i].url);
        start(script, 2);
        azure_poll(azure, &subject, url, "corr-1", on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_int_equal(result.operation_state, cases[i].state);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_false(failure.outcome_unknown);
        assert_null(strstr(failure.text, KEY_A));
        assert_string_equal(fake_http.sent[1].method, "GET");
        assert_string_equal(fake_http.sent[1].authorization, "Bearer tok");
        assert_string_equal(fake_http.sent[1].correlation_id, "corr-1");
        assert_null(strchr(fake_http.sent[1].url, '#'));
        assert_memory_equal(fake_http.sent[1].url, ARM "/op/", sizeof(ARM "/op/") - 1);
        stop();
    }
}

/* Neither the journal nor a server leads the token to another host. */
static void test_polls_of_others(void **state)
{
    static const char *const urls[] = {"https://other.example/op/1", "http://arm.example/op/1",
                                       "https://arm.example.evil/op/1#status", "nonsense", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        start(NULL, 0);
        azure_poll(azure, &subject, urls[i], NULL, on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_null(result.failure);
        assert_int_equal(result.operation_state, OPERATION_FORGOTTEN);
        assert_int_equal(fake_http.sent_count, 0);
        stop();
    }
}

static void test_poll_with_a_fresh_token(void **state)
{
    static const struct scripted script[] = {TOKEN, UNAUTHORIZED, NEXT_TOKEN,
                                             BY_STATUS("Succeeded")};

    (void)state;
    start(script, 4);
    azure_poll(azure, &subject, ARM "/op/2#status", NULL, on_done, &subject);
    fake_loop_run(0);
    assert_null(result.failure);
    assert_int_equal(result.operation_state, OPERATION_SUCCEEDED);
    assert_string_equal(fake_http.sent[3].authorization, "Bearer tok2");
    stop();
}

static void test_canceled_poll(void **state)
{
    static const struct scripted script[] = {TOKEN};
    struct azure_call *call;

    (void)state;
    start(script, 1);
    call = azure_poll(azure, &subject, ARM "/op/1", NULL, on_done, &subject);
    fake_loop_run(0);
    assert_int_equal(completions, 0);
    azure_cancel(call);
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    assert_true(result.canceled);
    stop();
}

/* A URL that is longer than what the journal has room for. */
static void test_long_urls(void **state)
{
    struct http_reply reply;
    struct err err = {0};
    char headers[400] = "Location: " ARM "/";
    char out[300];
    size_t begun = strlen(headers);

    (void)state;
    memset(headers + begun, 'x', 290);
    (void)strcpy(headers + begun + 290, "\n");
    canned_answer(&reply, 202, headers, NULL);
    assert_int_equal(arm_operation_url(&reply, ARM, out, sizeof(out), &err), -EMSGSIZE);
    http_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named_urls),
        cmocka_unit_test(test_unreadable_end),
        cmocka_unit_test(test_polls),
        cmocka_unit_test(test_polls_of_others),
        cmocka_unit_test(test_poll_with_a_fresh_token),
        cmocka_unit_test(test_canceled_poll),
        cmocka_unit_test(test_long_urls),
    };

    return cmocka_run_group_tests_name("azure_operation", tests, NULL, NULL);
}
