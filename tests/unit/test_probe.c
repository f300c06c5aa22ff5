/* The requests that prove keys, of the types that share their parts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "proto/failure.h"
#include "proto/two_key/shared_key.h"
#include "proto/two_key/two_key.h"

/* 2026-11-28 12:00:00 UTC */
#define NOW 1795867200000LL
#define KEY_1                                                                                      \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define KEY_2                                                                                      \
    "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl9gYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+fw=="

static const char *header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = buf_str(&request->headers[i]);

        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            return line + strlen(name) + 2;
    }
    return NULL;
}

static int build_for(const char *type, const char *id, const char *key, const char *name,
                     struct http_request *request, struct err *err)
{
    const struct two_key_probe_form *form = two_key_resource_named(type)->probe;
    struct secret *secret = secret_new(key, strlen(key));
    const struct two_key_probe probe = {
        .endpoint = "host.example:443",
        .name = name,
        .resource_id = id,
        .key = secret,
        .client_request_id = "id-1",
        .now = NOW,
    };
    int rc = form->build(form, request, &probe, err);

    secret_free(secret);
    return rc;
}

static int build(const char *type, const char *key, const char *name, struct http_request *request,
                 struct err *err)
{
    return build_for(type, "", key, name, request, err);
}

/* Azurite accepted these signatures. */
static void test_storage_signatures(void **state)
{
    static const struct {
        const char *url, *key, *authorization;
    } cases[] = {
        {"https://acct1.example/?comp=list&maxresults=1", KEY_1,
         "SharedKey acct1:vKRCceb7ZIHyDWGwXG3jJDvbdl/Fbvf1oaDZCk1lpfw="},
        {"https://acct1.example/?comp=list&maxresults=1", KEY_2,
         "SharedKey acct1:B1OBIW5Gu+krCwkvtUICpU2j+uaFsPW4XX630/elp2Q="},
        {"http://127.0.0.1/acct1?comp=list", KEY_1,
         "SharedKey acct1:LmWFJbAUchgqB2ZpOlH2GFI3BqEczOAUZXFbb4EwpEg="},
        {"https://acct1.example/cont/a%20b%2F%C3%BC.txt", KEY_2,
         "SharedKey acct1:MKnRngpe5ngRVgb/FcPaOtZSUddogAXp+eNBE2TwTfQ="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct secret *key = secret_new(cases[i].key, strlen(cases[i].key));
        struct http_request request;
        struct err err = {.code = 0};

        http_request_init(&request, "GET", MS_SECOND);
        (void)buf_append_str(&request.url, cases[i].url);
        http_request_header(&request, "x-ms-version", "2021-12-02");
        http_request_header(&request, "x-ms-date", "Sat, 28 Nov 2026 12:00:00 GMT");
        assert_int_equal(shared_key_sign(&request, "acct1", "x-ms-", key, &err), 0);
        assert_string_equal(header(&request, "Authorization"), cases[i].authorization);
        http_request_done(&request);
        secret_free(key);
    }
}

static void test_storage(void **state)
{
    struct http_request request;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(build("storage", KEY_1, "Acct1", &request, &err), 0);
    assert_string_equal(request.method, "GET");
    assert_string_equal(buf_str(&request.url), "https://host.example:443/?comp=list&maxresults=1");
    assert_string_equal(header(&request, "x-ms-date"), "Sat, 28 Nov 2026 12:00:00 GMT");
    assert_non_null(header(&request, "x-ms-version"));
    assert_memory_equal(header(&request, "Authorization"), "SharedKey acct1:", 16);
    http_request_done(&request);
}

static void test_keys_as_they_are(void **state)
{
    static const struct {
        const char *type, *method, *url, *header, *value, *body;
    } cases[] = {
        {"search", "GET", "/servicestats?api-version=2024-07-01", "api-key", "0123abcABC", ""},
        {"cognitive_services", "POST", "/sts/v1.0/issueToken", "Ocp-Apim-Subscription-Key",
         "0123abcABC", ""},
        {"maps", "GET", "/map/copyright/caption?api-version=2024-04-01", "subscription-key",
         "0123abcABC", ""},
        {"bot_channel", "POST", "/v3/directline/tokens/generate", "Authorization",
         "Bearer 0123abcABC", ""},
        {"event_grid_namespace", "POST",
         "/topics/keyrotated-looks-for-nothing:publish?api-version=2024-06-01", "Authorization",
         "SharedAccessKey 0123abcABC", "{}"},
        {"ml_online_endpoint", "GET", "/swagger.json", "Authorization", "Bearer 0123abcABC", ""},
        {"ml_serverless_endpoint", "GET", "/info", "Authorization", "Bearer 0123abcABC", ""},
        {"event_grid_domain", "POST", "/api/events?api-version=2018-01-01", "aeg-sas-key",
         "0123abcABC", "{}"},
        {"container_registry", "GET", "/v2/", "Authorization",
         "Basic YWNjdDE6MDEyM2FiY0FCQw==", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request;
        struct err err = {.code = 0};
        char url[256];

        (void)snprintf(url, sizeof(url), "https://host.example:443%s", cases[i].url);
        assert_int_equal(build(cases[i].type, "0123abcABC", "acct1", &request, &err), 0);
        assert_string_equal(request.method, cases[i].method);
        assert_string_equal(buf_str(&request.url), url);
        assert_string_equal(header(&request, cases[i].header), cases[i].value);
        assert_string_equal(buf_str(&request.body), cases[i].body);
        assert_true(request.repeatable);
        assert_false(request.follows);
        http_request_done(&request);
    }
}

/* The signature was made with Python's hmac module: the key's own characters are the key. */
static void test_shared_access_signature(void **state)
{
    static const char id[] =
        "/subscriptions/0/resourceGroups/rg/providers/Microsoft.ServiceBus/"
        "namespaces/contoso/queues/orders/authorizationRules/send";
    struct http_request request;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(
        build_for("service_bus_queue", id, "0123abcABC", "contoso-orders-send", &request, &err), 0);
    assert_string_equal(buf_str(&request.url),
                        "https://host.example:443/orders?api-version=2021-05");
    assert_string_equal(header(&request, "Authorization"),
                        "SharedAccessSignature "
                        "sr=https%3A%2F%2Fhost.example%3A443%2Forders&sig=ap%"
                        "2FoLfVY4EDqbtedxubipRHEWlnMIpWS7yo7ztRMdpc%3D&se=1795867500&skn=send");
    http_request_done(&request);
}

/* --- Redis --- */

static void test_redis(void **state)
{
    static const struct {
        const char *endpoint;
        unsigned port;
        const char *url;
    } cases[] = {
        {"c.redis.example", 0, "https://c.redis.example:6380/"},
        {"c.redis.example", 15001, "https://c.redis.example:15001/"},
        {"c.redis.example:1234", 15001, "https://c.redis.example:1234/"},
    };
    const struct two_key_probe_form *form = two_key_resource_named("redis")->probe;
    struct secret *key = secret_new("p4ss$word", 9);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct two_key_probe probe = {.endpoint = cases[i].endpoint,
                                            .port = cases[i].port,
                                            .name = "c",
                                            .resource_id = "",
                                            .key = key,
                                            .client_request_id = "id-1",
                                            .now = NOW};
        struct http_request request;
        struct err err = {.code = 0};

        assert_int_equal(form->build(form, &request, &probe, &err), 0);
        assert_true(request.bare);
        assert_string_equal(buf_str(&request.url), cases[i].url);
        assert_string_equal(buf_str(&request.body),
                            "*2\r\n$4\r\nAUTH\r\n$9\r\np4ss$word\r\n"
                            "*1\r\n$4\r\nQUIT\r\n");
        http_request_done(&request);
    }
    secret_free(key);
}

static void test_lines_of_redis(void **state)
{
    static const struct {
        const char *line;
        enum reason reason;
        const char *code;
    } cases[] = {
        {"+OK", REASON_NONE, ""},
        {"-WRONGPASS invalid username-password pair", REASON_KEY_REFUSED, "WRONGPASS"},
        {"-ERR invalid password", REASON_KEY_REFUSED, "ERR"},
        {"-ERR max number of clients reached", REASON_AZURE_ERROR, "ERR"},
        {"-LOADING Redis is loading the dataset in memory", REASON_AZURE_ERROR, "LOADING"},
        {"HTTP/1.1 400 Bad Request", REASON_AZURE_ERROR, ""},
        {"+PONG", REASON_AZURE_ERROR, ""},
        {"", REASON_AZURE_ERROR, ""},
    };
    const struct two_key_probe_form *form = two_key_resource_named("redis")->probe;

    (void)state;
    assert_false(form->refusal_is_certain);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct failure failure = {.reason = REASON_NONE};
        struct http_reply reply;

        http_reply_init(&reply, 1024);
        reply.outcome = HTTP_ANSWERED;
        (void)buf_append_str(&reply.body, cases[i].line);
        assert_int_equal(form->read(form, &reply, NOW, &failure), cases[i].reason == REASON_NONE);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_string_equal(failure.error_code, cases[i].code);
        assert_true(cases[i].reason == REASON_NONE || failure.text[0] != '\0');
        http_reply_done(&reply);
    }
}

