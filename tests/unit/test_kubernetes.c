/* A Secret of Kubernetes: names, requests, and what is made of answers. */
#include "proto/kubernetes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"

#define NOW INT64_C(1795348800000)

static void fill(struct kubernetes_pairs *pairs, const char *name, const char *value)
{
    struct buf *out = kubernetes_add(pairs, name, KUBERNETES_DATA_MAX);

    assert_non_null(out);
    assert_int_equal(buf_append_str(out, value), 0);
}

static struct kubernetes_secret secret_of_test(void)
{
    struct kubernetes_secret secret = {
        .space = str_dup("batch"), .name = str_dup("acct"), .manager = str_dup("keyrotated")};

    fill(&secret.data, "key", "secret");
    fill(&secret.annotations, KUBERNETES_ANNOTATION_CYCLE, "7");
    return secret;
}

static const struct kubernetes_subject *subject_of_test(const struct kubernetes_secret *secret,
                                                        bool applies, bool changes)
{
    static struct kubernetes_subject subject;

    subject = (struct kubernetes_subject){
        .url = "https://k:6443",
        .secret = secret,
        .applies = applies,
        .changes = changes,
        .credential_remedy = "renew it",
        .server_remedy = "correct it",
    };
    return &subject;
}

/* --- names --- */

struct name_case {
    const char *text;
    bool space, name, data, label;
};

