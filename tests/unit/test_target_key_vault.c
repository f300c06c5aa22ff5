/* Deliveries to Key Vault, step by step, with scripted answers of the vault and of the metadata
 * service, which gives out the tokens. */
#include "conf/target_key_vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_loop.h"

#include "fake_http.h"
#include "conf/identity.h"
#include "io/target/target.h"
#include "proto/key_text.h"

extern const struct identity_type identity_managed_identity;

#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define PLACE   "https://contoso.vault.azure.net/secrets/acct-key"
#define ID      "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"
#define BEARER  "WWW-Authenticate: Bearer authorization=\"https://login/1111\", resource=\""
#define SECRETS "contoso.vault.azure.net/secrets/Acct-key"

#define CHALLENGE                                                                                  \
    {                                                                                              \
        HTTP_ANSWERED, 401, BEARER "https://vault.azure.net\"\n", NULL, SECRETS                    \
    }
#define TOKEN(name)                                                                                \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL,                                                                  \
            "{\"token_type\":\"Bearer\",\"access_token\":\"" name "\",\"expires_in\":3600}",       \
            "resource=https%3A%2F%2Fvault.azure.net"                                               \
    }
#define MISSING                                                                                    \
    {                                                                                              \
        HTTP_ANSWERED, 404, NULL, "{\"error\":{\"code\":\"SecretNotFound\",\"message\":\"x\"}}",   \
            SECRETS                                                                                \
    }
#define HELD(value, more)                                                                          \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL, "{\"value\":\"" value "\",\"id\":\"" PLACE "/0a1b\"" more "}",   \
            "secrets/Acct-key"                                                                     \
    }
#define REFUSED(status, code)                                                                      \
    {                                                                                              \
        HTTP_ANSWERED, status, NULL,                                                               \
            "{\"error\":{\"code\":\"x\",\"message\":\"m\",\"innererror\":{\"code\":\"" code        \
            "\"}}}",                                                                               \
            "secrets/Acct-key"                                                                     \
    }

static const struct identity vm = {
    .name = "vm",
    .type = &identity_managed_identity,
    .settings = {NULL, NULL, NULL, "imds", "http://169.254.169.254"}};
static struct target_key_vault settings;
static struct destination destination;
static struct target_world world;
static struct answer {
    unsigned count;
    bool failed, canceled, changed;
    struct failure failure;
    enum sighting_kind kind;
    uint64_t cycle;
    enum target_form form;
    char form_text[TARGET_FORM_TEXT_MAX];
} answer;

static void ignore_line(void *context, const struct log_line *line)
{
    (void)context;
    (void)line;
}

static struct log test_log = {.level = LEVEL_DEBUG, .write = ignore_line};

static struct fingerprint fingerprint(void *context, const char *key, size_t length)
{
    (void)context;
    (void)key;
    return (struct fingerprint){.bytes = {(uint8_t)length}};
}

static void on_done(void *context, struct target_result *result)
{
    (void)context;
    answer.count++;
    answer.failed = !!result->failure;
    answer.canceled = result->canceled;
    answer.changed = result->changed;
    if (result->failure)
        answer.failure = *result->failure;
    answer.kind = result->sighting.kind;
    answer.cycle = result->sighting.cycle;
    answer.form = result->form;
    str_copy(answer.form_text, sizeof(answer.form_text),
             result->form_text ? result->form_text : "");
}

static int set_up(void **state)
{
    (void)state;
    fake_loop_reset();
    settings = (struct target_key_vault){
        .secret_name = "Acct-key",
        .resource_id = ID,
        .audience = "https://vault.azure.net",
        .validity_days = 84,
    };
    destination = (struct destination){
        .name = "vault",
        .type = &target_key_vault_type,
        .key_shape = &key_shape_base64,
        .place = PLACE,
        .identity = &vm,
        .settings = &settings,
    };
    world = (struct target_world){
        .loop = &fake_loop,
        .tokens = token_cache_new(&fake_loop, NULL, &test_log, fake_clock),
        .fingerprint = fingerprint,
    };
    return 0;
}

static void on_closed(void *context)
{
    *(bool *)context = true;
}

static int tear_down(void **state)
{
    bool closed = false;

    (void)state;
    assert_false(target_is_busy(&world));
    target_world_done(&world);
    token_cache_close(world.tokens, on_closed, &closed);
    fake_loop_run(0);
    assert_true(closed);
    assert_int_equal(world.queue.lane_count, 0);
    assert_true(list_empty(&fake_loop.timers));
    assert_true(list_empty(&fake_http.calls));
    return 0;
}

