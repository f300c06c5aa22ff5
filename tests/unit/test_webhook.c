/* Messages to webhooks: secrets, ids, bodies, signatures, and what answers mean. */
#include "proto/webhook.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"
#include "canned_reply.h"

#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define URL "https://hooks.example.org/keys"
#define NOW ((time_ms)1795348800000)

static struct secret *secret_of(const char *text)
{
    struct secret *whole = secret_new(text, strlen(text));
    const char *problem = NULL;
    struct secret *secret = webhook_secret(whole, &problem);

    if (!secret)
        fail_msg("%s: %s", text, problem);
    secret_free(whole);
    return secret;
}

static const char *problem_of(const char *text)
{
    struct secret *whole = secret_new(text, strlen(text));
    const char *problem = NULL;

    assert_null(webhook_secret(whole, &problem));
    secret_free(whole);
    return problem;
}

/* --- signatures, as the library standardwebhooks 1.1.1 (npm) makes them --- */

#define SECRET_32 "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SECRET_24 "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

static const struct {
    const char *secret;
    const char *id;
    int64_t timestamp;
    const char *body;
    const char *signature;
} vectors[] = {
    {SECRET_32, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", 1764374400,
     "{\"event\":\"key.rotated\",\"account\":\"acct1\",\"slot\":\"key2\"}",
     "v1,MOATDnK5UytH7iIW0PIA1uHHkVQIyqZI8rGwdAZSD8w="},
    {SECRET_24, "0", 1, "", "v1,q09Llj+ABd+AdAqJO2YFFhtlCZjWXO5R1fM+4WTnMSg="},
    {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "evt_\xc3\xbc.1", 2147483648,
     "{\"k\":\"z\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80\\n\"}\n",
     "v1,mExjNL8c8HdBPEksSnDgdoTLfCT9aQ/gD7Kl885KtVA="},
};

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct secret *secret = secret_of(vectors[i].secret);
        struct buf body, out;

        buf_init(&body, 1024);
        buf_init(&out, 1024);
        buf_append_str(&body, vectors[i].body);
        assert_int_equal(webhook_sign(&secret, 1, vectors[i].id, vectors[i].timestamp, &body, &out),
                         0);
        assert_string_equal(buf_str(&out), vectors[i].signature);
        buf_done(&out);
        buf_done(&body);
        secret_free(secret);
    }
}

static void test_two_secrets_sign_with_a_blank_between(void **state)
{
    struct secret *secrets[] = {secret_of(SECRET_32), secret_of(SECRET_24)};
    struct http_request request;

    (void)state;
    http_request_init(&request, "POST", MS_SECOND);
    buf_append_str(&request.body, vectors[0].body);
    assert_int_equal(
        webhook_request(&request, URL, secrets, 2, vectors[0].id, vectors[0].timestamp), 0);
    assert_string_equal(buf_str(&request.url), URL);
    assert_string_equal(sent_header(&request, "webhook-id"), vectors[0].id);
    assert_string_equal(sent_header(&request, "webhook-timestamp"), "1764374400");
    assert_string_equal(sent_header(&request, "Content-Type"), "application/json");
    assert_true(str_starts_with(sent_header(&request, "webhook-signature"),
                                "v1,MOATDnK5UytH7iIW0PIA1uHHkVQIyqZI8rGwdAZSD8w= v1,"));
    assert_int_equal(strlen(sent_header(&request, "webhook-signature")), 2 * 47 + 1);
    assert_false(request.repeatable);
    assert_false(request.follows);
    http_request_done(&request);
    secret_free(secrets[0]);
    secret_free(secrets[1]);
}

static void test_secrets(void **state)
{
    struct secret *padded = secret_of("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk=");
    struct secret *bare = secret_of("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk");
    char longest[6 + 88 + 1] = "whsec_";
    struct secret *most;

    (void)state;
    assert_int_equal(secret_length(padded), 26);
    assert_true(secret_equal(padded, bare));
    memset(longest + 6, 'A', 86);
    memcpy(longest + 6 + 86, "==", 3);
    most = secret_of(longest);
    assert_int_equal(secret_length(most), 64);
    secret_free(most);
    secret_free(bare);
    secret_free(padded);

    assert_non_null(strstr(problem_of("whsec_"), "24 to 64 bytes"));
    assert_non_null(strstr(problem_of("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY="), "24 to 64"));
    assert_non_null(strstr(problem_of("whsec_-_ECAwQFBgcICQoLDA0ODxAREhMUFRYX"), "base64"));
    assert_non_null(strstr(problem_of("correct horse battery staple"), "base64"));
    assert_non_null(strstr(problem_of("whsec_" KEY KEY), "base64"));
}

