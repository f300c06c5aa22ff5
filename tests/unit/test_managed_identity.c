#include "proto/managed_identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"

#define NOW ((time_ms)1795348800000)
#define URL "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"

static const struct managed_identity system_assigned = {
    .endpoint = "http://169.254.169.254", .audience = "https://management.azure.com/"};

static void test_request(void **state)
{
    static const struct {
        struct managed_identity identity;
        const char *url;
    } cases[] = {
        {{.audience = "https://management.azure.com/"},
         URL "&resource=https%3A%2F%2Fmanagement.azure.com%2F"},
        {{.audience = "r", .client_id = "3"}, URL "&resource=r&client_id=3"},
        {{.audience = "r", .object_id = "4"}, URL "&resource=r&object_id=4"},
        {{.audience = "r", .resource_id = "/subscriptions/5"},
         URL "&resource=r&msi_res_id=%2Fsubscriptions%2F5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct managed_identity identity = cases[i].identity;
        struct http_request request;
        struct err err;

        identity.endpoint = "http://169.254.169.254";
        assert_int_equal(managed_identity_request(&request, &identity, &err), 0);
        assert_string_equal(request.method, "GET");
        assert_string_equal(buf_str(&request.url), cases[i].url);
        assert_string_equal(sent_header(&request, "Metadata"), "true");
        assert_true(request.link_local);
        http_request_done(&request);
    }
}

static void test_requests_of_each_source(void **state)
{
    struct secret *proof = secret_new("s3cret", 6);
    const struct {
        struct managed_identity identity;
        const char *url;
        const char *header;
        const char *value;
    } cases[] = {
        {{.source = MANAGED_APP_SERVICE,
          .endpoint = "http://127.0.0.1:41741/MSI/token/",
          .audience = "r",
          .resource_id = "/s",
          .proof = proof},
         "http://127.0.0.1:41741/MSI/token/?api-version=2019-08-01&resource=r&mi_res_id=%2Fs",
         "X-IDENTITY-HEADER",
         "s3cret"},
        {{.source = MANAGED_APP_SERVICE,
          .endpoint = "http://localhost:42356",
          .audience = "r",
          .client_id = "3",
          .proof = proof},
         "http://localhost:42356/msi/token?api-version=2019-08-01&resource=r&client_id=3",
         "X-IDENTITY-HEADER",
         "s3cret"},
        {{.source = MANAGED_ARC, .endpoint = "http://127.0.0.1:40342", .audience = "r"},
         "http://127.0.0.1:40342/metadata/identity/oauth2/token?api-version=2020-06-01&resource=r",
         "Metadata",
         "true"},
        {{.source = MANAGED_ARC,
          .endpoint = "http://localhost:40342/metadata/identity/oauth2/token",
          .audience = "r",
          .object_id = "4",
          .proof = proof},
         "http://localhost:40342/metadata/identity/oauth2/token?api-version=2020-06-01&resource=r"
         "&object_id=4",
         "Authorization",
         "Basic s3cret"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request;
        struct err err;

        assert_int_equal(managed_identity_request(&request, &cases[i].identity, &err), 0);
        assert_string_equal(buf_str(&request.url), cases[i].url);
        assert_string_equal(sent_header(&request, cases[i].header), cases[i].value);
        assert_true(request.link_local);
        http_request_done(&request);
    }
    secret_free(proof);
}

/* MSAL's order, of those sources that are supported. */
static void test_detection(void **state)
{
    static const struct {
        struct managed_surroundings surroundings;
        enum managed_source source;
    } cases[] = {
        {{NULL}, MANAGED_IMDS},
        {{.identity_endpoint = "e"}, MANAGED_IMDS},
        {{.identity_header = "h"}, MANAGED_IMDS},
        {{.identity_endpoint = "e", .identity_header = "h"}, MANAGED_APP_SERVICE},
        {{.identity_endpoint = "e", .identity_header = "h", .has_arc_agent = true},
         MANAGED_APP_SERVICE},
        {{.identity_endpoint = "e", .imds_endpoint = "i"}, MANAGED_ARC},
        {{.has_arc_agent = true}, MANAGED_ARC},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(managed_identity_detect(&cases[i].surroundings), cases[i].source);
}

static void test_challenges(void **state)
{
    static const struct {
        int status;
        const char *headers;
        const char *name; /* NULL: no challenge; "": one that is refused */
        const char *text;
    } cases[] = {
        {200, "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/a.key\n", NULL, NULL},
        {401, "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/9a-B_c.key\n", "9a-B_c.key",
         NULL},
        {401, "WWW-Authenticate: basic realm=\"/var/opt/azcmagent/tokens/a.key\"\n", "a.key", NULL},
        {401, NULL, "", "refused the request, and named no key in /var/opt/azcmagent/tokens/"},
        {401, "WWW-Authenticate: Bearer realm=/var/opt/azcmagent/tokens/a.key\n", "", "no key"},
        {401, "WWW-Authenticate: Basic realm=/etc/shadow\n", "", "content of /etc/shadow, which"},
        {401, "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/../a.key\n", "",
         "/../a.key"},
        {401, "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/b/a.key\n", "", "b/a.key"},
        {401, "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/.key\n", "", "/.key"},
        {401, "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/..key\n", "", "/..key"},
        {401, "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/a.key2\n", "", "a.key2"},
        {401, "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/\n", "", "tokens/, which"},
        {401, "WWW-Authenticate: Basic realm=\n", "", "not a key"},
        {401, "WWW-Authenticate: Basic realm=//var/opt/azcmagent/tokens/a.key\n", "", "//var"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct failure failure = {.reason = REASON_NONE};
        char name[ARC_NAME_MAX];
        struct http_reply reply;

        canned_answer(&reply, cases[i].status, cases[i].headers, "");
        assert_int_equal(managed_identity_challenged(&reply, name, &failure), !!cases[i].name);
        assert_string_equal(name, cases[i].name ? cases[i].name : "");
        if (cases[i].text) {
            assert_non_null(strstr(failure.text, cases[i].text));
            assert_non_null(strstr(failure.remedy, "himds"));
        }
        http_reply_done(&reply);
    }
}

/* The token of another identity has other permissions. */
static void test_answers_for_another_identity(void **state)
{
    static const struct {
        struct managed_identity identity;
        const char *member;
        const char *text; /* NULL: it is accepted */
    } cases[] = {
        {{.source = MANAGED_IMDS, .client_id = "aa"}, "\"client_id\":\"AA\"", NULL},
        {{.source = MANAGED_IMDS, .client_id = "aa"}, "\"x\":1", NULL},
        {{.source = MANAGED_IMDS, .client_id = "aa"},
         "\"client_id\":\"bb\"",
         "it has to be for aa, and is for another identity"},
        {{.source = MANAGED_IMDS, .object_id = "aa"}, "\"client_id\":\"bb\"", NULL},
        {{.source = MANAGED_APP_SERVICE, .client_id = "aa"},
         "\"client_id\":\"bb\"",
         "another identity"},
        {{.source = MANAGED_ARC}, "\"x\":1", NULL},
        {{.source = MANAGED_ARC, .client_id = "aa"}, "\"client_id\":\"aa\"", NULL},
        {{.source = MANAGED_ARC, .client_id = "aa"},
         "\"x\":1",
         "it has to be for aa, and does not say for which identity it is"},
        {{.source = MANAGED_ARC, .object_id = "aa"}, "\"client_id\":\"aa\"", "does not say"},
        {{.source = MANAGED_ARC, .resource_id = "/a"}, "\"msi_res_id\":\"/A\"", NULL},
        {{.source = MANAGED_ARC, .resource_id = "/a"}, "\"mi_res_id\":\"/b\"", "another identity"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct access_token token;
        struct http_reply reply;
        struct failure failure;
        char body[256];
        int rc;

        (void)snprintf(body, sizeof(body), "{\"access_token\":\"abc\",\"expires_in\":\"3600\",%s}",
                       cases[i].member);
        canned_answer(&reply, 200, NULL, body);
        rc = managed_identity_reply(&token, &reply, &cases[i].identity, NOW, &failure);
        assert_int_equal(rc, cases[i].text ? -EIO : 0);
        if (cases[i].text) {
            assert_null(token.token);
            assert_non_null(strstr(failure.text, cases[i].text));
            assert_true(failure.remedy[0] != '\0');
        }
        access_token_done(&token);
        http_reply_done(&reply);
    }
}

static void test_granted(void **state)
{
    struct access_token token;
    struct http_reply reply;
    struct failure failure;

    (void)state;
    canned_answer(&reply, 200, NULL,
                  "{\"access_token\":\"abc\",\"client_id\":\"3\",\"expires_in\":\"86399\","
                  "\"expires_on\":\"1795435199\",\"not_before\":\"1795348500\",\"resource\":"
                  "\"https://management.azure.com/\",\"token_type\":\"Bearer\"}");
    assert_int_equal(managed_identity_reply(&token, &reply, &system_assigned, NOW, &failure), 0);
    assert_int_equal(token.lifetime, 86399000);
    assert_int_equal(token.refresh_after, 86399000 / 2);
    access_token_done(&token);
    http_reply_done(&reply);
}

static void test_refused(void **state)
{
    static const struct managed_identity user_assigned = {
        .endpoint = "http://169.254.169.254", .audience = "r", .client_id = "33333333"};
    static const struct managed_identity in_app = {.source = MANAGED_APP_SERVICE,
                                                   .endpoint = "http://localhost:42356/msi/token",
                                                   .client_id = "33333333"};
    static const struct managed_identity on_arc = {.source = MANAGED_ARC,
                                                   .endpoint = "http://127.0.0.1:40342"};
    static const struct {
        const struct managed_identity *identity;
        int status;
        const char *body;
        enum reason reason;
        const char *code;
        const char *text;
        const char *remedy;
    } cases[] = {
        {&system_assigned, 400,
         "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}",
         REASON_TOKEN_FAILED, "invalid_request", "400 invalid_request: Identity not found",
         "system-assigned managed identity"},
        {&user_assigned, 400,
         "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}",
         REASON_TOKEN_FAILED, "invalid_request", "Identity not found",
         "assign the managed identity 33333333"},
        {&system_assigned, 400,
         "{\"error\":\"invalid_request\",\"error_description\":\"Multiple user assigned identities "
         "exist, please specify the clientId / resourceId of the identity in the token request\"}",
         REASON_TOKEN_FAILED, "invalid_request", "Multiple user assigned identities exist",
         "select one of the identities by client_id"},
        {&system_assigned, 403, "<html>", REASON_TOKEN_FAILED, "", "403", "a firewall"},
        {&in_app, 400,
         "{\"statusCode\":400,\"message\":\"No User Assigned Managed Identity found\"}",
         REASON_TOKEN_FAILED, "", "No User Assigned Managed Identity found",
         "assign the managed identity 33333333 to this app (az webapp identity assign"},
        {&in_app, 401, "", REASON_TOKEN_FAILED, "", "App Service gave no token: 401",
         "the IDENTITY_HEADER that is valid now"},
        {&in_app, 404, "", REASON_TOKEN_FAILED, "", "404", "correct `endpoint`"},
        {&on_arc, 401, "", REASON_TOKEN_FAILED, "", "the Azure Arc agent gave no token: 401",
         "systemctl restart himdsd"},
        {&on_arc, 400, "", REASON_TOKEN_FAILED, "", "400", "azcmagent connect"},
        {&on_arc, 429, "", REASON_THROTTLED, "", "429", ""},
        {&system_assigned, 500, "", REASON_TOKEN_FAILED, "", "500 without an explanation", ""},
        {&system_assigned, 429, "{}", REASON_THROTTLED, "", "429", ""},
        {&system_assigned, 410, "null", REASON_TOKEN_FAILED, "", "410", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct access_token token;
        struct http_reply reply;
        struct failure failure;

        canned_answer(&reply, cases[i].status, NULL, cases[i].body);
        assert_int_equal(managed_identity_reply(&token, &reply, cases[i].identity, NOW, &failure),
                         -EIO);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_string_equal(failure.error_code, cases[i].code);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_non_null(strstr(failure.remedy, cases[i].remedy));
        http_reply_done(&reply);
    }
}

static void test_nobody_answers(void **state)
{
    static const struct {
        struct managed_identity identity;
        const char *text;
        const char *remedy;
    } cases[] = {
        {{.source = MANAGED_IMDS, .endpoint = "http://169.254.169.254"},
         "the instance metadata service",
         "run on an Azure virtual machine"},
        {{.source = MANAGED_APP_SERVICE, .endpoint = "http://localhost:42356"},
         "the identity endpoint of App Service",
         "start the daemon in the app itself"},
        {{.source = MANAGED_ARC, .endpoint = "http://127.0.0.1:40342"},
         "the Azure Arc agent",
         "systemctl start himdsd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct access_token token;
        struct http_reply reply;
        struct failure failure;

        canned_silence(&reply, HTTP_UNSENT, "connection timed out");
        assert_int_equal(managed_identity_reply(&token, &reply, &cases[i].identity, NOW, &failure),
                         -EIO);
        assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_non_null(strstr(failure.remedy, cases[i].remedy));
        http_reply_done(&reply);
    }
}

static void test_retry(void **state)
{
    static const struct {
        enum managed_source source;
        enum http_outcome outcome;
        int status;
        const char *headers;
        unsigned attempts;
        duration_ms elapsed;
        duration_ms expected;
    } cases[] = {
        {MANAGED_IMDS, HTTP_ANSWERED, 404, NULL, 1, 0, 2000},
        {MANAGED_IMDS, HTTP_ANSWERED, 404, NULL, 2, 2000, 4000},
        {MANAGED_IMDS, HTTP_ANSWERED, 500, NULL, 3, 6000, 8000},
        {MANAGED_IMDS, HTTP_ANSWERED, 503, NULL, 4, 14000, 16000},
        {MANAGED_IMDS, HTTP_ANSWERED, 503, NULL, 5, 30000, 0},
        {MANAGED_IMDS, HTTP_ANSWERED, 429, "Retry-After: 7\n", 1, 0, 7000},
        {MANAGED_IMDS, HTTP_ANSWERED, 429, "Retry-After: 1\n", 1, 0, 2000},
        {MANAGED_IMDS, HTTP_ANSWERED, 429, "Retry-After: 3600\n", 1, 0, 0},
        {MANAGED_IMDS, HTTP_ANSWERED, 400, NULL, 1, 0, 0},
        {MANAGED_IMDS, HTTP_ANSWERED, 403, NULL, 1, 0, 0},
        {MANAGED_IMDS, HTTP_ANSWERED, 302, NULL, 1, 0, 0},
        {MANAGED_IMDS, HTTP_ANSWERED, 410, NULL, 1, 0, 10000},
        {MANAGED_IMDS, HTTP_ANSWERED, 410, NULL, 7, 70000, 10000},
        {MANAGED_IMDS, HTTP_ANSWERED, 410, NULL, 8, 80000, 0},
        {MANAGED_IMDS, HTTP_LOST, 0, NULL, 1, 0, 2000},
        {MANAGED_IMDS, HTTP_UNSENT, 0, NULL, 1, 0, 0},
        {MANAGED_IMDS, HTTP_CANCELED, 0, NULL, 1, 0, 0},
        {MANAGED_IMDS, HTTP_ANSWERED, 408, NULL, 1, 0, 2000},
        {MANAGED_APP_SERVICE, HTTP_ANSWERED, 500, NULL, 1, 0, 1000},
        {MANAGED_APP_SERVICE, HTTP_ANSWERED, 429, "Retry-After: 3\n", 2, 0, 3000},
        {MANAGED_APP_SERVICE, HTTP_ANSWERED, 503, NULL, 4, 9000, 0},
        {MANAGED_APP_SERVICE, HTTP_ANSWERED, 404, NULL, 1, 0, 0},
        {MANAGED_APP_SERVICE, HTTP_ANSWERED, 410, NULL, 1, 0, 0},
        {MANAGED_ARC, HTTP_LOST, 0, NULL, 3, 0, 4000},
        {MANAGED_ARC, HTTP_ANSWERED, 401, NULL, 1, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;

        canned_answer(&reply, cases[i].status, cases[i].headers, NULL);
        reply.outcome = cases[i].outcome;
        assert_int_equal(managed_identity_retry_delay(cases[i].source, &reply, cases[i].attempts,
                                                      cases[i].elapsed, NOW),
                         cases[i].expected);
        http_reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_requests_of_each_source),
        cmocka_unit_test(test_detection),
        cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_answers_for_another_identity),
        cmocka_unit_test(test_granted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_retry),
    };

    return cmocka_run_group_tests_name("managed_identity", tests, NULL, NULL);
}
