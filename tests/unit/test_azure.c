#include "io/azure/azure.h"

#include "azure_fixture.h"
#include "base/date.h"

static void test_look(void **state)
{
    static const struct scripted script[] = {TOKEN, DESCRIPTION,
                                             KEYS("/listKeys?api-version=2024-02-01")};

    (void)state;
    start(script, 3);
    assert_non_null(look("corr-1"));
    assert_int_equal(completions, 0);
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    assert_null(result.failure);
    assert_int_equal(fake_http.sent_count, 3);
    assert_string_equal(subject.endpoint, "acct.example");
    assert_string_equal(subject.location, "westeurope");
    assert_string_equal(secret_bytes(subject.keys[SLOT_PRIMARY]), KEY_A);
    assert_string_equal(secret_bytes(subject.keys[SLOT_SECONDARY]), KEY_B);
    assert_int_equal(result.live[SLOT_PRIMARY].bytes[0], 'A');
    assert_int_equal(result.live[SLOT_SECONDARY].bytes[0], 'B');
    assert_true(fingerprint_equal(&subject.fingerprints[1], &result.live[1]));
    assert_string_equal(result.request_id, "r-2");
    assert_string_equal(result.correlation_id, "corr-1");
    assert_string_equal(result.client_request_id, fake_http.sent[2].client_request_id);
    assert_string_equal(fake_http.sent[1].method, "GET");
    assert_string_equal(fake_http.sent[2].method, "POST");
    assert_string_equal(fake_http.sent[1].authorization, "Bearer tok");
    assert_string_equal(fake_http.sent[1].correlation_id, "corr-1");
    assert_string_equal(fake_http.sent[2].correlation_id, "corr-1");
    assert_string_not_equal(fake_http.sent[1].client_request_id,
                            fake_http.sent[2].client_request_id);
    stop();
}

static void test_ids_are_made_up(void **state)
{
    static const struct scripted script[] = {TOKEN, DENIED, DENIED};

    (void)state;
    start(script, 3);
    look(NULL);
    fake_loop_run(0);
    assert_int_equal(strlen(result.correlation_id), 36);
    assert_int_equal(strlen(result.client_request_id), 36);
    assert_string_equal(failure.correlation_id, result.correlation_id);
    assert_string_equal(failure.client_request_id, result.client_request_id);
    assert_string_equal(failure.request_id, "r-3");
    stop();
}

static void test_regenerate(void **state)
{
    static const struct {
        enum slot slot;
        const char *body;
    } cases[] = {{SLOT_PRIMARY, "{\"keyName\":\"Primary\"}"},
                 {SLOT_SECONDARY, "{\"keyName\":\"Secondary\"}"}};
    static const struct scripted script[] = {TOKEN, KEYS(ID "/regenerateKeys?api-version=")};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        start(script, 2);
        azure_regenerate(azure, &subject, cases[i].slot, "corr-1", on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_null(result.failure);
        assert_string_equal(fake_http.sent[1].method, "POST");
        assert_string_equal(fake_http.sent[1].body, cases[i].body);
        assert_int_equal(result.live[SLOT_SECONDARY].bytes[0], 'B');
        assert_true(result.shown[SLOT_PRIMARY] && result.shown[SLOT_SECONDARY]);
        stop();
    }
}

/* The look would be too old by then: the request is not sent. */
static void test_regenerate_that_waited_too_long_is_not_sent(void **state)
{
    static const struct scripted script[] = {TOKEN, KEYS(ID "/regenerateKeys?api-version=")};
    static const duration_ms waits[] = {14 * MS_SECOND, 16 * MS_SECOND};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        start(script, 2);
        azure->clock = fake_clock;
        azure_regenerate(azure, &subject, SLOT_PRIMARY, "corr-1", on_done, &subject);
        fake_loop.now += waits[i];
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_int_equal(fake_http.sent_count, i == 0 ? 2 : 1);
        if (i == 0) {
            assert_null(result.failure);
        } else {
            assert_int_equal(failure.reason, REASON_THROTTLED);
            assert_false(failure.outcome_unknown);
        }
        stop();
    }
}

