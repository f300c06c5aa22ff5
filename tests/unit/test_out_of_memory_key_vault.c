/*
 * What is said to Key Vault and heard from it, when memory runs out: see allocation.h.
 */
#include "allocation_hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"
#include "proto/key_vault.h"

#define NOW   ((time_ms)1795348800000)
#define VAULT "https://contoso.vault.azure.net"
#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define SCOPE "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"

static struct secret *make_secret(const char *text)
{
    struct secret *secret;

    allocation_suspend();
    secret = secret_new(text, strlen(text));
    allocation_resume();
    return secret;
}

static void add_request(struct result *result, const struct http_request *request)
{
    result_add(result, "%s %s\n", request->method, buf_str(&request->url));
    for (size_t i = 0; i < request->header_count; i++)
        result_add(result, "%s\n", buf_str(&request->headers[i]));
    result_add(result, "%s\n", buf_str(&request->body));
}

static void build_request(struct result *result, const void *context)
{
    struct secret *token = make_secret("a token");
    struct secret *key = make_secret(KEY);
    const struct key_vault_content content = {.key = key,
                                              .resource_id = SCOPE,
                                              .content_type = "text/plain",
                                              .validity_days = 84,
                                              .expires = NOW};
    struct key_vault_request wanted = {.operation = KEY_VAULT_SET,
                                       .vault = VAULT,
                                       .name = "acct-key",
                                       .token = token,
                                       .client_request_id = "an-id"};
    struct http_request request = {.method = ""};
    struct err err = {.code = 0};
    struct buf body;
    int rc;

    (void)context;
    buf_init(&body, KEY_VAULT_BODY_MAX);
    wanted.body = &body;
    rc = key_vault_set_body(&body, &content, NULL);
    if (rc == 0)
        rc = key_vault_request_build(&request, &wanted, &err);
    if (rc == 0)
        add_request(result, &request);
    else
        result_failed(result, rc, err.code != 0 ? err.text : NULL);
    http_request_done(&request);
    buf_done(&body);
    secret_free(key);
    secret_free(token);
}

struct answer {
    int status;
    const char *body;
};

static void hear(struct result *result, const void *context)
{
    static const struct key_vault_subject subject = {.operation = KEY_VAULT_SET,
                                                     .vault = VAULT,
                                                     .vault_name = "contoso",
                                                     .name = "acct-key",
                                                     .principal = "identity \"ops\"",
                                                     .tenant = ""};
    const struct answer *answer = context;
    struct key_vault_secret secret;
    struct err err = {.code = 0};
    struct failure failure;
    struct http_reply reply;

    allocation_suspend();
    canned_answer(&reply, answer->status, NULL, answer->body);
    allocation_resume();
    if (!key_vault_reply_check(&reply, &subject, NOW, &failure)) {
        result_failed(result, 0, failure.text);
        result_add(result, "%d %d %s %s\n", failure.reason, failure.outcome_unknown,
                   failure.error_code, failure.remedy);
    } else if (key_vault_secret_read(&secret, &reply, &err) != 0) {
        result_failed(result, err.code, err.text);
    } else {
        result_add(result, "%s %s %s\n", secret.value, secret.version, secret.content_type);
        key_vault_secret_done(&secret);
    }
    http_reply_done(&reply);
}

static const struct answer done = {200, "{\"value\":\"" KEY
                                        "\",\"contentType\":\"text/plain\",\"id\":\"" VAULT
                                        "/secrets/acct-key/0a1b\",\"tags\":{\"Cycle\":\"7\"}}"};
static const struct answer refused = {
    403,
    "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Caller: "
    "oid=33333333-3333-3333-3333-333333333333\",\"innererror\":{\"code\":"
    "\"ForbiddenByRbac\"}}}"};
static const struct answer of_a_proxy = {403, "<html>blocked</html>"};

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOCATION_TEST("request", build_request, NULL),
        ALLOCATION_TEST("secret_is_set", hear, &done),
        ALLOCATION_TEST("vault_refuses", hear, &refused),
        ALLOCATION_TEST("vault_is_not_reached", hear, &of_a_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
