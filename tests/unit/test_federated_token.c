#include "proto/federated_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"

#define NOW     ((time_ms)1795348800000) /* 2026-11-22T12:00:00Z */
#define SECONDS MS_SECOND

/* A token with those claims, whose text may have any form. */
static struct secret *token_of(const char *claims)
{
    char *encoded = base64_encode(claims, strlen(claims));
    char text[1024];
    struct secret *secret;

    for (char *c = encoded; *c != '\0'; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    encoded[strcspn(encoded, "=")] = '\0';
    (void)snprintf(text, sizeof(text), "eyJhbGciOiJSUzI1NiJ9.%s.c2lnbmF0dXJl", encoded);
    free(encoded);
    secret = secret_new(text, strlen(text));
    return secret;
}

static void read_claims(const char *claims, struct federated_token *token)
{
    struct secret *text = token_of(claims);
    struct err err = {.code = 0};

    assert_int_equal(federated_token_read(token, text, &err), 0);
    secret_free(text);
}

static void test_claims(void **state)
{
    struct federated_token token;

    (void)state;
    read_claims(
        "{\"iss\":\"https://i.example\",\"sub\":\"system:serviceaccount:a:b\",\"aud\":"
        "[\"api://AzureADTokenExchange\",\"other\"],\"exp\":1795352400,\"nbf\":1795348740}",
        &token);
    assert_string_equal(token.issuer, "https://i.example");
    assert_string_equal(token.subject, "system:serviceaccount:a:b");
    assert_string_equal(token.audience, "api://AzureADTokenExchange");
    assert_int_equal(token.expires, NOW + 3600 * SECONDS);
    assert_int_equal(token.valid_from, NOW - 60 * SECONDS);

    read_claims("{\"aud\":\"a?>~\",\"exp\":1795352400.5}", &token);
    assert_string_equal(token.audience, "a?>~"); /* '-' and '_' in base64url */
    assert_string_equal(token.issuer, "");
    assert_int_equal(token.expires, NOW + 3600 * SECONDS + 500);
    assert_int_equal(token.valid_from, 0);

    read_claims("{\"exp\":\"soon\",\"nbf\":-1,\"aud\":[],\"iss\":7}", &token);
    assert_true(token.expires == TIME_NEVER);
    assert_int_equal(token.valid_from, 0);
    read_claims("{\"exp\":1e300}", &token);
    assert_true(token.expires == TIME_NEVER);
}

static void test_no_token(void **state)
{
    static const char *const texts[] = {"",      "abc",       "a.b",    "a.b.",
                                        "a..c",  "a.e30.c.d", "a.!!.c", "a.W10.c" /* [] */,
                                        "a.e3.c" /* "{" */};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct secret *text = secret_new(texts[i], strlen(texts[i]));
        struct federated_token token;
        struct err err = {.code = 0};

        assert_int_equal(federated_token_read(&token, text, &err), -EINVAL);
        assert_non_null(strstr(err.text, "no JSON Web Token"));
        secret_free(text);
    }
}

static void test_times(void **state)
{
    static const struct {
        time_ms expires, valid_from;
        const char *text, *remedy; /* NULL: it may be sent */
    } cases[] = {
        {NOW + 3600 * SECONDS, NOW - 60 * SECONDS, NULL, NULL},
        {TIME_NEVER, 0, NULL, NULL},
        /* Clocks may differ by five minutes. */
        {NOW - 300 * SECONDS, 0, NULL, NULL},
        {NOW + 3600 * SECONDS, NOW + 300 * SECONDS, NULL, NULL},
        {NOW - 301 * SECONDS, 0,
         "the federated token in /t expired 5m 1s ago (2026-11-22T11:54:59Z), and was not sent",
         "let what writes /t renew it"},
        {NOW - 7200 * SECONDS, 0, "expired 2h ago", "date -u"},
        {NOW + 7200 * SECONDS, NOW + 301 * SECONDS,
         "the federated token in /t is valid from 2026-11-22T12:05:01Z only, and was not sent",
         "set this machine's clock"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct federated_token token = {.expires = cases[i].expires,
                                              .valid_from = cases[i].valid_from};
        struct failure failure;
        const bool good = federated_token_check(&token, "/t", NOW, &failure);

        assert_int_equal(good, !cases[i].text);
        if (good)
            continue;
        assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_non_null(strstr(failure.remedy, cases[i].remedy));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_no_token),
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests_name("federated_token", tests, NULL, NULL);
}