/* Scripts that end in a failure, after `sent` requests. */
static void test_failures(void **state)
{
    static const struct {
        bool regenerate;
        size_t sent;
        enum reason reason;
        bool unknown;
        struct scripted script[5];
    } cases[] = {
        {false, 1, REASON_TOKEN_FAILED, false, {STATUS(400, NULL, "{}")}},
        {false, 3, REASON_PERMISSION_DENIED, false, {TOKEN, DENIED, DENIED}},
        {false, 3, REASON_PERMISSION_DENIED, false, {TOKEN, DESCRIPTION, DENIED}},
        /* the failure of listKeys counts, in the description's words where these name the cause */
        {false, 3, REASON_SHARED_KEY_DISABLED, false, {TOKEN, KEYS_OFF, CONFLICT}},
        {false, 3, REASON_PERMISSION_DENIED, false, {TOKEN, KEYS_OFF, DENIED}},
        {false, 3, REASON_NETWORK, false, {TOKEN, KEYS_OFF, SILENCE(HTTP_LOST)}},
        {false, 3, REASON_AZURE_ERROR, false, {TOKEN, STATUS(200, NULL, "<html>"), CONFLICT}},
        {false, 3, REASON_AZURE_ERROR, false, {TOKEN, DESCRIPTION, STATUS(200, NULL, "{}")}},
        {false, 3, REASON_NETWORK, false, {TOKEN, SILENCE(HTTP_LOST), SILENCE(HTTP_LOST)}},
        /* listKeys is not sent without a connection, or when the account has no usable keys */
        {false, 2, REASON_NETWORK, false, {TOKEN, SILENCE(HTTP_UNSENT)}},
        {false, 2, REASON_AZURE_ERROR, false, {TOKEN, STATE("Creating")}},
        {false, 2, REASON_AZURE_ERROR, false, {TOKEN, STATE("Deleting")}},
        {false, 2, REASON_AZURE_ERROR, false, {TOKEN, STATE("Invalid")}},
        {true, 2, REASON_PERMISSION_DENIED, false, {TOKEN, DENIED}},
        {true, 2, REASON_OUTCOME_UNKNOWN, true, {TOKEN, SILENCE(HTTP_LOST)}},
        {true, 2, REASON_NETWORK, false, {TOKEN, SILENCE(HTTP_UNSENT)}},
        {true, 2, REASON_OUTCOME_UNKNOWN, true, {TOKEN, STATUS(200, NULL, "{\"primary\":1}")}},
        {true, 2, REASON_AZURE_ERROR, true, {TOKEN, STATUS(500, NULL, NULL)}},
        {true, 2, REASON_THROTTLED, false, {TOKEN, STATUS(429, "Retry-After: 3\n", NULL)}},
        /* a second 401 is final */
        {true, 4, REASON_TOKEN_FAILED, false, {TOKEN, UNAUTHORIZED, NEXT_TOKEN, UNAUTHORIZED}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(cases[i].script, 5);
        if (cases[i].regenerate)
            azure_regenerate(azure, &subject, SLOT_PRIMARY, "corr-1", on_done, &subject);
        else
            look("corr-1");
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_non_null(result.failure);
        assert_false(result.canceled);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_int_equal(failure.outcome_unknown, cases[i].unknown);
        assert_true(failure.text[0] != '\0');
        assert_int_equal(fake_http.sent_count, cases[i].sent);
        assert_null(subject.keys[SLOT_PRIMARY]);
        stop();
    }
}

/* Azure's request to wait with the description holds up nothing else, and is kept. */
static void test_description_that_has_to_wait(void **state)
{
    static const struct scripted script[] = {TOKEN, STATUS(503, "Retry-After: 1200\n", NULL),
                                             KEYS("/listKeys?api-version=2024-02-01"),
                                             KEYS("/listKeys?api-version=2024-02-01")};

    (void)state;
    start(script, 4);
    look(NULL);
    fake_loop_run(0);
    assert_null(result.failure);
    assert_false(result.described);
    assert_int_equal(description.http_status, 503);
    look(NULL);
    fake_loop_run(0);
    assert_int_equal(completions, 2);
    assert_null(result.failure);
    assert_false(result.described);
    assert_non_null(strstr(description.text, "HTTP 503"));
    assert_string_equal(fake_http.sent[3].method, "POST");
    stop();
}

static void test_fresh_token_after_401(void **state)
{
    static const struct scripted script[] = {TOKEN, DESCRIPTION, UNAUTHORIZED, NEXT_TOKEN,
                                             KEYS("/listKeys")};

    (void)state;
    start(script, 5);
    look("corr-1");
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    assert_null(result.failure);
    assert_string_equal(fake_http.sent[2].authorization, "Bearer tok");
    assert_string_equal(fake_http.sent[4].authorization, "Bearer tok2");
    stop();
}

static void test_verify(void **state)
{
    static const struct {
        struct scripted answer;
        enum reason reason;
    } cases[] = {
        {STATUS(200, NULL, "{\"value\":[]}"), REASON_NONE},
        {STATUS(403, NULL, "{\"code\":\"AuthenticationFailed\",\"message\":\"m\"}"),
         REASON_KEY_REFUSED},
        {SILENCE(HTTP_UNSENT), REASON_NETWORK},
        {STATUS(401, NULL, NULL), REASON_AZURE_ERROR},
    };
    struct secret *key = secret_new(KEY_A, sizeof(KEY_A) - 1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(&cases[i].answer, 1);
        subject.endpoint = str_dup("acct.example:8443");
        azure_verify(azure, &subject, key, on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_int_equal(fake_http.sent_count, 1);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_true(str_starts_with(fake_http.sent[0].url, "https://acct.example:8443/pools?"));
        assert_true(str_starts_with(fake_http.sent[0].authorization, "SharedKey acct:"));
        stop();
    }
    secret_free(key);
}

/* A service whose refusal may have other causes is asked with the other key, too. */
static void test_refusal_is_confirmed(void **state)
{
#define REFUSED STATUS(403, "x-ms-error-code: AuthorizationFailure\n", "<?xml?>")
    static const struct {
        struct scripted answers[2];
        bool without_other;
        size_t sent;
        enum reason reason;
    } cases[] = {
        {{STATUS(200, NULL, ""), SILENCE(HTTP_UNSENT)}, false, 1, REASON_NONE},
        {{REFUSED, STATUS(200, NULL, "")}, false, 2, REASON_KEY_REFUSED},
        {{REFUSED, REFUSED}, false, 2, REASON_AZURE_ERROR},
        {{REFUSED, SILENCE(HTTP_UNSENT)}, false, 2, REASON_AZURE_ERROR},
        {{REFUSED, STATUS(403, "x-ms-error-code: KeyBasedAuthenticationNotPermitted\n", "")},
         false,
         2,
         REASON_SHARED_KEY_DISABLED},
        {{REFUSED, SILENCE(HTTP_UNSENT)}, true, 1, REASON_AZURE_ERROR},
    };
    struct secret *key = secret_new(KEY_A, sizeof(KEY_A) - 1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct azure_call *call;

        start(cases[i].answers, 2);
        subject.endpoint = str_dup("acct.blob.example");
        subject.keys[SLOT_PRIMARY] = secret_new(KEY_A, sizeof(KEY_A) - 1);
        if (!cases[i].without_other)
            subject.keys[SLOT_SECONDARY] = secret_new(KEY_B, sizeof(KEY_B) - 1);
        call = azure_verify(azure, &subject, key, on_done, &subject);
        call->resource = two_key_resource_named("storage");
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_int_equal(fake_http.sent_count, cases[i].sent);
        assert_int_equal(failure.reason, cases[i].reason);
        if (cases[i].sent == 2)
            assert_string_not_equal(fake_http.sent[0].authorization,
                                    fake_http.sent[1].authorization);
        stop();
    }
    secret_free(key);
}

/* A service that may look at something else first is asked with a key that cannot be right. */
static void test_acceptance_is_confirmed(void **state)
{
#define DENIES STATUS(401, NULL, "")
#define TAKES  STATUS(400, NULL, "")
    static const struct {
        struct scripted answers[2];
        size_t sent;
        enum reason reason;
    } cases[] = {
        {{TAKES, DENIES}, 2, REASON_NONE},
        {{TAKES, TAKES}, 2, REASON_AZURE_ERROR},
        {{TAKES, SILENCE(HTTP_UNSENT)}, 2, REASON_NETWORK},
        {{TAKES, STATUS(503, NULL, "")}, 2, REASON_AZURE_ERROR},
        {{DENIES, TAKES}, 2, REASON_KEY_REFUSED}, /* the second with the other live key */
        {{DENIES, DENIES}, 2, REASON_AZURE_ERROR},
        {{SILENCE(HTTP_UNSENT), SILENCE(HTTP_UNSENT)}, 1, REASON_NETWORK},
    };
    struct secret *key = secret_new(KEY_A, sizeof(KEY_A) - 1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct azure_call *call;

        start(cases[i].answers, 2);
        subject.endpoint = str_dup("acct.eventgrid.example");
        subject.keys[SLOT_SECONDARY] = secret_new(KEY_B, sizeof(KEY_B) - 1);
        call = azure_verify(azure, &subject, key, on_done, &subject);
        call->resource = two_key_resource_named("event_grid_domain");
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_int_equal(fake_http.sent_count, cases[i].sent);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_string_equal(fake_http.sent[0].key, KEY_A);
        if (cases[i].sent == 2)
            assert_string_not_equal(fake_http.sent[1].key, KEY_A);
        stop();
    }
    secret_free(key);
#undef DENIES
#undef TAKES
}

static void test_verify_without_request(void **state)
{
    struct secret *key = secret_new("hunter2", 7);

    (void)state;
    start(NULL, 0);
    azure_verify(azure, &subject, key, on_done, &subject);
    fake_loop_run(0);
    assert_int_equal(failure.reason, REASON_AZURE_ERROR); /* the endpoint is not known */
    subject.endpoint = str_dup("acct.example");
    azure_verify(azure, &subject, key, on_done, &subject);
    fake_loop_run(0);
    assert_int_equal(failure.reason, REASON_KEY_REFUSED);
    assert_int_equal(completions, 2);
    assert_int_equal(fake_http.sent_count, 0);
    stop();
    secret_free(key);
}

static void test_clock_skew(void **state)
{
    struct scripted script[] = {TOKEN, STATUS(500, NULL, NULL), KEYS("/listKeys")};
    char headers[64], date[DATE_TEXT_MAX];

    (void)state;
    (void)snprintf(headers, sizeof(headers), "Date: %s\n",
                   date_to_http(time_wall() + 10 * MS_MINUTE, date));
    script[1].headers = headers;
    start(script, 3);
    look(NULL);
    fake_loop_run(0);
    assert_null(result.failure);
    assert_in_range(result.clock_skew, 10 * MS_MINUTE - 5000, 10 * MS_MINUTE + 5000);
    stop();
}

static void test_cancel(void **state)
{
    static const struct scripted script[] = {TOKEN};
    struct azure_call *call;

    (void)state;
    /* before anything has happened */
    start(script, 1);
    call = look(NULL);
    azure_cancel(call);
    azure_cancel(call);
    assert_int_equal(completions, 0);
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    assert_true(result.canceled);
    assert_false(failure.outcome_unknown);
    assert_int_equal(fake_http.sent_count, 0);

    /* Azure works on it: the outcome is unknown */
    call = azure_regenerate(azure, &subject, SLOT_PRIMARY, NULL, on_done, &subject);
    fake_loop_run(0);
    assert_int_equal(fake_http.sent_count, 2);
    azure_cancel(call);
    fake_loop_run(0);
    assert_int_equal(completions, 2);
    assert_true(result.canceled);
    assert_true(failure.outcome_unknown);
    stop();
}

/* Others need its place: the request is repeated when there is a place for slow ones. */
static void test_taken_back(void **state)
{
    static const struct scripted script[] = {TOKEN};
    struct azure_call *call;

    (void)state;
    start(script, 1);
    call = look(NULL);
    fake_loop_run(0);
    assert_int_equal(fake_http.sent_count, 2);
    subject.manager.silent = true; /* as the admission has noticed */
    call->admission_request.take_back(&call->admission_request);
    fake_loop_run(0);
    assert_int_equal(completions, 0);
    assert_int_equal(fake_http.sent_count, 3);
    assert_string_equal(fake_http.sent[1].url, fake_http.sent[2].url);
    assert_int_equal(call->admission_request.pool, ADMISSION_SLOW);
    fake_http_answer_all(&(struct scripted)DENIED);
    fake_loop_run(0);
    assert_int_equal(fake_http.sent_count, 4); /* it has answered: the next request is prompt */
    assert_int_equal(call->admission_request.pool, ADMISSION_PROMPT);
    assert_false(subject.manager.silent);
    azure_cancel(call);
    fake_loop_run(0);

    call = azure_regenerate(azure, &subject, SLOT_PRIMARY, NULL, on_done, &subject);
    fake_loop_run(0);
    assert_null(call->admission_request.take_back); /* it may have taken effect */
    stop();
}

static void test_close_cancels_everything(void **state)
{
    static const struct scripted script[] = {TOKEN};

    (void)state;
    start(script, 1);
    for (unsigned i = 0; i < 20; i++) {
        look(NULL);
        fake_loop_run(0);
    }
    assert_int_equal(fake_http.sent_count, 1 + 8); /* the limit per subscription */
    look(NULL);
    stop();
    assert_int_equal(completions, 21);
    assert_true(result.canceled);
}

/* Types whose regenerate answers without the keys: nothing is shown, whatever stands in it. */
static void test_regenerate_without_keys(void **state)
{
    static const struct {
        struct scripted answer;
        enum reason reason;
    } cases[] = {
        {STATUS(204, NULL, NULL), REASON_NONE},
        {STATUS(200, NULL, "{}"), REASON_NONE},
        {KEYS(ID "/regenerateKeys?api-version="), REASON_NONE},
        {DENIED, REASON_PERMISSION_DENIED},
    };
    struct two_key_resource silent = *two_key_resource_at(0);

    (void)state;
    silent.regenerate_answers = ANSWERS_NOTHING;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted script[] = {TOKEN, cases[i].answer};
        struct azure_call *call;

        start(script, 2);
        call = azure_regenerate(azure, &subject, SLOT_PRIMARY, "corr-1", on_done, &subject);
        call->resource = &silent;
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_int_equal(fake_http.sent_count, 2);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_false(failure.outcome_unknown);
        assert_false(result.shown[SLOT_PRIMARY] || result.shown[SLOT_SECONDARY]);
        assert_false(result.under_way);
        assert_null(subject.keys[SLOT_PRIMARY]);
        stop();
    }
}

/* Types without a request that tries a key, and types whose keys are listed by a GET. */
static void test_other_types(void **state)
{
    static const struct scripted script[] = {TOKEN, KEYS("/agentRegistrationInformation?api")};
    struct secret *key = secret_new(KEY_A, sizeof(KEY_A) - 1);
    struct two_key_resource other = *two_key_resource_at(0);
    struct azure_call *call;

    (void)state;
    other.list = (struct two_key_operation){.name = "agentRegistrationInformation", .get = true};
    start(script, 2);
    subject.endpoint = str_dup("acct.example");
    call =
        azure_look(azure, &subject, &(struct azure_look_wish){.urgent = true}, on_done, &subject);
    call->resource = &other;
    assert_false(azure_request_writes(call));
    fake_loop_run(0);
    assert_null(result.failure);
    assert_string_equal(fake_http.sent[1].method, "GET");
    stop();

    other.probe = NULL;
    start(NULL, 0);
    subject.endpoint = str_dup("acct.example");
    call = azure_verify(azure, &subject, key, on_done, &subject);
    call->resource = &other;
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    assert_int_equal(failure.reason, REASON_AZURE_ERROR); /* no verdict about the key */
    assert_int_equal(fake_http.sent_count, 0);
    stop();
    secret_free(key);
}

/* Unless the configuration has a version for all, each type is asked in its own. */
static void test_version_of_the_type(void **state)
{
    static const struct scripted script[] = {TOKEN, DESCRIPTION,
                                             KEYS("/listKeys?api-version=2024-02-01")};

    (void)state;
    start(script, 3);
    config.api_versions = NULL;
    look("corr-1");
    fake_loop_run(0);
    assert_int_equal(fake_http.sent_count, 3);
    assert_non_null(strstr(fake_http.sent[2].url, two_key_resource_at(0)->api_version));
    stop();
}

static void test_config_stays_while_in_use(void **state)
{
    static const struct scripted script[] = {TOKEN};
    static struct config other;

    (void)state;
    start(script, 1);
    look(NULL);
    fake_loop_run(0);
    other = config;
    other.references = 1;
    azure_set_config(azure, &other);
    assert_int_equal(config.references, 2); /* ours and the call's */
    assert_int_equal(other.references, 2);
    fake_http_answer_all(&fake_http_canceled);
    fake_loop_run(0);
    assert_int_equal(config.references, 1);
    stop();
    assert_int_equal(other.references, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_ids_are_made_up),
        cmocka_unit_test(test_regenerate),
        cmocka_unit_test(test_regenerate_that_waited_too_long_is_not_sent),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_description_that_has_to_wait),
        cmocka_unit_test(test_fresh_token_after_401),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_refusal_is_confirmed),
        cmocka_unit_test(test_acceptance_is_confirmed),
        cmocka_unit_test(test_verify_without_request),
        cmocka_unit_test(test_clock_skew),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_taken_back),
        cmocka_unit_test(test_close_cancels_everything),
        cmocka_unit_test(test_regenerate_without_keys),
        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_version_of_the_type),
        cmocka_unit_test(test_config_stays_while_in_use),
    };

    return cmocka_run_group_tests_name("azure", tests, NULL, NULL);
}
