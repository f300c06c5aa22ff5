/* The wire of Key Vault: requests, the challenge, secrets, and what its errors mean. */
#include "proto/key_vault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "canned_reply.h"

#define NOW   ((time_ms)1795348800000)
#define VAULT "https://contoso.vault.azure.net"
#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define ID "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"

/* --- requests --- */

static void expect_request(enum key_vault_operation operation, const char *method, const char *url)
{
    struct secret *token = secret_new("tok", 3);
    struct key_vault_request wanted = {
        .operation = operation,
        .vault = VAULT,
        .name = "acct-key",
        .version = "0a1b",
        .client_request_id = "id-1",
        .token = token,
    };
    struct http_request request;
    struct err err;
    struct buf body;

    buf_init(&body, 100);
    buf_append_str(&body, "{\"value\":\"x\"}");
    wanted.body = operation == KEY_VAULT_SET || operation == KEY_VAULT_UPDATE ? &body : NULL;
    assert_int_equal(key_vault_request_build(&request, &wanted, &err), 0);
    assert_string_equal(request.method, method);
    assert_string_equal(buf_str(&request.url), url);
    assert_string_equal(sent_header(&request, "Authorization"), "Bearer tok");
    assert_string_equal(sent_header(&request, "x-ms-client-request-id"), "id-1");
    assert_string_equal(buf_str(&request.body), wanted.body ? "{\"value\":\"x\"}" : "");
    assert_int_equal(!!sent_header(&request, "Content-Type"), !!wanted.body);
    assert_false(request.follows);
    assert_int_equal(request.repeatable, strcmp(method, "GET") == 0);
    http_request_done(&request);

    /* Without a token nothing but the question goes out. */
    wanted.token = NULL;
    assert_int_equal(key_vault_request_build(&request, &wanted, &err), 0);
    assert_null(sent_header(&request, "Authorization"));
    assert_int_equal(request.body.length, 0);
    assert_null(sent_header(&request, "Content-Type"));
    http_request_done(&request);
    buf_done(&body);
    secret_free(token);
}

static void test_requests(void **state)
{
    (void)state;
    expect_request(KEY_VAULT_GET, "GET", VAULT "/secrets/acct-key?api-version=7.4");
    expect_request(KEY_VAULT_SET, "PUT", VAULT "/secrets/acct-key?api-version=7.4");
    expect_request(KEY_VAULT_UPDATE, "PATCH", VAULT "/secrets/acct-key/0a1b?api-version=7.4");
    expect_request(KEY_VAULT_GET_DELETED, "GET", VAULT "/deletedsecrets/acct-key?api-version=7.4");
    expect_request(KEY_VAULT_RECOVER, "POST",
                   VAULT "/deletedsecrets/acct-key/recover?api-version=7.4");
}

/* --- the challenge --- */

static const struct {
    const char *headers, *resource, *tenant;
} challenges[] = {
    {"WWW-Authenticate: Bearer authorization=\"https://login.microsoftonline.com/11-22\", "
     "resource=\"https://vault.azure.net\"\n",
     "https://vault.azure.net", "11-22"},
    {"WWW-Authenticate: Bearer   authorization=https://login.windows.net/contoso.com ,"
     "resource=https://vault.azure.net\n",
     "https://vault.azure.net", "contoso.com"},
    {"www-authenticate: bearer scope=\"https://vault.azure.net/.default\"\n",
     "https://vault.azure.net", ""},
    {"WWW-Authenticate: PoP resource=\"https://wrong.net\", Bearer resource=\"https://a.net\"\n",
     "https://a.net", ""},
    {"WWW-Authenticate: PoP nonce=\"1\"\nWWW-Authenticate: Bearer resource=\"https://a.net\"\n",
     "https://a.net", ""},
    {"WWW-Authenticate: Bearer authorization=\"https://l/a b\", resource=\"https:\\//q\"\n",
     "https://q", ""},
    {"WWW-Authenticate: Bearer resource=\"https://cut\n", "https://cut", ""},
    {"WWW-Authenticate: Bearer error=\"invalid_token\"\n", "", ""},
    {"WWW-Authenticate: Basic resource=\"https://vault.azure.net\"\n", "", ""},
    {"WWW-Authenticate: Bearer =,\"\"=;resource\n", "", ""},
    {"Authenticate: Bearer resource=\"https://vault.azure.net\"\n", "", ""},
    {"", "", ""},
};