static void begin_delivery(const char *location)
{
    static const struct account account = {.id = ID, .name = "acct"};
    struct secret *key = secret_new(KEY, strlen(KEY));
    const struct delivery delivery = {
        .account = &account, .location = location, .key = key, .cycle = 7};

    answer = (struct answer){.count = 0};
    target_deliver(&world, &destination, &delivery, on_done, NULL);
    secret_free(key);
}

static void deliver(const struct scripted *script, size_t length)
{
    fake_http_reset(script, length);
    begin_delivery(NULL);
    assert_int_equal(answer.count, 0);
    fake_loop_run(10);
    assert_int_equal(answer.count, 1);
    assert_int_equal(fake_http.sent_count, length);
}

#define DELIVER(...)                                                                               \
    do {                                                                                           \
        static const struct scripted script[] = {__VA_ARGS__};                                     \
        deliver(script, sizeof(script) / sizeof(script[0]));                                       \
    } while (0)

static void read_secret(bool set_form, const struct scripted *script, size_t length)
{
    fake_http_reset(script, length);
    answer = (struct answer){.count = 0};
    target_read(&world, &destination, NULL, set_form, on_done, NULL);
    fake_loop_run(10);
    assert_int_equal(answer.count, 1);
    assert_int_equal(fake_http.sent_count, length);
}

#define READ(set_form, ...)                                                                        \
    do {                                                                                           \
        static const struct scripted script[] = {__VA_ARGS__};                                     \
        read_secret(set_form, script, sizeof(script) / sizeof(script[0]));                         \
    } while (0)

static void assert_failure(enum reason reason, const char *text, const char *remedy)
{
    assert_true(answer.failed);
    assert_int_equal(answer.failure.reason, reason);
    if (!strstr(answer.failure.text, text))
        fail_msg("\"%s\" without \"%s\"", answer.failure.text, text);
    if (!strstr(answer.failure.remedy, remedy))
        fail_msg("\"%s\" without \"%s\"", answer.failure.remedy, remedy);
}

static void assert_sent(size_t index, const char *method, const char *authorization)
{
    assert_string_equal(fake_http.sent[index].method, method);
    assert_string_equal(fake_http.sent[index].authorization, authorization);
}

/* The challenge is answered once a vault; the name goes out as it is written. */
static void test_first_and_second_delivery(void **state)
{
    (void)state;
    DELIVER(CHALLENGE, TOKEN("tok"), MISSING, HELD(KEY, ""));
    assert_false(answer.failed);
    assert_true(answer.changed);
    assert_sent(0, "GET", "");
    assert_string_equal(fake_http.sent[0].body, "");
    assert_sent(2, "GET", "Bearer tok");
    assert_sent(3, "PUT", "Bearer tok");
    assert_non_null(strstr(fake_http.sent[3].url, "/secrets/Acct-key?"));
    assert_non_null(strstr(fake_http.sent[3].body, "\"value\":\"" KEY "\""));

    DELIVER(HELD(KEY, ",\"tags\":{\"CredentialId\":\"Primary\",\"ProviderAddress\":\"" ID
                      "\",\"ValidityPeriodDays\":\"84\",\"Cycle\":\"7\"}"));
    assert_false(answer.failed || answer.changed);
    DELIVER(HELD(KEY, ""), HELD(KEY, ""));
    assert_false(answer.failed || answer.changed);
    assert_sent(1, "PATCH", "Bearer tok");
    assert_non_null(strstr(fake_http.sent[1].url, "/0a1b?"));
    assert_null(strstr(fake_http.sent[1].body, "AAEC"));
}

/* A token that is refused is replaced once. */
static void test_refused_tokens(void **state)
{
    (void)state;
    DELIVER(CHALLENGE, TOKEN("one"), CHALLENGE, TOKEN("two"), MISSING, HELD(KEY, ""));
    assert_false(answer.failed);
    assert_sent(5, "PUT", "Bearer two");
    DELIVER({HTTP_ANSWERED, 401, NULL, "{\"error\":{\"code\":\"Unauthorized\"}}", SECRETS});
    assert_failure(REASON_TARGET_DENIED, "401 Unauthorized", "the vault's tenant 1111");
}

/* A vault that changes its mind gets no further token. */
static void test_another_challenge_later(void **state)
{
    (void)state;
    DELIVER(CHALLENGE, TOKEN("one"),
            {HTTP_ANSWERED, 401, BEARER "https://azure.net\"\n", NULL, SECRETS});
    assert_failure(REASON_TARGET_DENIED, "tokens for https://vault.azure.net",
                   "cloud.key_vault_audience");
}

/* After a reload, a challenge that fits another cloud is checked anew. */
static void test_another_cloud_later(void **state)
{
    (void)state;
    DELIVER(CHALLENGE, TOKEN("one"), MISSING, HELD(KEY, ""));
    settings.audience = "https://vault.azure.cn";
    DELIVER(CHALLENGE);
    assert_failure(REASON_TARGET_DENIED, "gets no token", "cloud.key_vault_audience");
}