static void test_names(void **state)
{
    char long_name[300];
    static const struct name_case cases[] = {
        {"a", true, true, true, true},         {"a-b", true, true, true, true},
        {"a.b", false, true, true, true},      {"A", false, false, true, true},
        {"a_b", false, false, true, true},     {"-a", false, false, true, false},
        {"a-", false, false, true, false},     {"a..b", false, false, true, true},
        {"a.-b", false, false, true, true},    {"a-.b", false, false, true, true},
        {".x", false, false, true, false},     {".", false, false, false, false},
        {"..", false, false, false, false},    {"..x", false, false, false, false},
        {"", false, false, false, false},      {"a/b", false, false, false, true},
        {"a/", false, false, false, false},    {"/a", false, false, false, false},
        {"A/b", false, false, false, false},   {"a b", false, false, false, false},
        {"a/b/c", false, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct name_case *one = &cases[i];

        if (kubernetes_is_namespace(one->text) != one->space ||
            kubernetes_is_name(one->text) != one->name ||
            kubernetes_is_data_key(one->text) != one->data ||
            kubernetes_is_qualified_name(one->text) != one->label)
            fail_msg("\"%s\"", one->text);
    }
    memset(long_name, 'a', sizeof(long_name));
    long_name[KUBERNETES_NAME_MAX + 1] = '\0';
    assert_false(kubernetes_is_name(long_name) || kubernetes_is_data_key(long_name));
    long_name[KUBERNETES_NAME_MAX] = '\0';
    assert_true(kubernetes_is_name(long_name) && kubernetes_is_data_key(long_name));
    long_name[KUBERNETES_LABEL_MAX + 1] = '\0';
    assert_false(kubernetes_is_namespace(long_name) || kubernetes_is_label_value(long_name));
    long_name[KUBERNETES_LABEL_MAX] = '\0';
    assert_true(kubernetes_is_namespace(long_name) && kubernetes_is_label_value(long_name));
    assert_true(kubernetes_is_label_value(""));
}

/* --- requests --- */

static void test_requests(void **state)
{
    struct kubernetes_secret secret = secret_of_test();
    struct secret *token = secret_new("tok", 3);
    const struct kubernetes_access access = {.url = "https://k:6443/prefix/", .token = token};
    struct http_request request;
    struct err err;

    (void)state;
    fill(&secret.labels, "example.org/app", "x\"y");
    assert_int_equal(kubernetes_get_build(&request, &access, &secret, &err), 0);
    assert_string_equal(request.method, "GET");
    assert_string_equal(buf_str(&request.url),
                        "https://k:6443/prefix/api/v1/namespaces/batch/secrets/acct");
    assert_string_equal(sent_header(&request, "Authorization"), "Bearer tok");
    assert_int_equal(request.body.length, 0);
    assert_true(request.repeatable && !request.follows);
    http_request_done(&request);

    assert_int_equal(kubernetes_apply_build(&request, &access, &secret, false, &err), 0);
    assert_string_equal(request.method, "PATCH");
    assert_string_equal(buf_str(&request.url),
                        "https://k:6443/prefix/api/v1/namespaces/batch/secrets/acct"
                        "?fieldManager=keyrotated&force=false");
    assert_string_equal(sent_header(&request, "Content-Type"), "application/apply-patch+yaml");
    assert_string_equal(buf_str(&request.body),
                        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":"
                        "\"acct\",\"namespace\":\"batch\",\"labels\":{\"example.org/app\":"
                        "\"x\\\"y\"},\"annotations\":{\"keyrotated/cycle\":\"7\"}},\"type\":"
                        "\"Opaque\",\"data\":{\"key\":\"c2VjcmV0\"}}");
    assert_true(request.repeatable && !request.follows);
    http_request_done(&request);

    assert_int_equal(kubernetes_apply_build(&request, &access, &secret, true, &err), 0);
    assert_non_null(strstr(buf_str(&request.url), "&force=false&dryRun=All"));
    assert_non_null(strstr(buf_str(&request.body), "\"data\":{\"key\":\"cHJlZmxpZ2h0\"}"));
    assert_null(strstr(buf_str(&request.body), "c2VjcmV0"));
    http_request_done(&request);
    secret_free(token);
    kubernetes_secret_done(&secret);
}

static void test_a_client_certificate_needs_no_authorization(void **state)
{
    struct kubernetes_secret secret = secret_of_test();
    const struct kubernetes_access access = {.url = "https://k"};
    struct http_request request;
    struct err err;

    (void)state;
    assert_int_equal(kubernetes_get_build(&request, &access, &secret, &err), 0);
    assert_null(sent_header(&request, "Authorization"));
    http_request_done(&request);
    kubernetes_secret_done(&secret);
}

static void test_a_token_that_no_header_takes_is_refused(void **state)
{
    struct kubernetes_secret secret = secret_of_test();
    struct secret *token = secret_new("a\nb", 3);
    const struct kubernetes_access access = {.url = "https://k", .token = token};
    struct http_request request;
    struct err err;

    (void)state;
    assert_int_not_equal(kubernetes_get_build(&request, &access, &secret, &err), 0);
    assert_non_null(strstr(err.text, "its token"));
    http_request_done(&request);
    secret_free(token);
    kubernetes_secret_done(&secret);
}

/* --- what stands there --- */

#define OBJECT(data, annotations, fields)                                                          \
    "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"acct\",\"namespace\":"    \
    "\"batch\",\"annotations\":{" annotations                                                      \
    "},\"managedFields\":[{\"manager\":\"helm\","                                                  \
    "\"operation\":\"Apply\"},{\"manager\":\"keyrotated\",\"operation\":\"Apply\",\"fieldsV1\":{"  \
    "\"f:data\":{\".\":{}," fields                                                                 \
    "},\"f:metadata\":{\"f:annotations\":{\"f:keyrotated/cycle\":"                                 \
    "{}}},\"f:type\":{}}}]},\"data\":{" data "}}"

struct sight_case {
    const char *body;
    const char *values;
    uint64_t cycle;
    bool holds_data, holds_all;
};

static void test_sights(void **state)
{
    static const struct sight_case cases[] = {
        {OBJECT("\"key\":\"c2VjcmV0\"", "\"keyrotated/cycle\":\"7\"", "\"f:key\":{}"), "secret\n",
         7, true, true},
        /* the key of somebody else is neither seen nor in the way */
        {OBJECT("\"key\":\"c2VjcmV0\",\"b\":\"eA==\"", "\"keyrotated/cycle\":\"7\"",
                "\"f:key\":{}"),
         "secret\n", 7, true, true},
        {OBJECT("\"key\":\"b3RoZXI=\"", "\"keyrotated/cycle\":\"7\"", "\"f:key\":{}"), "other\n", 7,
         false, false},
        /* a cycle that an earlier rotation left */
        {OBJECT("\"key\":\"c2VjcmV0\"", "\"keyrotated/cycle\":\"6\"", "\"f:key\":{}"), "secret\n",
         6, true, false},
        {OBJECT("\"key\":\"c2VjcmV0\"", "\"keyrotated/cycle\":\"-1\"", "\"f:key\":{}"), "secret\n",
         0, true, false},
        /* our manager does not own it, or owns what is wanted no longer */
        {OBJECT("\"key\":\"c2VjcmV0\"", "\"keyrotated/cycle\":\"7\"", "\"f:other\":{}"), "secret\n",
         7, true, false},
        {OBJECT("\"key\":\"c2VjcmV0\"", "\"keyrotated/cycle\":\"7\"", "\"f:key\":{},\"f:old\":{}"),
         "secret\n", 7, true, false},
        {OBJECT("\"b\":\"eA==\"", "\"x\":\"y\"", "\"f:key\":{}"), "", 0, false, false},
        /* no base64: shown as it is, and not the key */
        {OBJECT("\"key\":\"***\"", "\"x\":\"y\"", "\"f:key\":{}"), "***\n", 0, false, false},
    };
    struct kubernetes_secret secret = secret_of_test();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kubernetes_sight sight;
        struct http_reply reply;
        struct failure failure;

        canned_answer(&reply, 200, NULL, cases[i].body);
        assert_int_equal(kubernetes_get_read(&sight, &reply, subject_of_test(&secret, false, false),
                                             NOW, &failure),
                         KUBERNETES_DONE);
        assert_true(sight.exists);
        assert_string_equal(buf_str(&sight.values), cases[i].values);
        assert_int_equal(sight.cycle, cases[i].cycle);
        if (sight.holds_data != cases[i].holds_data || sight.holds_all != cases[i].holds_all)
            fail_msg("case %zu: data %d, all %d", i, sight.holds_data, sight.holds_all);
        kubernetes_sight_done(&sight);
        http_reply_done(&reply);
    }
    kubernetes_secret_done(&secret);
}

