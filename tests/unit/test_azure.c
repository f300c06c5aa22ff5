#include "io/azure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_loop.h"

#include "fake_http.h"
#include "io/azure_call.h"

#define ID "/subscriptions/0000/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"
#define KEY_A                                                                                      \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define KEY_B                                                                                      \
    "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

#define TOKEN                                                                                      \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL, "{\"access_token\":\"tok\",\"expires_in\":\"3600\"}",            \
            "/metadata/identity"                                                                   \
    }
#define NEXT_TOKEN                                                                                 \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL, "{\"access_token\":\"tok2\",\"expires_in\":\"3600\"}",           \
            "/metadata/identity"                                                                   \
    }
#define DESCRIPTION                                                                                \
    {                                                                                              \
        HTTP_ANSWERED, 200, "x-ms-request-id: r-1\n",                                              \
            "{\"location\":\"westeurope\",\"properties\":{\"accountEndpoint\":\"acct.example\"}}", \
            ID "?api-version=2024-02-01"                                                           \
    }
#define KEYS(path)                                                                                 \
    {                                                                                              \
        HTTP_ANSWERED, 200, "x-ms-request-id: r-2\n",                                              \
            "{\"accountName\":\"acct\",\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\"}",    \
            path                                                                                   \
    }
#define STATUS(status, headers, body)                                                              \
    {                                                                                              \
        HTTP_ANSWERED, status, headers, body, NULL                                                 \
    }
#define UNAUTHORIZED                                                                               \
    STATUS(401, NULL, "{\"error\":{\"code\":\"ExpiredAuthenticationToken\",\"message\":\"m\"}}")
#define DENIED                                                                                     \
    STATUS(403, "x-ms-request-id: r-3\n",                                                          \
           "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"m\"}}")
#define KEYS_OFF                                                                                   \
    STATUS(200, NULL,                                                                              \
           "{\"properties\":{\"accountEndpoint\":\"acct.example\","                                \
           "\"allowedAuthenticationModes\":[\"AAD\"]}}")
#define CONFLICT STATUS(409, NULL, "{\"error\":{\"code\":\"Conflict\",\"message\":\"m\"}}")
#define STATE(state)                                                                               \
    STATUS(200, NULL,                                                                              \
           "{\"properties\":{\"accountEndpoint\":\"acct.example\","                                \
           "\"provisioningState\":\"" state "\"}}")
#define SILENCE(outcome)                                                                           \
    {                                                                                              \
        outcome, 0, NULL, NULL, NULL                                                               \
    }

static const struct identity vm = {
    .name = "vm", .type = IDENTITY_MANAGED_IDENTITY, .endpoint = "http://169.254.169.254"};
static struct policy policy; /* verify: auto */
static const struct account account = {.id = ID,
                                       .key = ID,
                                       .name = "acct",
                                       .resource_group = "rg",
                                       .subscription_id = "0000",
                                       .identity = &vm,
                                       .policy_name = "nightly",
                                       .policy = &policy};
static struct config config;
static struct azure *azure;
static struct azure_account subject;
static struct log test_log = {.level = LEVEL_ERROR};

static unsigned completions;
static struct azure_result result;
static struct failure description;
static struct failure failure;

/* What the configuration's owner does; here it is static. */
struct config *config_ref(struct config *of)
{
    of->references++;
    return of;
}

void config_unref(struct config *of)
{
    if (of != NULL)
        of->references--;
}

static struct fingerprint first_byte(void *context, const char *key, size_t length)
{
    struct fingerprint fingerprint = {.bytes = {(uint8_t)key[0]}};

    (void)context;
    assert_int_equal(length, sizeof(KEY_A) - 1);
    return fingerprint;
}

static void on_done(void *context, const struct azure_result *of)
{
    assert_ptr_equal(context, &subject);
    completions++;
    result = *of;
    if (of->failure != NULL)
        failure = *of->failure;
    else
        memset(&failure, 0, sizeof(failure));
    if (of->description != NULL)
        description = *of->description;
    else
        memset(&description, 0, sizeof(description));
}

static void start(const struct scripted *script, size_t length)
{
    fake_loop_reset();
    fake_http_reset(script, length);
    completions = 0;
    config = (struct config){.references = 1,
                             .cloud = {.resource_manager = "https://arm.example",
                                       .login = "https://login.example",
                                       .audience = "https://management.azure.com/",
                                       .api_version = "2024-02-01"},
                             .limit_requests = 64,
                             .limit_per_subscription = 8};
    subject = (struct azure_account){.account = &account};
    azure = azure_new(&fake_loop, NULL, &test_log, first_byte, NULL);
    azure_set_config(azure, &config);
}

