/*
 * Messages to webhooks, notifications, and the answers of these and of programs behind sockets,
 * when memory runs out: see allocation.h. A message is whole and signed, or not sent; an answer is
 * understood whole, or there was no memory to.
 */
#include "allocation_hooks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"
#include "proto/news.h"
#include "proto/socket_answer.h"
#include "proto/webhook.h"

#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define SECRET "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define URL    "https://hooks.example.org/keys"

static struct secret *make_secret(const char *text)
{
    struct secret *secret;

    allocation_suspend();
    secret = secret_new(text, strlen(text));
    allocation_resume();
    return secret;
}

/* Returns 0 or a negative errno value, as all of it does. */
static int build(struct http_request *request, const struct secret *key,
                 struct secret *const secrets[])
{
    const struct key_file content = {.account = "acct",
                                     .resource_id = "/subscriptions/1/acct",
                                     .account_endpoint = "acct.example",
                                     .slot = SLOT_PRIMARY,
                                     .key = key,
                                     .cycle = 3,
                                     .delivered_at = 1795348800000};
    const struct fingerprint fingerprint = {.bytes = {1}};
    const struct target_id target = {.bytes = {2}};
    char id[WEBHOOK_ID_MAX];
    int rc = webhook_id(content.resource_id, &target, SLOT_PRIMARY, 3, &fingerprint, id);

    if (rc == 0)
        rc = webhook_body(&content, &fingerprint, true, &request->body);
    if (rc == 0)
        rc = webhook_request(request, URL, secrets, 2, id, 1795348800);
    return rc;
}

/* -EIO: libcrypto has no memory to sign with. */
static void build_message(struct result *result, const void *context)
{
    struct secret *key = make_secret(KEY);
    struct secret *secrets[2] = {make_secret("012345678901234567890123"),
                                 make_secret("987654321098765432109876")};
    struct http_request request;
    int rc;

    (void)context;
    http_request_init(&request, "POST", MS_SECOND);
    rc = build(&request, key, secrets);
    if (rc != 0)
        result_failed(result, rc == -EIO ? -ENOMEM : rc, NULL);
    for (size_t i = 0; i < request.header_count && rc == 0; i++)
        result_add(result, "%s\n", buf_str(&request.headers[i]));
    if (rc == 0)
        result_add(result, "%s\n%s\n", buf_str(&request.url), buf_str(&request.body));
    http_request_done(&request);
    secret_free(secrets[0]);
    secret_free(secrets[1]);
    secret_free(key);
}

static void read_secret(struct result *result, const void *text)
{
    struct secret *whole = make_secret(text);
    const char *problem = NULL;
    struct secret *secret = webhook_secret(whole, &problem);

    if (!secret && !problem)
        result_failed(result, -ENOMEM, NULL);
    else
        result_add(result, "%s\n", problem ? problem : secret_bytes(secret));
    secret_free(secret);
    secret_free(whole);
}

static void add(struct result *result, int rc, const struct failure *failure)
{
    if (rc == -ENOMEM)
        result_failed(result, rc, NULL);
    else
        result_add(result, "%d %d %s %s\n", rc, failure->reason, failure->text, failure->remedy);
}

static void read_reply(struct result *result, const void *body)
{
    struct failure failure = {.reason = REASON_NONE};
    struct http_reply reply;

    allocation_suspend();
    canned_answer(&reply, 500, NULL, body);
    allocation_resume();
    add(result, webhook_read(&reply, URL, 1795348800000, &failure), &failure);
    http_reply_done(&reply);
}

static void read_answer(struct result *result, const void *answer)
{
    struct failure failure = {.reason = REASON_NONE};

    add(result, socket_answer_read(answer, strlen(answer), "/run/s", &failure), &failure);
}

/* A notification, and the message that carries it. */
static void build_news(struct result *result, const void *text)
{
    const struct news_form form = {.event = "account.blocked",
                                   .account = "acct",
                                   .resource_group = "rg",
                                   .subscription_id = "1",
                                   .resource_id = "/subscriptions/1/acct",
                                   .state = "blocked",
                                   .text = text,
                                   .remedy = text,
                                   .since = TIME_NEVER,
                                   .next_at = 1795348800000};
    struct buf json, body;
    int rc;

    buf_init(&json, NEWS_MAX);
    buf_init(&body, WEBHOOK_BODY_MAX);
    rc = news_write(&form, &json);
    if (rc == 0)
        rc = news_write_message("account.blocked", 1795348800000, buf_str(&json), &body);
    if (rc != 0)
        result_failed(result, rc, NULL);
    else
        result_add(result, "%s\n", buf_str(&body));
    buf_done(&json);
    buf_done(&body);
}

/* What a hook gets: the form of a key without the key. */
static void build_notice(struct result *result, const void *context)
{
    struct secret *key = make_secret(KEY);
    const struct key_file content = {.account = "acct",
                                     .resource_id = "/subscriptions/1/acct",
                                     .account_endpoint = "acct.example",
                                     .key = key,
                                     .without_key = true};
    struct buf out;

    (void)context;
    buf_init(&out, KEY_FILE_MAX);
    if (key_file_json(&content, &out) != 0)
        result_failed(result, out.failed, NULL);
    else
        result_add(result, "%s\n", buf_str(&out));
    buf_done(&out);
    secret_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOCATION_TEST("message", build_message, NULL),
        ALLOCATION_TEST("secret", read_secret, SECRET),
        ALLOCATION_TEST("secret_that_is_none", read_secret, "whsec_x"),
        ALLOCATION_TEST("reply", read_reply, "{\"message\":\"it broke\"}"),
        ALLOCATION_TEST("reply_that_is_none", read_reply, "it broke"),
        ALLOCATION_TEST("news", build_news, "got " KEY ", want another"),
        ALLOCATION_TEST("notice", build_notice, NULL),
        ALLOCATION_TEST("answer_failed", read_answer,
                        "{\"result\":\"failed\",\"message\":\"got " KEY "\"}\n"),
        ALLOCATION_TEST("answer_delivered", read_answer, "{\"result\":\"delivered\"}\n"),
        ALLOCATION_TEST("answer_that_is_none", read_answer, "{\"result\":\n"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