static void test_challenges_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(challenges) / sizeof(challenges[0]); i++) {
        struct key_vault_challenge challenge;
        struct http_reply reply;

        canned_answer(&reply, 401, challenges[i].headers, "");
        assert_int_equal(key_vault_challenge_read(&challenge, &reply),
                         challenges[i].resource[0] != '\0');
        assert_string_equal(challenge.resource, challenges[i].resource);
        assert_string_equal(challenge.tenant, challenges[i].tenant);
        http_reply_done(&reply);
    }
}

static void test_a_resource_that_is_too_long_is_none(void **state)
{
    char headers[1000] = "WWW-Authenticate: Bearer resource=\"https://";
    struct key_vault_challenge challenge;
    struct http_reply reply;

    (void)state;
    memset(headers + strlen(headers), 'x', 600);
    canned_answer(&reply, 401, headers, "");
    assert_false(key_vault_challenge_read(&challenge, &reply));
    http_reply_done(&reply);
}

static const struct {
    const char *vault, *resource, *audience;
    bool good;
} matches[] = {
    {VAULT, "https://vault.azure.net", "https://vault.azure.net", true},
    {VAULT, "https://vault.azure.net/", "https://vault.azure.net", true},
    {VAULT ":8443", "https://VAULT.azure.net", "https://vault.azure.net/", true},
    {"https://a.vault.azure.cn", "https://vault.azure.cn", "https://vault.azure.cn", true},
    {VAULT, "https://ault.azure.net", "https://vault.azure.net", false}, /* no label boundary */
    {VAULT, "https://contoso.vault.azure.net", "https://vault.azure.net", false},
    {VAULT, "https://azure.net", "https://vault.azure.net", false}, /* of another service */
    {VAULT, "https://net", "https://vault.azure.net", false},
    {VAULT, "https://.net", "https://vault.azure.net", false},
    {VAULT, "https://", "https://vault.azure.net", false},
    {VAULT, "https://management.azure.com", "https://vault.azure.net", false},
    {VAULT, "https://vault.azure.net.evil.example", "https://vault.azure.net", false},
    {VAULT, "https://vault.azure.net/x", "https://vault.azure.net", false},
    {VAULT, "https://a@vault.azure.net", "https://vault.azure.net", false},
    {VAULT, "https://vault.azure.net:443", "https://vault.azure.net", false},
    {VAULT, "http://vault.azure.net", "https://vault.azure.net", false},
    {VAULT, "vault.azure.net", "https://vault.azure.net", false},
    {"https://a.vault.azure.cn", "https://vault.azure.cn", "https://vault.azure.net", false},
    {"https://vault.azure.net", "https://vault.azure.net", "https://vault.azure.net", false},
};

static void test_a_challenge_must_fit_the_vault(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        struct key_vault_challenge challenge = {.tenant = ""};
        struct err err = {.code = 0};

        str_copy(challenge.resource, sizeof(challenge.resource), matches[i].resource);
        if ((key_vault_challenge_check(&challenge, matches[i].vault, matches[i].audience, &err) ==
             0) != matches[i].good)
            fail_msg("%s for %s: %s", matches[i].resource, matches[i].vault, err.text);
        if (!matches[i].good)
            assert_non_null(strstr(err.text, matches[i].resource));
    }
}

/* --- secrets --- */

static int read_secret(struct key_vault_secret *secret, const char *body)
{
    struct http_reply reply;
    struct err err = {.code = 0};
    int rc;

    canned_answer(&reply, 200, NULL, body);
    rc = key_vault_secret_read(secret, &reply, &err);
    http_reply_done(&reply);
    return rc;
}