static void test_id_names_what_is_delivered(void **state)
{
    const struct target_id target = {.bytes = {1}}, other_target = {.bytes = {2}};
    const struct fingerprint key = {.bytes = {3}}, other_key = {.bytes = {4}};
    char id[WEBHOOK_ID_MAX], other[WEBHOOK_ID_MAX];

    (void)state;
    assert_int_equal(webhook_id("/a/B", &target, SLOT_PRIMARY, 7, &key, id), 0);
    assert_int_equal(webhook_id("/A/b", &target, SLOT_PRIMARY, 7, &key, other), 0);
    assert_string_equal(id, other);
    assert_int_equal(strlen(id), 4 + 32);
    assert_int_equal(strspn(id + 4, "0123456789abcdef"), 32); /* no '.', which ends it */

    webhook_id("/a/c", &target, SLOT_PRIMARY, 7, &key, other);
    assert_string_not_equal(id, other);
    webhook_id("/a/b", &other_target, SLOT_PRIMARY, 7, &key, other);
    assert_string_not_equal(id, other);
    webhook_id("/a/b", &target, SLOT_SECONDARY, 7, &key, other);
    assert_string_not_equal(id, other);
    webhook_id("/a/b", &target, SLOT_PRIMARY, 8, &key, other);
    assert_string_not_equal(id, other);
    webhook_id("/a/b", &target, SLOT_PRIMARY, 7, &other_key, other);
    assert_string_not_equal(id, other);
}

static void body_of(const struct key_file *content, bool include_key, struct buf *out)
{
    const struct fingerprint key = {.bytes = {0xab, 0xcd}};

    buf_init(out, WEBHOOK_BODY_MAX);
    assert_int_equal(webhook_body(content, &key, include_key, out), 0);
    assert_true(utf8_valid(buf_str(out), out->length));
}

static void test_body(void **state)
{
    struct secret *key = secret_new(KEY, strlen(KEY));
    struct key_file content = {.account = "acct",
                               .resource_id = "/subscriptions/x",
                               .account_endpoint = "acct.example",
                               .slot = SLOT_SECONDARY,
                               .key = key,
                               .cycle = 7,
                               .delivered_at = NOW};
    struct buf out;

    (void)state;
    body_of(&content, false, &out);
    assert_string_equal(buf_str(&out),
                        "{\"type\":\"key.delivered\",\"timestamp\":\"2026-11-22T12:00:00Z\","
                        "\"data\":{\"account\":\"acct\",\"resource_id\":\"/subscriptions/x\","
                        "\"account_endpoint\":\"acct.example\",\"slot\":\"secondary\",\"cycle\":7,"
                        "\"fingerprint\":\"abcd0000000000000000000000000000\"}}");
    buf_done(&out);

    content.account_endpoint = "";
    body_of(&content, true, &out);
    assert_non_null(strstr(buf_str(&out), "\"account_endpoint\":null,"));
    assert_non_null(strstr(buf_str(&out), ",\"key\":\"" KEY "\"}}"));
    buf_done(&out);
    secret_free(key);
}

/* --- answers --- */

static const struct {
    int status;
    const char *headers;
    const char *body;
    enum reason reason; /* REASON_NONE: delivered */
    bool may_act;
    duration_ms retry_after;
    const char *text;
    const char *remedy;
} answers[] = {
    {200, NULL, "", REASON_NONE, false, 0, NULL, NULL},
    {204, NULL, NULL, REASON_NONE, false, 0, NULL, NULL},
    {201, NULL, "<html>whatever</html>", REASON_NONE, false, 0, NULL, NULL},
    {202, "Retry-After: 30\n", "{\"message\":\"two of three\"}", REASON_NOT_YET, true, 30000,
     "asks for more time, with status 202: two of three", ""},
    {425, NULL, NULL, REASON_NOT_YET, false, 0, "asks for more time, with status 425", ""},
    {301, "Location: https://other.example/keys?t=1\n", NULL, REASON_TARGET_FAILED, false, 0,
     "status 301; it redirects the request to https://other.example/keys, which is not followed",
     "redirects are not followed"},
    {307, NULL, NULL, REASON_TARGET_FAILED, false, 0, "status 307", "redirects are not followed"},
    {400, NULL, "{\"error\":\"no\\u0007such\"}", REASON_TARGET_FAILED, false, 0,
     "status 400: no such", "receiver's log"},
    {401, NULL, "{\"detail\":\"invalid signature\"}", REASON_TARGET_DENIED, false, 0,
     "status 401: invalid signature", "secret_file"},
    {403, NULL, "<title>Blocked</title>", REASON_TARGET_DENIED, false, 0,
     "it is a web page, \"Blocked\"", "address"},
    {404, NULL, "not json", REASON_TARGET_FAILED, false, 0, "status 404", "correct `url`"},
    {405, NULL, NULL, REASON_TARGET_FAILED, false, 0, "status 405", "takes no POST"},
    {408, NULL, NULL, REASON_TARGET_FAILED, false, 0, "status 408", "delays"},
    {409, NULL, NULL, REASON_TARGET_FAILED, false, 0, "status 409", "receiver's log"},
    {410, "Server: nginx\n", NULL, REASON_TARGET_FAILED, false, 0, "status 410",
     "out of deliver_to"},
    {411, "Server: nginx\n", "no", REASON_TARGET_FAILED, false, 0,
     "status 411; its Server header is \"nginx\"", "receiver's log"},
    {413, NULL, NULL, REASON_TARGET_FAILED, false, 0, "status 413", "20 kB"},
    {415, NULL, NULL, REASON_TARGET_FAILED, false, 0, "status 415", "application/json"},
    {429, "Retry-After: 7\n", NULL, REASON_TARGET_FAILED, false, 7000, "status 429",
     "more requests"},
    {500, NULL, "{\"message\":\"got " KEY "\"}", REASON_TARGET_FAILED, true, 0,
     "status 500: got ****", "receiver's log"},
    {502, "Retry-After: 9\n", NULL, REASON_TARGET_FAILED, true, 9000, "status 502", "gateway"},
    {503, "Retry-After: 8\n", NULL, REASON_TARGET_FAILED, false, 8000, "status 503",
     "receiver runs"},
    {504, NULL, NULL, REASON_TARGET_FAILED, true, 0, "status 504", "gateway"},
    {507, NULL, "{\"message\":17}", REASON_TARGET_FAILED, true, 0, "status 507", "receiver's log"},
    {999, NULL, NULL, REASON_TARGET_FAILED, true, 0, "status 999", "leads to the receiver"},
};