/* Signed for a header of Relay's own; the signature was made with Python's hmac module. */
static void test_relay(void **state)
{
    static const char id[] =
        "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Relay/"
        "namespaces/contoso/authorizationRules/root";
    struct http_request request;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(build_for("relay", id, "0123abcABC", "contoso-root", &request, &err), 0);
    assert_string_equal(buf_str(&request.url),
                        "https://host.example:443/keyrotated-looks-for-nothing");
    assert_null(header(&request, "Authorization"));
    assert_string_equal(header(&request, "ServiceBusAuthorization"),
                        "SharedAccessSignature "
                        "sr=https%3A%2F%2Fhost.example%3A443%2Fkeyrotated-looks-for-nothing&sig="
                        "3TVEteDCm4KKsn7i7PbDUUEYJZ82MOxQMK2uXcNfDT4%3D&se=1795867500&skn=root");
    http_request_done(&request);
}

static void test_what_cannot_be_a_key(void **state)
{
    static const char *const types[] = {"storage", "search", "container_registry"};
    static const char *const keys[] = {"no base64", "with\nnewline", NULL};

    (void)state;
    for (size_t i = 0; keys[i]; i++) {
        struct http_request request;
        struct err err = {.code = 0};

        assert_true(build(types[i], keys[i], "acct1", &request, &err) < 0);
        assert_null(strstr(err.text, keys[i]));
        http_request_done(&request);
    }
}