static void test_a_secret_is_read(void **state)
{
    struct key_vault_secret secret;

    (void)state;
    assert_int_equal(read_secret(&secret,
                                 "{\"value\":\"v\",\"id\":\"" VAULT "/secrets/acct-key/0a1b\","
                                 "\"contentType\":\"text/plain\",\"attributes\":{\"enabled\":true,"
                                 "\"exp\":1795348800},\"tags\":{\"ProviderAddress\":\"" ID
                                 "\",\"Cycle\":\"7\"}}"),
                     0);
    assert_string_equal(secret.value, "v");
    assert_string_equal(secret.version, "0a1b");
    assert_string_equal(secret.content_type, "text/plain");
    assert_int_equal(secret.expires, NOW);
    assert_false(secret.disabled);
    assert_int_equal(key_vault_cycle(&secret,
                                     "/SUBSCRIPTIONS/0/resourceGroups/rg/providers/"
                                     "Microsoft.Batch/batchAccounts/acct"),
                     7);
    assert_int_equal(key_vault_cycle(&secret, "/subscriptions/1"), 0);
    assert_true(key_vault_expires_soon(&secret, NOW - 4 * MS_DAY, 10 * MS_DAY));
    assert_false(key_vault_expires_soon(&secret, NOW - 6 * MS_DAY, 10 * MS_DAY));
    key_vault_secret_done(&secret);

    assert_int_equal(read_secret(&secret,
                                 "{\"value\":\"\",\"id\":\"x/1\",\"attributes\":{\"enabled\":false,"
                                 "\"exp\":-1},\"tags\":[\"Cycle\"]}"),
                     0);
    assert_true(secret.disabled);
    assert_null(secret.tags);
    assert_null(secret.content_type);
    assert_int_equal(secret.expires, 0);
    assert_true(key_vault_expires_soon(&secret, NOW, MS_DAY));
    assert_int_equal(key_vault_cycle(&secret, ID), 0);
    key_vault_secret_done(&secret);
}

static void test_answers_that_are_no_secrets(void **state)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "<html>",
        "{\"value\":\"v\"}",
        "{\"id\":\"" VAULT "/secrets/a/1\"}",
        "{\"value\":null,\"id\":\"a/1\"}",
        "{\"value\":[\"v\"],\"id\":\"a/1\"}",
        "{\"value\":\"v\",\"id\":\"" VAULT "/secrets/a/\"}",
        "{\"value\":\"v\",\"id\":\"" VAULT "/secrets/a/../x?y\"}",
        "{\"value\":\"v\",\"id\":\"a/"
        "0123456789012345678901234567890123456789012345678901234567890123456789\"}",
        "{\"value\":\"v\",\"id\":\"a/1\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct key_vault_secret secret;

        if (read_secret(&secret, bodies[i]) == 0)
            fail_msg("%s was taken", bodies[i]);
        assert_null(secret.answer);
        key_vault_secret_done(&secret);
    }
}

static struct key_vault_content content_with(const struct secret *key)
{
    return (struct key_vault_content){
        .key = key,
        .slot = SLOT_SECONDARY,
        .cycle = 12,
        .resource_id = ID,
        .validity_days = 84,
        .expires = NOW,
    };
}

#define OWN_TAGS                                                                                   \
    "\"CredentialId\":\"Secondary\",\"ProviderAddress\":\"" ID                                     \
    "\",\"ValidityPeriodDays\":\"84\",\"Cycle\":\"12\""

static void test_what_is_written(void **state)
{
    struct secret *key = secret_new(KEY, strlen(KEY));
    struct key_vault_content content = content_with(key);
    struct key_vault_secret present;
    struct buf body;

    (void)state;
    buf_init(&body, KEY_VAULT_BODY_MAX);
    assert_int_equal(key_vault_set_body(&body, &content, NULL), 0);
    assert_string_equal(buf_str(&body), "{\"value\":\"" KEY "\",\"tags\":{" OWN_TAGS
                                        "},\"attributes\":{\"enabled\":true,\"exp\":1795348800}}");

    /* What others wrote stays; what an earlier delivery wrote goes, in any case. */
    assert_int_equal(read_secret(&present,
                                 "{\"value\":\"old\",\"id\":\"a/1\",\"contentType\":\"t\","
                                 "\"tags\":{\"team\":\"\\\"b\\\"\",\"cycle\":\"3\",\"n\":1}}"),
                     0);
    buf_clear(&body);
    content.expires = 0;
    assert_int_equal(key_vault_set_body(&body, &content, &present), 0);
    assert_string_equal(buf_str(&body),
                        "{\"value\":\"" KEY "\",\"contentType\":\"t\",\"tags\":{" OWN_TAGS
                        ",\"team\":\"\\\"b\\\"\"},\"attributes\":{\"enabled\":true}}");
    buf_clear(&body);
    content.content_type = "u";
    assert_int_equal(key_vault_update_body(&body, &content, &present), 0);
    assert_string_equal(buf_str(&body),
                        "{\"contentType\":\"u\",\"tags\":{" OWN_TAGS ",\"team\":\"\\\"b\\\"\"}}");
    buf_clear(&body);
    assert_int_equal(key_vault_expiry_body(&body, NOW), 0);
    assert_string_equal(buf_str(&body), "{\"attributes\":{\"exp\":1795348800}}");
    key_vault_secret_done(&present);
    buf_done(&body);
    secret_free(key);
}