static void test_an_absent_secret_is_no_failure(void **state)
{
    struct kubernetes_secret secret = secret_of_test();
    struct kubernetes_sight sight;
    struct http_reply reply;
    struct failure failure;

    (void)state;
    canned_answer(
        &reply, 404, NULL,
        "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"kind\":\"secrets\"}}");
    assert_int_equal(
        kubernetes_get_read(&sight, &reply, subject_of_test(&secret, false, false), NOW, &failure),
        KUBERNETES_DONE);
    assert_false(sight.exists || sight.holds_data || sight.holds_all);
    assert_int_equal(sight.values.length, 0);
    kubernetes_sight_done(&sight);
    http_reply_done(&reply);
    kubernetes_secret_done(&secret);
}

/* --- failures --- */

struct failure_case {
    int status;
    const char *headers;
    const char *body;
    enum kubernetes_verdict verdict;
    bool unknown;
    const char *text; /* a part of it */
    const char *remedy;
};

#define SAYS(reason, message, details)                                                             \
    "{\"kind\":\"Status\",\"reason\":\"" reason "\",\"message\":\"" message                        \
    "\",\"details\":{" details "}}"

static const struct failure_case apply_failures[] = {
    {401, NULL, SAYS("Unauthorized", "Unauthorized", ""), KUBERNETES_CREDENTIAL, false,
     "the API server https://k:6443 answered the apply of Secret batch/acct with 401 Unauthorized",
     "renew it"},
    {403, NULL, SAYS("Forbidden", "User \\\"a b\\\" cannot patch resource", ""), KUBERNETES_FAILED,
     false, "cannot patch", "--user=USER`"},
    {403, NULL, "<html><title>Proxy</title></html>", KUBERNETES_FAILED, false, "Proxy",
     "correct it, so that it names a Kubernetes API server"},
    {404, NULL, SAYS("NotFound", "namespaces \\\"batch\\\" not found", "\"kind\":\"namespaces\""),
     KUBERNETES_FAILED, false, "404 NotFound", "kubectl create namespace batch"},
    {409, NULL, SAYS("Conflict", "the object has been modified", ""), KUBERNETES_RACE, false,
     "has been modified", "none needed"},
    {409, NULL,
     SAYS("Conflict", "Apply failed",
          "\"causes\":[{\"reason\":\"FieldManagerConflict\",\"field\":\".data.tls.crt\"},{"
          "\"reason\":\"FieldManagerConflict\",\"field\":\".data.b\"}]"),
     KUBERNETES_FAILED, false, "Apply failed",
     "'[{\"op\":\"remove\",\"path\":\"/data/tls.crt\"},{\"op\":\"remove\",\"path\":\"/data/b\"}]'"},
    {409, NULL,
     SAYS("Conflict", "Apply failed",
          "\"causes\":[{\"reason\":\"FieldManagerConflict\",\"field\":\".data.a';reboot\"}]"),
     KUBERNETES_FAILED, false, "Apply failed", "take that field out"},
    {409, NULL,
     SAYS("Conflict", "Apply failed",
          "\"causes\":[{\"reason\":\"FieldManagerConflict\",\"field\":\".type\"}]"),
     KUBERNETES_FAILED, false, "Apply failed", "kubectl -n batch delete secret acct"},
    {422, NULL, SAYS("Invalid", "metadata.labels: Invalid value", "\"causes\":[]"),
     KUBERNETES_FAILED, false, "Invalid value", "change what the message names"},
    {429, "Retry-After: 7\n", "Too many requests, please try again later.\n", KUBERNETES_FAILED,
     false, "with 429", "none needed"},
    {500, NULL, SAYS("InternalError", "etcd", ""), KUBERNETES_FAILED, true, "500 InternalError",
     "/readyz"},
    {504, NULL, "", KUBERNETES_FAILED, true, "with 504", "/readyz"},
    {302, "Location: https://other/login?x=y\n", "", KUBERNETES_FAILED, false,
     "redirects the request to https://other/login, which is not followed", "correct it"},
    {200, NULL, "{\"kind\":\"Secret\"}", KUBERNETES_FAILED, true, "something else", "correct it"},
    {200, NULL, "{\"kind\":\"Sec", KUBERNETES_FAILED, true, "invalid JSON", "correct it"},
    {200, NULL, NULL, KUBERNETES_FAILED, true, "an empty body", "correct it"},
};