static void test_no_token(void **state)
{
    (void)state;
    DELIVER(CHALLENGE, {HTTP_ANSWERED, 400, NULL,
                        "{\"error\":\"invalid_request\",\"error_description\":\"Identity not "
                        "found\"}",
                        "resource="});
    assert_failure(REASON_TOKEN_FAILED, "metadata service", "");
    assert_false(answer.failure.outcome_unknown);
}

static void test_recovery(void **state)
{
    (void)state;
    settings.recover_deleted = true;
    DELIVER(CHALLENGE, TOKEN("tok"), MISSING, REFUSED(409, "ObjectIsDeletedButRecoverable"),
            HELD("old", ""), HELD("old", ""), HELD(KEY, ""));
    assert_false(answer.failed);
    assert_true(answer.changed);
    assert_sent(4, "POST", "Bearer tok");
    assert_string_equal(fake_http.sent[4].body, "");
    assert_non_null(strstr(fake_http.sent[4].url, "/deletedsecrets/Acct-key/recover?"));
    assert_sent(6, "PUT", "Bearer tok");

    /* It takes a while; and it is asked for once. */
    DELIVER(MISSING, REFUSED(409, "ObjectIsDeletedButRecoverable"), HELD("old", ""), MISSING,
            REFUSED(409, "ObjectIsBeingRecovered"));
    assert_failure(REASON_TARGET_FAILED, "409 ObjectIsBeingRecovered", "by itself");
    DELIVER(MISSING, REFUSED(409, "ObjectIsDeletedButRecoverable"), HELD("old", ""), MISSING,
            REFUSED(409, "ObjectIsDeletedButRecoverable"));
    assert_failure(REASON_TARGET_FAILED, "ObjectIsDeletedButRecoverable", "recover");
    DELIVER(MISSING, REFUSED(409, "ObjectIsDeletedButRecoverable"), REFUSED(403, "AccessDenied"));
    assert_failure(REASON_TARGET_DENIED, "recovering the deleted secret", "set-policy");
}

static void test_disabled_and_full(void **state)
{
    (void)state;
    DELIVER(CHALLENGE, TOKEN("tok"), HELD("v", ",\"attributes\":{\"enabled\":false}"));
    assert_failure(REASON_TARGET_DENIED, "is disabled", "--enabled true");
    DELIVER(HELD("v",
                 ",\"tags\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":"
                 "\"\",\"g\":\"\",\"h\":\"\",\"i\":\"\",\"j\":\"\",\"k\":\"\",\"l\":\"\"}"));
    assert_failure(REASON_TARGET_FAILED, "so many tags", "--tags");
}

/* The time of the whole delivery is over while an answer is awaited. */
static void test_hanging(void **state)
{
    static const struct scripted reading[] = {CHALLENGE, TOKEN("tok")};
    static const struct scripted writing[] = {MISSING};

    (void)state;
    fake_http_reset(reading, 2);
    begin_delivery(NULL);
    fake_loop_run(MS_MINUTE - 1);
    assert_int_equal(answer.count, 0);
    fake_loop_run(10);
    assert_failure(REASON_TARGET_FAILED, "key_vault " PLACE ": not done within 1m",
                   "`curl -sS https://contoso.vault.azure.net`");
    assert_false(answer.failure.outcome_unknown);

    fake_http_reset(writing, 1);
    begin_delivery(NULL);
    fake_loop_run(MS_MINUTE + 10);
    assert_failure(REASON_TARGET_FAILED, "not done within 1m", "curl");
    assert_true(answer.failure.outcome_unknown);
}

static void test_the_end_of_the_daemon(void **state)
{
    static const struct scripted writing[] = {CHALLENGE, TOKEN("tok"), MISSING};

    (void)state;
    fake_http_reset(writing, 3);
    begin_delivery(NULL);
    fake_loop_run(10);
    target_cancel_all(&world);
    fake_loop_run(10);
    assert_int_equal(answer.count, 1);
    assert_true(answer.canceled);
    assert_failure(REASON_TARGET_FAILED, "the daemon stops", "");
    assert_true(answer.failure.outcome_unknown);
}

