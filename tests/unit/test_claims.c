#include "proto/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "canned_reply.h"

/* {"access_token":{"nbf":{"essential":true,"value":"1"}}} */
#define NBF    "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1\"}}}"
#define NBF_64 "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ"

static char *read_challenge(int status, const char *headers)
{
    struct http_reply reply;
    char *claims;

    canned_answer(&reply, status, headers, "");
    claims = claims_of_challenge(&reply);
    http_reply_done(&reply);
    return claims;
}

static void test_challenges(void **state)
{
    static const char *const headers[] = {
        "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"" NBF_64 "==\"\n",
        "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"" NBF_64 "\"\n",
        "www-authenticate: bearer realm=\"\", authorization_uri=\"https://x/y?a=b\", "
        "error_description=\"a, claims=no\", error=insufficient_claims, claims=" NBF_64 "\n",
        "WWW-Authenticate: Negotiate\n"
        "X: y\n"
        "WWW-Authenticate: Bearer claims=\"" NBF_64 "\",error=\"Insufficient_Claims\"\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        char *claims = read_challenge(401, headers[i]);

        assert_non_null(claims);
        assert_string_equal(claims, NBF);
        free(claims);
    }
}

static void test_no_challenge(void **state)
{
    static const char *const headers[] = {
        "",
        "WWW-Authenticate: Bearer claims=\"" NBF_64 "\"\n",
        "WWW-Authenticate: Bearer error=\"invalid_token\", claims=\"" NBF_64 "\"\n",
        "WWW-Authenticate: Bearer error=\"insufficient_claims\"\n",
        "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"\"\n",
        "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"%%%\"\n",
        "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"bm90IEpTT04\"\n", /* not
                                                                                               JSON
                                                                                             */
        "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"W10\"\n",         /* [] */
        /* {"access_token":1} */
        "WWW-Authenticate: Bearer error=\"insufficient_claims\", "
        "claims=\"eyJhY2Nlc3NfdG9rZW4iOjF9\"\n",
        "X-Authenticate: Bearer error=\"insufficient_claims\", claims=\"" NBF_64 "\"\n",
    };
    static const char good[] =
        "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"" NBF_64 "\"\n";
    char *claims;

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        claims = read_challenge(401, headers[i]);
        if (claims)
            fail_msg("%s", headers[i]);
        free(claims);
    }
    assert_null(read_challenge(403, good));
    assert_null(read_challenge(200, good));
}

static void test_too_long(void **state)
{
    char headers[3 * CLAIMS_MAX];
    size_t length;

    (void)state;
    (void)snprintf(headers, sizeof(headers),
                   "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"");
    length = strlen(headers);
    memset(headers + length, 'e', 2 * CLAIMS_MAX);
    (void)snprintf(headers + length + 2 * CLAIMS_MAX, 8, "\"\n");
    assert_null(read_challenge(401, headers));
}

static void assert_appended(const char *challenge, const char *expected)
{
    struct buf out, encoded;

    buf_init(&out, 4096);
    buf_init(&encoded, 4096);
    percent_encode(&encoded, expected, strlen(expected));
    assert_int_equal(claims_append(&out, challenge), 0);
    assert_string_equal(buf_str(&out), buf_str(&encoded));
    buf_done(&out);
    buf_done(&encoded);
}

static void test_merged(void **state)
{
    (void)state;
    assert_appended(NULL, "{\"access_token\":{\"xms_cc\":{\"values\":[\"CP1\"]}}}");
    assert_appended(NBF,
                    "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1\"},"
                    "\"xms_cc\":{\"values\":[\"CP1\"]}}}");
    assert_appended(
        "{\"id_token\":{\"a\":null}}",
        "{\"id_token\":{\"a\":null},\"access_token\":{\"xms_cc\":{\"values\":[\"CP1\"]}}}");
    assert_appended("{\"access_token\":{\"xms_cc\":{\"values\":[\"CP2\"]}}}",
                    "{\"access_token\":{\"xms_cc\":{\"values\":[\"CP1\"]}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_no_challenge),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_merged),
    };

    return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