static void test_failures_of_an_apply(void **state)
{
    struct kubernetes_secret secret = secret_of_test();

    (void)state;
    for (size_t i = 0; i < sizeof(apply_failures) / sizeof(apply_failures[0]); i++) {
        const struct failure_case *one = &apply_failures[i];
        struct failure failure;
        struct http_reply reply;

        canned_answer(&reply, one->status, one->headers, one->body);
        if (kubernetes_apply_read(&reply, subject_of_test(&secret, true, true), NOW, &failure) !=
                one->verdict ||
            failure.outcome_unknown != one->unknown || !strstr(failure.text, one->text) ||
            !strstr(failure.remedy, one->remedy))
            fail_msg("case %zu: %s; %s", i, failure.text, failure.remedy);
        assert_int_equal(failure.reason, one->status == 401 || one->status == 403
                                             ? REASON_TARGET_DENIED
                                             : REASON_TARGET_FAILED);
        assert_int_equal(failure.retry_after, one->status == 429 ? 7 * MS_SECOND : 0);
        /* A dry run and a read leave nothing in doubt. */
        (void)kubernetes_apply_read(&reply, subject_of_test(&secret, true, false), NOW, &failure);
        assert_false(failure.outcome_unknown);
        http_reply_done(&reply);
    }
    kubernetes_secret_done(&secret);
}

static void test_silence(void **state)
{
    struct kubernetes_secret secret = secret_of_test();
    struct failure failure;
    struct http_reply reply;

    (void)state;
    canned_silence(&reply, HTTP_LOST, "it closed the connection");
    (void)kubernetes_apply_read(&reply, subject_of_test(&secret, true, true), NOW, &failure);
    assert_true(failure.outcome_unknown);
    assert_int_equal(failure.reason, REASON_TARGET_FAILED);
    assert_non_null(strstr(failure.text, "Secret batch/acct"));
    (void)kubernetes_apply_read(&reply, subject_of_test(&secret, true, false), NOW, &failure);
    assert_false(failure.outcome_unknown);
    http_reply_done(&reply);
    canned_silence(&reply, HTTP_UNSENT, "the certificate of k is not accepted");
    (void)kubernetes_apply_read(&reply, subject_of_test(&secret, true, true), NOW, &failure);
    assert_false(failure.outcome_unknown);
    assert_non_null(
        strstr(failure.remedy, "the certificates that its certificate is checked with"));
    reply.error.code = -EPROTOTYPE;
    (void)kubernetes_apply_read(&reply, subject_of_test(&secret, true, true), NOW, &failure);
    assert_non_null(strstr(failure.remedy, "find the port at which the API server has TLS"));
    http_reply_done(&reply);
    kubernetes_secret_done(&secret);
}

static void test_a_webhook_without_dry_runs_stops_nothing(void **state)
{
    static const char body[] =
        SAYS("BadRequest", "admission webhook \\\"x\\\" does not support dry run", "");
    struct kubernetes_secret secret = secret_of_test();
    struct failure failure;
    struct http_reply reply;

    (void)state;
    canned_answer(&reply, 400, NULL, body);
    assert_int_equal(
        kubernetes_apply_read(&reply, subject_of_test(&secret, true, false), NOW, &failure),
        KUBERNETES_DONE);
    assert_int_equal(
        kubernetes_apply_read(&reply, subject_of_test(&secret, true, true), NOW, &failure),
        KUBERNETES_FAILED);
    http_reply_done(&reply);
    kubernetes_secret_done(&secret);
}

static void test_success(void **state)
{
    static const char *const bodies[] = {
        "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"acct\",\"namespace\":\"batch\"}}",
        "{\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"name\":\"acct\",\"namespace\":"
        "\"batch\"}}",
    };
    struct kubernetes_secret secret = secret_of_test();

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct failure failure;
        struct http_reply reply;

        canned_answer(&reply, i < 2 ? 200 : 201, NULL, bodies[i % 2]);
        assert_int_equal(
            kubernetes_apply_read(&reply, subject_of_test(&secret, true, true), NOW, &failure),
            KUBERNETES_DONE);
        http_reply_done(&reply);
    }
    kubernetes_secret_done(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_a_client_certificate_needs_no_authorization),
        cmocka_unit_test(test_a_token_that_no_header_takes_is_refused),
        cmocka_unit_test(test_sights),
        cmocka_unit_test(test_an_absent_secret_is_no_failure),
        cmocka_unit_test(test_failures_of_an_apply),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_a_webhook_without_dry_runs_stops_nothing),
        cmocka_unit_test(test_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
