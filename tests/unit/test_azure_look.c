#include "io/azure/azure.h"

#include "azure_fixture.h"

/* The list of keys makes the look; a failure of the description is reported beside it. */
static void test_look_without_description(void **state)
{
    static const struct {
        struct scripted answer;
        enum verify_mode verify;
        enum reason reason; /* REASON_NONE: there is a description */
        const char *text;
    } cases[] = {
        {DENIED, VERIFY_AUTO, REASON_PERMISSION_DENIED, "AuthorizationFailed"},
        {STATUS(503, "Retry-After: 7\n", NULL), VERIFY_AUTO, REASON_AZURE_ERROR, "503"},
        {STATUS(404, NULL, "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"m\"}}"),
         VERIFY_AUTO, REASON_ACCOUNT_NOT_FOUND, "ResourceNotFound"},
        {STATUS(200, NULL, "<html>"), VERIFY_AUTO, REASON_AZURE_ERROR, "unusable"},
        {SILENCE(HTTP_LOST), VERIFY_AUTO, REASON_NETWORK, "lost"},
        {KEYS_OFF, VERIFY_AUTO, REASON_SHARED_KEY_DISABLED, "SharedKey"},
        {STATE("Hibernating"), VERIFY_AUTO, REASON_AZURE_ERROR, "Hibernating"},
        {STATE("Failed"), VERIFY_AUTO, REASON_NONE, NULL},
        {STATE("Cancelled"), VERIFY_AUTO, REASON_NONE, NULL},
        {STATUS(200, NULL, "{\"properties\":{}}"), VERIFY_AUTO, REASON_AZURE_ERROR,
         "accountEndpoint"},
        {STATUS(200, NULL, "{\"properties\":{}}"), VERIFY_REQUIRED, REASON_AZURE_ERROR,
         "accountEndpoint"},
        {STATUS(200, NULL, "{\"properties\":{}}"), VERIFY_OFF, REASON_NONE, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scripted script[] = {TOKEN, cases[i].answer, KEYS("/listKeys")};

        start(script, 3);
        policy.verify = cases[i].verify;
        look("corr-1");
        fake_loop_run(0);
        policy.verify = VERIFY_AUTO;
        assert_int_equal(completions, 1);
        assert_null(result.failure);
        assert_non_null(subject.keys[SLOT_PRIMARY]);
        assert_int_equal(result.described, cases[i].reason == REASON_NONE);
        assert_int_equal(description.reason, cases[i].reason);
        if (cases[i].text) {
            assert_non_null(strstr(description.text, cases[i].text));
            assert_string_equal(description.correlation_id, "corr-1");
        }
        stop();
    }
}

/* A repair needs no more than the keys, where the endpoint was seen before. */
static void test_urgent_look(void **state)
{
    static const struct scripted script[] = {TOKEN, KEYS("/listKeys")};
    static const struct scripted first[] = {TOKEN, DESCRIPTION, KEYS("/listKeys")};
    const struct azure_look_wish wish = {.urgent = true};

    (void)state;
    start(script, 2);
    azure_account_recall(&subject, "acct.example", "westeurope");
    azure_look(azure, &subject, &wish, on_done, &subject);
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    assert_null(result.failure);
    assert_false(result.described);
    assert_null(result.description);
    assert_int_equal(fake_http.sent_count, 2);
    stop();

    start(first, 3);
    azure_account_recall(&subject, "https://elsewhere/", "");
    assert_null(subject.endpoint);
    assert_null(subject.location);
    azure_look(azure, &subject, &wish, on_done, &subject);
    fake_loop_run(0);
    assert_true(result.described);
    assert_int_equal(fake_http.sent_count, 3);
    stop();
}

/* The keys came long after the description: no intent may rely on that description. */
static void test_description_grows_old(void **state)
{
    static const struct scripted script[] = {TOKEN, DESCRIPTION};
    static const struct scripted keys = KEYS("/listKeys");

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        start(script, 2);
        azure->clock = fake_clock;
        look(NULL);
        fake_loop_run(0);
        assert_int_equal(completions, 0);
        fake_loop_run(AZURE_DESCRIPTION_FRESH + i);
        fake_http_answer_all(&keys);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_null(result.failure);
        assert_int_equal(result.described, i == 0);
        assert_int_equal(description.reason, i == 0 ? REASON_NONE : REASON_THROTTLED);
        stop();
    }
}