static void test_a_secret_with_too_many_tags(void **state)
{
    struct secret *key = secret_new(KEY, strlen(KEY));
    const struct key_vault_content content = content_with(key);
    struct key_vault_secret present;
    struct buf answer, body;

    (void)state;
    for (int count = 11; count <= 12; count++) {
        buf_init(&answer, 4096);
        buf_init(&body, KEY_VAULT_BODY_MAX);
        buf_append_str(&answer, "{\"value\":\"old\",\"id\":\"a/1\",\"tags\":{\"Cycle\":\"1\"");
        for (int i = 0; i < count; i++)
            buf_append_format(&answer, ",\"t%d\":\"x\"", i);
        buf_append_str(&answer, "}}");
        assert_int_equal(read_secret(&present, buf_str(&answer)), 0);
        assert_int_equal(key_vault_set_body(&body, &content, &present), count == 11 ? 0 : -E2BIG);
        buf_clear(&body);
        assert_int_equal(key_vault_update_body(&body, &content, &present),
                         count == 11 ? 0 : -E2BIG);
        key_vault_secret_done(&present);
        buf_done(&body);
        buf_done(&answer);
    }
    secret_free(key);
}

static void test_what_matches(void **state)
{
    struct secret *key = secret_new(KEY, strlen(KEY));
    struct secret *other = secret_new(KEY, strlen(KEY) - 1);
    struct key_vault_content content = content_with(key);
    struct key_vault_secret secret;

    (void)state;
    assert_int_equal(read_secret(&secret, "{\"value\":\"" KEY "\",\"id\":\"a/1\",\"tags\":{"
                                          "\"x\":\"y\"," OWN_TAGS "}}"),
                     0);
    assert_true(key_vault_holds_key(&secret, key));
    assert_false(key_vault_holds_key(&secret, other));
    assert_true(key_vault_is_marked(&secret, &content));
    content.content_type = "t";
    assert_false(key_vault_is_marked(&secret, &content));
    content.content_type = NULL;
    content.cycle++;
    assert_false(key_vault_is_marked(&secret, &content));
    content.cycle--;
    content.slot = SLOT_PRIMARY;
    assert_false(key_vault_is_marked(&secret, &content));
    key_vault_secret_done(&secret);
    secret_free(key);
    secret_free(other);
}

/* --- errors --- */

#define ERROR(code, message, inner)                                                                \
    "{\"error\":{\"code\":\"" code "\",\"message\":\"" message                                     \
    "\",\"innererror\":{\"code\":"                                                                 \
    "\"" inner "\"}}}"

static struct key_vault_subject subject_of(enum key_vault_operation operation)
{
    return (struct key_vault_subject){
        .operation = operation,
        .vault = VAULT,
        .vault_name = "contoso",
        .name = "acct-key",
        .principal = "identity \"ops\" (2222)",
        .assignee = "2222",
        .tenant = "1111",
    };
}