static void expect_answer(size_t i)
{
    struct failure failure = {.reason = REASON_NONE};
    struct http_reply reply;
    int rc;

    canned_answer(&reply, answers[i].status, answers[i].headers, answers[i].body);
    rc = webhook_read(&reply, URL, NOW, &failure);
    http_reply_done(&reply);
    assert_int_equal(failure.reason, answers[i].reason);
    assert_int_equal(rc, answers[i].reason == REASON_NONE ? 0 : -EIO);
    if (rc == 0)
        return;
    if (!strstr(failure.text, answers[i].text) || !strstr(failure.remedy, answers[i].remedy))
        fail_msg("%d: %s; do: %s", answers[i].status, failure.text, failure.remedy);
    assert_true(str_starts_with(failure.text, "webhook " URL " "));
    assert_null(strstr(failure.text, KEY));
    if (!answers[i].body)
        assert_null(strstr(failure.text, "Server header"));
    assert_int_equal(failure.outcome_unknown, answers[i].may_act);
    assert_int_equal(failure.retry_after, answers[i].retry_after);
    assert_int_equal(failure.http_status, answers[i].status);
}

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        expect_answer(i);
}

/* The key stands where the message is cut: no part of it is left. */
static void test_key_at_the_cut(void **state)
{
    char body[512] = "{\"message\":\"";
    struct failure failure;
    struct http_reply reply;

    (void)state;
    memset(body + strlen(body), '.', 130);
    (void)strcat(body, KEY "\"}");
    canned_answer(&reply, 500, NULL, body);
    assert_int_equal(webhook_read(&reply, URL, NOW, &failure), -EIO);
    assert_null(strstr(failure.text, "AAEC"));
    assert_non_null(strstr(failure.text, "...***"));
    http_reply_done(&reply);
}

static void test_silence(void **state)
{
    struct failure failure;
    struct http_reply reply;

    (void)state;
    canned_silence(&reply, HTTP_UNSENT, "cannot connect");
    assert_int_equal(webhook_read(&reply, URL, NOW, &failure), -EIO);
    assert_int_equal(failure.reason, REASON_TARGET_FAILED);
    assert_false(failure.outcome_unknown);
    assert_string_equal(failure.text, "webhook " URL " cannot be reached: cannot connect");
    assert_non_null(strstr(failure.remedy, "`curl -sv " URL "`"));
    http_reply_done(&reply);

    canned_silence(&reply, HTTP_UNSENT, "no such certificate");
    reply.error.code = -EPROTO;
    assert_int_equal(webhook_read(&reply, URL, NOW, &failure), -EIO);
    assert_non_null(strstr(failure.remedy, "`openssl s_client -connect hooks.example.org:443 <"));
    assert_int_equal(webhook_read(&reply, "https://[::1]:8443/x", NOW, &failure), -EIO);
    assert_non_null(strstr(failure.remedy, "-connect [::1]:8443 <"));
    assert_int_equal(webhook_read(&reply, "https://[::1]", NOW, &failure), -EIO);
    assert_non_null(strstr(failure.remedy, "-connect [::1]:443 <"));
    reply.error.code = -EPROTOTYPE;
    assert_int_equal(webhook_read(&reply, URL, NOW, &failure), -EIO);
    assert_non_null(strstr(failure.remedy, "correct the port in `url`"));
    http_reply_done(&reply);

    canned_silence(&reply, HTTP_LOST, "it broke");
    assert_int_equal(webhook_read(&reply, URL, NOW, &failure), -EIO);
    assert_int_equal(failure.reason, REASON_TARGET_FAILED);
    assert_true(failure.outcome_unknown);
    assert_string_equal(failure.text, "webhook " URL ": the answer was lost: it broke");
    assert_non_null(strstr(failure.remedy, "same webhook-id"));
    http_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_two_secrets_sign_with_a_blank_between),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_id_names_what_is_delivered),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_key_at_the_cut),
        cmocka_unit_test(test_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