/* By which request a key is proved depends on the kind that the last description told. */
static void test_kind(void **state)
{
    static const struct scripted script[] = {
        TOKEN,
        STATUS(200, NULL,
               "{\"kind\":\"OpenAI\",\"properties\":{\"endpoint\":\"https://ai.example/\"}}"),
        STATUS(200, NULL, "{\"key1\":\"0123456789abcdef\",\"key2\":\"fedcba9876543210\"}"),
        {HTTP_ANSWERED, 200, NULL, "", "https://ai.example/openai/models"},
    };
    const struct two_key_resource *type = two_key_resource_named("cognitive_services");
    struct secret *key = secret_new(KEY_A, sizeof(KEY_A) - 1);

    (void)state;
    start(script, 4);
    look(NULL)->resource = type;
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    azure_verify(azure, &subject, key, on_done, &subject)->resource = type;
    fake_loop_run(0);
    assert_int_equal(completions, 2);
    assert_int_equal(failure.reason, REASON_NONE);
    assert_int_equal(fake_http.sent_count, 4);
    stop();
    secret_free(key);
}

/* A 429 of one resource stops nobody else; one that means the subscription stops its lane. */
static void test_throttled(void **state)
{
    static const struct {
        struct scripted answer;
        duration_ms kept; /* by the account itself */
        bool stops_others;
        const char *provider;
    } cases[] = {
        {STATUS(429, "Retry-After: 1200\n",
                "{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"m\"}}"),
         20 * MS_MINUTE, false, ""},
        {STATUS(429, "Retry-After: 9999999999\n", NULL), MS_DAY, false, ""},
        {STATUS(429, "Retry-After: 1200\n",
                "{\"error\":{\"code\":\"SubscriptionRequestsThrottled\",\"message\":\"m\"}}"),
         MS_MINUTE, true, ""},
        {STATUS(429, "Retry-After: 9\nx-ms-ratelimit-remaining-subscription-writes: 0\n", NULL),
         9 * MS_SECOND, true, ""},
        {STATUS(429,
                "Retry-After: 120\nx-ms-ratelimit-remaining-subscription-resource-requests: 0\n",
                NULL),
         MS_MINUTE, true, "Microsoft.Batch"},
    };
    static const struct scripted keys = KEYS("/listKeys");
    const struct azure_look_wish wish = {.urgent = true};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted script[] = {TOKEN, cases[i].answer};
        struct azure_call *other;
        struct azure_pause pause = {.wait = -1};
        duration_ms wait;

        start(script, 2);
        azure_account_recall(&subject, "acct.example", "");
        azure_regenerate(azure, &subject, SLOT_PRIMARY, NULL, on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_int_equal(failure.reason, REASON_THROTTLED);
        assert_int_equal(failure.retry_after, cases[i].kept);
        assert_int_equal(azure_is_throttled(azure, &subject, &pause), cases[i].stops_others);
        if (cases[i].stops_others) /* less what has passed meanwhile */
            assert_in_range(pause.wait, cases[i].kept / 2, cases[i].kept);
        assert_string_equal(pause.provider, cases[i].provider);
        other = azure_look(azure, &subject, &wish, on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(azure_call_is_throttled(other, &wait), cases[i].stops_others);
        assert_int_equal(fake_http.sent_count, cases[i].stops_others ? 2 : 3);
        fake_http_answer_all(&keys);
        fake_loop_run(0);
        stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_look_without_description),
        cmocka_unit_test(test_urgent_look),
        cmocka_unit_test(test_description_grows_old),
        cmocka_unit_test(test_kind),
        cmocka_unit_test(test_throttled),
    };

    return cmocka_run_group_tests_name("azure_look", tests, NULL, NULL);
}