static const struct {
    int status;
    const char *headers, *body;
    enum reason reason;
    const char *code, *text, *remedy;
    bool unknown; /* of a set */
} errors[] = {
    {403, NULL,
     ERROR("Forbidden", "Caller: appid=1;oid=33333333-3333-3333-3333-333333333333;x",
           "ForbiddenByRbac"),
     REASON_TARGET_DENIED, "ForbiddenByRbac",
     "Key Vault contoso answered setting the secret with 403 ForbiddenByRbac: Caller:",
     "assign identity \"ops\" (2222) the role \"Key Vault Secrets Officer\": `az role assignment "
     "create --assignee 33333333-3333-3333-3333-333333333333 --role \"Key Vault Secrets Officer\" "
     "--scope \"$(az keyvault show --name contoso --query id --output tsv)\"`; it takes some "
     "minutes to work",
     false},
    {403, NULL, ERROR("Forbidden", "oid=short", "ForbiddenByRbac"), REASON_TARGET_DENIED,
     "ForbiddenByRbac", "403", "--assignee 2222 --role", false},
    {403, NULL, ERROR("Forbidden", "x", "AccessDenied"), REASON_TARGET_DENIED, "AccessDenied",
     "403 AccessDenied", "set-policy --name contoso --spn 2222 --secret-permissions get set",
     false},
    {403, NULL, "{\"error\":{\"code\":\"Forbidden\",\"message\":\"x\"}}", REASON_TARGET_DENIED,
     "Forbidden", "403 Forbidden: x", "Key Vault Secrets Officer", false},
    {401, NULL, ERROR("Unauthorized", "AKV10032", ""), REASON_TARGET_DENIED, "Unauthorized",
     "401 Unauthorized: AKV10032",
     "use an identity of the vault's tenant 1111 instead of identity \"ops\" (2222)", false},
    {404, NULL, ERROR("SecretNotFound", "x", ""), REASON_TARGET_FAILED, "SecretNotFound", "404",
     "creates the secret", false},
    {404, NULL, ERROR("VaultNotFound", "x", ""), REASON_TARGET_FAILED, "VaultNotFound", "404",
     "az keyvault list", false},
    {409, NULL, ERROR("Conflict", "x", "Other"), REASON_TARGET_FAILED, "Other", "409 Other",
     "somebody else is changing", false},
    {429, "Retry-After: 3\n", ERROR("Throttled", "x", ""), REASON_THROTTLED, "Throttled", "429",
     "at the pace that it permits", false},
    {429, "Retry-After: 3\n", "", REASON_THROTTLED, "", "429, without an error message", "proxy",
     false},
    {500, NULL, ERROR("InternalError", "x", ""), REASON_TARGET_FAILED, "InternalError", "500",
     "Azure's status page", true},
    {408, NULL, "", REASON_TARGET_FAILED, "", "408", "proxy", true},
    {202, NULL, "{}", REASON_TARGET_FAILED, "", "202", "proxy", true},
    {307, "Location: https://evil.example/?sig=1\n", ERROR("ForbiddenByRbac", "x", ""),
     REASON_TARGET_FAILED, "",
     "redirects the request to https://evil.example/, which is not followed", "proxy", true},
    {403, NULL, "<html><title>Blocked</title></html>", REASON_TARGET_FAILED, "", "Blocked", "proxy",
     false},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        const struct key_vault_subject setting = subject_of(KEY_VAULT_SET);
        const struct key_vault_subject getting = subject_of(KEY_VAULT_GET);
        struct failure failure;
        struct http_reply reply;

        canned_answer(&reply, errors[i].status, errors[i].headers, errors[i].body);
        assert_false(key_vault_reply_check(&reply, &getting, NOW, &failure));
        assert_false(failure.outcome_unknown);
        assert_false(key_vault_reply_check(&reply, &setting, NOW, &failure));
        assert_int_equal(failure.outcome_unknown, errors[i].unknown);
        assert_int_equal(failure.reason, errors[i].reason);
        assert_int_equal(failure.http_status, errors[i].status);
        assert_string_equal(failure.error_code, errors[i].code);
        if (!strstr(failure.text, errors[i].text))
            fail_msg("\"%s\" without \"%s\"", failure.text, errors[i].text);
        if (!strstr(failure.remedy, errors[i].remedy))
            fail_msg("\"%s\" without \"%s\"", failure.remedy, errors[i].remedy);
        assert_int_equal(failure.retry_after,
                         errors[i].headers && errors[i].status == 429 ? 3000 : 0);
        http_reply_done(&reply);
    }
}