static void test_verdicts(void **state)
{
    static const struct {
        const char *type;
        int status;
        const char *code; /* in x-ms-error-code */
        enum reason reason;
    } cases[] = {
        {"storage", 200, NULL, REASON_NONE},
        {"storage", 404, "BlobNotFound", REASON_NONE},
        {"storage", 403, "AuthenticationFailed", REASON_KEY_REFUSED},
        {"storage", 403, "AuthorizationFailure", REASON_KEY_REFUSED}, /* or the other key says no */
        {"storage", 403, "KeyBasedAuthenticationNotPermitted", REASON_SHARED_KEY_DISABLED},
        {"storage", 403, "SomethingElse", REASON_AZURE_ERROR},
        {"storage", 403, NULL, REASON_AZURE_ERROR},
        {"storage", 500, NULL, REASON_AZURE_ERROR},
        {"storage", 429, NULL, REASON_THROTTLED},
        {"search", 403, NULL, REASON_KEY_REFUSED},
        {"search", 401, NULL, REASON_AZURE_ERROR},
        {"event_grid_domain", 400, NULL, REASON_NONE},
        {"event_grid_domain", 401, NULL, REASON_KEY_REFUSED},
        {"cognitive_services", 404, NULL, REASON_AZURE_ERROR},
        {"cognitive_services", 403, "AuthenticationTypeDisabled", REASON_SHARED_KEY_DISABLED},
        {"container_registry", 401, NULL, REASON_KEY_REFUSED},
        {"maps", 200, NULL, REASON_NONE},
        {"maps", 401, NULL, REASON_KEY_REFUSED},
        {"relay", 404, NULL, REASON_NONE},
        {"relay", 502, NULL, REASON_AZURE_ERROR},
        {"notification_hubs", 404, NULL, REASON_NONE},
        {"bot_channel", 200, NULL, REASON_NONE},
        {"bot_channel", 403, "BadArgument", REASON_KEY_REFUSED},
        {"bot_channel", 404, NULL, REASON_AZURE_ERROR},
        {"event_grid_namespace", 404, NULL, REASON_NONE},
        {"event_grid_namespace", 401, NULL, REASON_KEY_REFUSED},
        {"ml_online_endpoint", 200, NULL, REASON_NONE},
        {"ml_online_endpoint", 503, NULL, REASON_AZURE_ERROR},
        {"maps", 403, NULL, REASON_AZURE_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct two_key_probe_form *form = two_key_resource_named(cases[i].type)->probe;
        struct failure failure = {.reason = REASON_NONE};
        struct http_reply reply;

        http_reply_init(&reply, 1024);
        reply.outcome = HTTP_ANSWERED;
        reply.status = cases[i].status;
        if (cases[i].code)
            (void)buf_append_format(&reply.headers, "x-ms-error-code: %s\n", cases[i].code);
        assert_int_equal(form->read(form, &reply, NOW, &failure), cases[i].reason == REASON_NONE);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_true(cases[i].reason == REASON_NONE || failure.text[0] != '\0');
        http_reply_done(&reply);
    }
}

/* The body of a 401 tells a wrong key from a rule that lacks a right. */
static void test_sub_codes(void **state)
{
    static const struct {
        const char *body;
        enum reason reason;
    } cases[] = {
        {"<Error><Code>401</Code><Detail>SubCode=40103: Invalid authorization token signature"
         "</Detail></Error>",
         REASON_KEY_REFUSED},
        {"<Error><Code>401</Code><Detail>SubCode=40100: Unauthorized</Detail></Error>",
         REASON_NONE},
        {"<html>a proxy asks who you are</html>", REASON_AZURE_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct two_key_probe_form *form = two_key_resource_named("service_bus")->probe;
        struct failure failure = {.reason = REASON_NONE};
        struct http_reply reply;

        http_reply_init(&reply, 1024);
        reply.outcome = HTTP_ANSWERED;
        reply.status = 401;
        (void)buf_append_str(&reply.body, cases[i].body);
        assert_int_equal(form->read(form, &reply, NOW, &failure), cases[i].reason == REASON_NONE);
        assert_int_equal(failure.reason, cases[i].reason);
        http_reply_done(&reply);
    }
}

/* A clock that is wrong explains a refusal. */
static void test_clock(void **state)
{
    const struct two_key_probe_form *form = two_key_resource_named("storage")->probe;
    struct failure failure = {.reason = REASON_NONE};
    struct http_reply reply;
    char date[DATE_TEXT_MAX];

    (void)state;
    http_reply_init(&reply, 1024);
    reply.outcome = HTTP_ANSWERED;
    reply.status = 403;
    (void)buf_append_format(&reply.headers, "x-ms-error-code: AuthenticationFailed\nDate: %s\n",
                            date_to_http(NOW + 20 * MS_MINUTE, date));
    assert_false(form->read(form, &reply, NOW, &failure));
    assert_int_equal(failure.reason, REASON_CLOCK_SKEW);
    http_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_signatures),
        cmocka_unit_test(test_storage),
        cmocka_unit_test(test_keys_as_they_are),
        cmocka_unit_test(test_shared_access_signature),
        cmocka_unit_test(test_relay),
        cmocka_unit_test(test_redis),
        cmocka_unit_test(test_lines_of_redis),
        cmocka_unit_test(test_what_cannot_be_a_key),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_sub_codes),
        cmocka_unit_test(test_clock),
    };

    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
