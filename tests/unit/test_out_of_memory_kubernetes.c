/*
 * Kubernetes when memory runs out: see allocation.h. A request is complete or not sent; an answer
 * and a kubeconfig are understood completely, or the lack of memory is reported.
 */
#include "allocation_hooks.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"
#include "conf/kubeconfig.h"
#include "proto/kubernetes.h"

#define NOW INT64_C(1795348800000)

static const char *const secret_parts[][2] = {
    {"key", "secret"}, {"b", "c"}, {"c", "d"}, {"d", "e"}, {"f", "g"}};

/* False where memory is out. */
static bool fill(struct kubernetes_pairs *pairs)
{
    for (size_t i = 0; i < sizeof(secret_parts) / sizeof(secret_parts[0]); i++) {
        struct buf *value = kubernetes_add(pairs, secret_parts[i][0], KUBERNETES_DATA_MAX);

        if (!value || buf_append_str(value, secret_parts[i][1]) != 0)
            return false;
    }
    return true;
}

static void make_secret(struct kubernetes_secret *secret)
{
    allocation_suspend();
    *secret = (struct kubernetes_secret){
        .space = str_dup("batch"), .name = str_dup("acct"), .manager = str_dup("keyrotated")};
    (void)(fill(&secret->data) && fill(&secret->labels) && fill(&secret->annotations));
    allocation_resume();
}

static void drop_secret(struct kubernetes_secret *secret)
{
    allocation_suspend();
    kubernetes_secret_done(secret);
    allocation_resume();
}

static void add_pairs(struct result *result, const void *context)
{
    struct kubernetes_secret secret = {.space = NULL};

    (void)context;
    if (fill(&secret.data))
        result_add(result, "%zu pairs\n", secret.data.count);
    else
        result_failed(result, -ENOMEM, NULL);
    kubernetes_secret_done(&secret);
}

static void add_request(struct result *result, int rc, const struct err *err,
                        struct http_request *request)
{
    if (rc != 0)
        result_failed(result, rc, err->text);
    else
        result_add(result, "%s %s %s %s\n", request->method, buf_str(&request->url),
                   sent_header(request, "Authorization"), buf_str(&request->body));
    http_request_done(request);
}

static void build_requests(struct result *result, const void *context)
{
    struct kubernetes_secret secret;
    struct kubernetes_access access = {.url = "https://k"};
    struct http_request request;
    struct secret *token;
    struct err err = {.code = 0};

    (void)context;
    make_secret(&secret);
    allocation_suspend();
    token = secret_new("a token", 7);
    allocation_resume();
    access.token = token;
    add_request(result, kubernetes_get_build(&request, &access, &secret, &err), &err, &request);
    add_request(result, kubernetes_apply_build(&request, &access, &secret, true, &err), &err,
                &request);
    add_request(result, kubernetes_apply_build(&request, &access, &secret, false, &err), &err,
                &request);
    secret_free(token);
    drop_secret(&secret);
}

struct answer {
    int status;
    const char *body;
};

static void add_failure(struct result *result, const struct failure *failure)
{
    if (strstr(failure->text, "memory"))
        result_failed(result, 0, failure->text);
    else
        result_add(result, "%s; %s; %s\n", failure->text, failure->remedy, failure->error_code);
}

static void read_answer(struct result *result, const void *context)
{
    const struct answer *answer = context;
    struct kubernetes_secret secret;
    struct kubernetes_subject subject = {.url = "https://k",
                                         .secret = &secret,
                                         .credential_remedy = "renew it",
                                         .server_remedy = "correct it"};
    struct kubernetes_sight sight;
    struct http_reply reply;
    struct failure failure;

    make_secret(&secret);
    allocation_suspend();
    canned_answer(&reply, answer->status, NULL, answer->body);
    allocation_resume();
    if (kubernetes_get_read(&sight, &reply, &subject, NOW, &failure) == KUBERNETES_DONE)
        result_add(result, "%d %d %d %" PRIu64 " %s\n", sight.exists, sight.holds_data,
                   sight.holds_all, sight.cycle, buf_str(&sight.values));
    else
        add_failure(result, &failure);
    kubernetes_sight_done(&sight);
    subject.applies = true;
    if (kubernetes_apply_read(&reply, &subject, NOW, &failure) == KUBERNETES_DONE)
        result_add(result, "applied\n");
    else
        add_failure(result, &failure);
    http_reply_done(&reply);
    drop_secret(&secret);
}

static const struct answer holds = {
    200,
    "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"acct\",\"namespace\":\"batch\","
    "\"annotations\":{\"keyrotated/cycle\":\"7\"}},\"data\":{\"key\":\"c2VjcmV0\","
    "\"b\":\"Yw==\"}}"};
static const struct answer absent = {
    404, "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"kind\":\"secrets\"}}"};
static const struct answer conflict = {
    409,
    "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"Apply failed\",\"details\":{"
    "\"causes\":[{\"reason\":\"FieldManagerConflict\",\"field\":\".data.key\"}]}}"};
static const struct answer of_a_proxy = {502, "<html><title>Bad gateway</title></html>"};

static void read_kubeconfig(struct result *result, const void *context)
{
    struct kubeconfig out;
    struct err err = {.code = 0};
    const char *text = context;
    int rc = kubeconfig_read(&out, "/etc/k/config", text, strlen(text), NULL, &err);

    if (rc != 0) {
        result_failed(result, rc, err.text);
    } else {
        result_add_text(result, "server", out.server);
        result_add_text(result, "name", out.server_name);
        result_add_text(result, "user", out.user);
        result_add_text(result, "ca", buf_str(&out.authorities.text));
        result_add_text(result, "certificate", out.certificate.file);
        result_add_text(result, "key", out.private_key.file);
        result_add_text(result, "token file", out.token_file);
        result_add_text(result, "token", out.token ? secret_bytes(out.token) : NULL);
    }
    kubeconfig_done(&out);
}

#define KUBECONFIG(user)                                                                           \
    "current-context: a-context-with-a-name-that-is-long\n"                                        \
    "contexts:\n- name: a-context-with-a-name-that-is-long\n  context: {cluster: c, user: u}\n"    \
    "clusters:\n- name: c\n  cluster: {server: 'https://k', tls-server-name: k.test,\n"            \
    "    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==}\n"                  \
    "users:\n- name: u\n  user: {" user "}\n"

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOCATION_TEST("pairs", add_pairs, NULL),
        ALLOCATION_TEST("requests", build_requests, NULL),
        ALLOCATION_TEST("a secret", read_answer, &holds),
        ALLOCATION_TEST("no secret", read_answer, &absent),
        ALLOCATION_TEST("a conflict", read_answer, &conflict),
        ALLOCATION_TEST("a proxy", read_answer, &of_a_proxy),
        ALLOCATION_TEST("kubeconfig with a token", read_kubeconfig,
                        KUBECONFIG("token: abcdefghijklmnopqrstuvwxyz0123456789")),
        ALLOCATION_TEST("kubeconfig with files", read_kubeconfig,
                        KUBECONFIG("tokenFile: t, client-certificate: c.pem, client-key: /k")),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