static void test_silence(void **state)
{
    const struct key_vault_subject setting = subject_of(KEY_VAULT_SET);
    const struct key_vault_subject updating = subject_of(KEY_VAULT_UPDATE);
    struct failure failure;
    struct http_reply reply;

    (void)state;
    canned_silence(&reply, HTTP_LOST, "cut");
    assert_false(key_vault_reply_check(&reply, &setting, NOW, &failure));
    assert_true(failure.outcome_unknown);
    assert_int_equal(failure.reason, REASON_TARGET_FAILED);
    assert_false(key_vault_reply_check(&reply, &updating, NOW, &failure));
    assert_false(failure.outcome_unknown);
    http_reply_done(&reply);
    canned_silence(&reply, HTTP_UNSENT, "no such name");
    assert_false(key_vault_reply_check(&reply, &setting, NOW, &failure));
    assert_false(failure.outcome_unknown);
    assert_non_null(strstr(failure.text, "Key Vault contoso cannot be reached: no such name"));
    assert_non_null(strstr(failure.remedy, "az keyvault show --name contoso"));
    reply.error.code = -EPROTOTYPE;
    assert_false(key_vault_reply_check(&reply, &setting, NOW, &failure));
    assert_non_null(strstr(failure.remedy, "take the port out of `vault`"));
    http_reply_done(&reply);
}

static void test_what_steps_tell_apart(void **state)
{
    const struct key_vault_subject setting = subject_of(KEY_VAULT_SET);
    struct failure failure;
    struct http_reply reply;

    (void)state;
    canned_answer(&reply, 409, NULL, ERROR("Conflict", "x", "ObjectIsDeletedButRecoverable"));
    assert_false(key_vault_reply_check(&reply, &setting, NOW, &failure));
    assert_true(key_vault_is_deleted(&failure));
    assert_false(key_vault_is_missing(&failure));
    http_reply_done(&reply);
    canned_answer(&reply, 404, NULL, ERROR("SecretNotFound", "x", ""));
    assert_false(key_vault_reply_check(&reply, &setting, NOW, &failure));
    assert_true(key_vault_is_missing(&failure));
    http_reply_done(&reply);
    canned_answer(&reply, 404, NULL, "<html>");
    assert_false(key_vault_reply_check(&reply, &setting, NOW, &failure));
    assert_false(key_vault_is_missing(&failure)); /* of a proxy: nothing is known */
    http_reply_done(&reply);

    key_vault_fail_deleted(&setting, &failure);
    assert_non_null(strstr(failure.remedy,
                           "az keyvault secret recover --vault-name contoso "
                           "--name acct-key"));
    key_vault_fail_disabled(&setting, &failure);
    assert_int_equal(failure.reason, REASON_TARGET_DENIED);
    assert_non_null(strstr(failure.text, "the secret acct-key is disabled"));
    assert_non_null(strstr(failure.remedy, "--enabled true"));

    canned_answer(&reply, 200, NULL, "<title>Hello</title>");
    key_vault_reply_unreadable(&reply, &setting, "it is no JSON", &failure);
    assert_true(failure.outcome_unknown);
    assert_non_null(strstr(failure.text, "something unusable: it is no JSON; "));
    http_reply_done(&reply);
}

/* A message of the other side may hold what was sent. */
static void test_no_key_in_a_message(void **state)
{
    const struct key_vault_subject setting = subject_of(KEY_VAULT_SET);
    struct failure failure;
    struct http_reply reply;

    (void)state;
    canned_answer(&reply, 400, NULL, ERROR("BadParameter", "value " KEY " is bad", ""));
    assert_false(key_vault_reply_check(&reply, &setting, NOW, &failure));
    assert_null(strstr(failure.text, "AAECAwQF"));
    assert_non_null(strstr(failure.text, "is bad"));
    http_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_challenges_are_read),
        cmocka_unit_test(test_a_resource_that_is_too_long_is_none),
        cmocka_unit_test(test_a_challenge_must_fit_the_vault),
        cmocka_unit_test(test_a_secret_is_read),
        cmocka_unit_test(test_answers_that_are_no_secrets),
        cmocka_unit_test(test_what_is_written),
        cmocka_unit_test(test_a_secret_with_too_many_tags),
        cmocka_unit_test(test_what_matches),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_what_steps_tell_apart),
        cmocka_unit_test(test_no_key_in_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