/* Whoever is refused pauses the vault for all. */
static void test_throttled(void **state)
{
    static const struct scripted refused[] = {
        CHALLENGE,
        TOKEN("tok"),
        {HTTP_ANSWERED, 429, "Retry-After: 20\n", "{\"error\":{\"code\":\"Throttled\"}}", SECRETS}};
    static const struct scripted good[] = {HELD(KEY, ""), HELD(KEY, "")};

    (void)state;
    deliver(refused, 3);
    assert_failure(REASON_THROTTLED, "429 Throttled", "at the pace that it permits");
    assert_int_equal(answer.failure.retry_after, 20 * MS_SECOND);
    fake_http_reset(good, 2);
    begin_delivery(NULL);
    fake_loop_run(19 * MS_SECOND);
    assert_int_equal(fake_http.sent_count, 0);
    fake_loop_run(2 * MS_SECOND);
    assert_int_equal(answer.count, 1);
    assert_false(answer.failed);
}

#define OURS ",\"tags\":{\"ProviderAddress\":\"" ID "\",\"Cycle\":\"5\"}"

static void test_reading(void **state)
{
    (void)state;
    READ(false, CHALLENGE, TOKEN("tok"), MISSING);
    assert_int_equal(answer.kind, SIGHTING_EMPTY);
    READ(false, HELD("  ", ""));
    assert_int_equal(answer.kind, SIGHTING_EMPTY);
    READ(false, HELD("something", ""));
    assert_int_equal(answer.kind, SIGHTING_FOREIGN);
    READ(false, HELD("Key=" KEY ";", OURS));
    assert_int_equal(answer.kind, SIGHTING_KEYS);
    assert_int_equal(answer.cycle, 5);
    READ(false, HELD(KEY, ",\"tags\":{\"ProviderAddress\":\"/other\",\"Cycle\":\"5\"}"));
    assert_int_equal(answer.cycle, 0);
    READ(false, {HTTP_ANSWERED, 404, NULL, "<html>", SECRETS});
    assert_failure(REASON_TARGET_FAILED, "404, without an error message of Azure's", "proxy");
}

static void test_pushing_the_date_out(void **state)
{
    (void)state;
    settings.expires = 10 * MS_DAY;
    READ(true, CHALLENGE, TOKEN("tok"), HELD(KEY, OURS), HELD(KEY, OURS));
    assert_sent(3, "PATCH", "Bearer tok");
    assert_string_equal(fake_http.sent[3].body, "{\"attributes\":{\"exp\":1796212805}}");
    assert_int_equal(answer.form, TARGET_FORM_RIGHT);
    READ(true, HELD(KEY, OURS ",\"attributes\":{\"exp\":1795867200}")); /* in 6 days */
    READ(true, HELD(KEY, OURS ",\"attributes\":{\"exp\":1795694400}"), HELD(KEY, OURS));
    READ(false, HELD(KEY, OURS));        /* only where the form is to be set */
    READ(true, HELD(KEY, ""));           /* not where the tags are not of this account */
    READ(true, HELD("something", OURS)); /* nor where there is no key */
    READ(true, HELD(KEY, OURS), REFUSED(403, "ForbiddenByRbac"));
    assert_false(answer.failed);
    assert_int_equal(answer.kind, SIGHTING_KEYS);
    assert_int_equal(answer.form, TARGET_FORM_WRONG);
    assert_non_null(strstr(answer.form_text,
                           "its date of expiry is near and cannot be pushed out: "
                           "Key Vault contoso answered updating"));
    settings.expires = 0;
    READ(true, HELD(KEY, OURS));
}

static void test_location(void **state)
{
    static const struct scripted script[] = {
        {HTTP_ANSWERED, 503, NULL, "", "https://v-japaneast.vault.azure.net/secrets/k-japaneast?"}};

    (void)state;
    settings.secret_name = "K-{location}";
    destination.place = "https://v-{location}.vault.azure.net/secrets/k-{location}";
    destination.needs_location = true;
    fake_http_reset(script, 1);
    begin_delivery(NULL);
    fake_loop_run(10);
    assert_failure(REASON_TARGET_FAILED, "location is not known yet", "none needed");
    begin_delivery("../x");
    fake_loop_run(10);
    assert_failure(REASON_TARGET_FAILED, "cannot stand in a name", "take {location} out");
    assert_int_equal(fake_http.sent_count, 0);
    begin_delivery("Japan East");
    fake_loop_run(10);
    assert_failure(REASON_TARGET_FAILED, "Key Vault v-japaneast answered", "proxy");
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(test_first_and_second_delivery),
        WITH_WORLD(test_refused_tokens),
        WITH_WORLD(test_another_challenge_later),
        WITH_WORLD(test_another_cloud_later),
        WITH_WORLD(test_no_token),
        WITH_WORLD(test_recovery),
        WITH_WORLD(test_disabled_and_full),
        WITH_WORLD(test_hanging),
        WITH_WORLD(test_the_end_of_the_daemon),
        WITH_WORLD(test_throttled),
        WITH_WORLD(test_reading),
        WITH_WORLD(test_pushing_the_date_out),
        WITH_WORLD(test_location),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