static struct azure_call *look(const char *correlation_id)
{
    const struct azure_look_wish wish = {.describe = true, .correlation_id = correlation_id};

    return azure_look(azure, &subject, &wish, on_done, &subject);
}

static void on_closed(void *context)
{
    *(bool *)context = true;
}

static void stop(void)
{
    bool closed = false;

    azure_close(azure, on_closed, &closed);
    assert_false(closed);
    fake_loop_run(0);
    assert_true(closed);
    assert_int_equal(config.references, 1);
    assert_true(list_empty(&fake_loop.timers));
    assert_true(list_empty(&fake_http.calls));
    azure_account_done(&subject);
}

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
        stop();
    }
}

/* The look before it is old by then: rather not at all. */
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

/* The keys make the look; what is wrong with the description is told beside them. */
static void test_look_without_description(void **state)
{
    static const struct {
        struct scripted answer;
        enum verify_mode verify;
        enum reason reason; /* REASON_NONE: it is described */
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
        if (cases[i].text != NULL) {
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

/* The keys came, but long after the description: no intent may rely on that one. */
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

/* A 429 of one resource stops nobody else; one that means the subscription stops its lane. */
static void test_throttled(void **state)
{
    static const struct {
        struct scripted answer;
        duration_ms kept; /* by the account itself */
        bool stops_others;
    } cases[] = {
        {STATUS(429, "Retry-After: 1200\n",
                "{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"m\"}}"),
         20 * MS_MINUTE, false},
        {STATUS(429, "Retry-After: 9999999999\n", NULL), MS_DAY, false},
        {STATUS(429, "Retry-After: 1200\n",
                "{\"error\":{\"code\":\"SubscriptionRequestsThrottled\",\"message\":\"m\"}}"),
         MS_MINUTE, true},
        {STATUS(429, "Retry-After: 9\nx-ms-ratelimit-remaining-subscription-writes: 0\n", NULL),
         9 * MS_SECOND, true},
    };
    static const struct scripted keys = KEYS("/listKeys");
    const struct azure_look_wish wish = {.urgent = true};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted script[] = {TOKEN, cases[i].answer};
        struct azure_call *other;
        duration_ms wait = -1;

        start(script, 2);
        azure_account_recall(&subject, "acct.example", "");
        azure_regenerate(azure, &subject, SLOT_PRIMARY, NULL, on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_int_equal(failure.reason, REASON_THROTTLED);
        assert_int_equal(failure.retry_after, cases[i].kept);
        other = azure_look(azure, &subject, &wish, on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(azure_call_is_throttled(other, &wait), cases[i].stops_others);
        assert_int_equal(fake_http.sent_count, cases[i].stops_others ? 2 : 3);
        fake_http_answer_all(&keys);
        fake_loop_run(0);
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
        /* listKeys decides, in the description's words where these say why */
        {false, 3, REASON_SHARED_KEY_DISABLED, false, {TOKEN, KEYS_OFF, CONFLICT}},
        {false, 3, REASON_PERMISSION_DENIED, false, {TOKEN, KEYS_OFF, DENIED}},
        {false, 3, REASON_NETWORK, false, {TOKEN, KEYS_OFF, SILENCE(HTTP_LOST)}},
        {false, 3, REASON_AZURE_ERROR, false, {TOKEN, STATUS(200, NULL, "<html>"), CONFLICT}},
        {false, 3, REASON_AZURE_ERROR, false, {TOKEN, DESCRIPTION, STATUS(200, NULL, "{}")}},
        {false, 3, REASON_NETWORK, false, {TOKEN, SILENCE(HTTP_LOST), SILENCE(HTTP_LOST)}},
        /* what cannot be sent cannot be sent twice; and no account has no keys */
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
    char headers[64], date[TIME_TEXT_MAX];

    (void)state;
    (void)snprintf(headers, sizeof(headers), "Date: %s\n",
                   time_to_http_date(time_wall() + 10 * MS_MINUTE, date));
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

    /* while it is with Azure: nobody knows */
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
        cmocka_unit_test(test_look_without_description),
        cmocka_unit_test(test_urgent_look),
        cmocka_unit_test(test_description_grows_old),
        cmocka_unit_test(test_throttled),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_fresh_token_after_401),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_verify_without_request),
        cmocka_unit_test(test_clock_skew),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_close_cancels_everything),
        cmocka_unit_test(test_config_stays_while_in_use),
    };

    return cmocka_run_group_tests_name("azure", tests, NULL, NULL);
}
