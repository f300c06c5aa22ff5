/*
 * What a cloud says of itself, when memory runs out: see allocation.h.
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
#include "proto/cloud_metadata.h"

#define NOW              ((time_ms)1795348800000)
#define RESOURCE_MANAGER "https://rm.example"

static void ask(struct result *result, const void *context)
{
    struct http_request request;
    struct err err = {.code = 0};
    int rc = cloud_metadata_request(&request, RESOURCE_MANAGER, 0, &err);

    (void)context;
    if (rc == 0)
        result_add(result, "%s\n", buf_str(&request.url));
    else
        result_failed(result, rc, err.text);
    http_request_done(&request);
}

static void hear(struct result *result, const void *body)
{
    struct cloud_metadata metadata;
    struct failure failure;
    struct http_reply reply;

    allocation_suspend();
    canned_answer(&reply, 200, NULL, body);
    allocation_resume();
    if (cloud_metadata_read(&metadata, &reply, RESOURCE_MANAGER, NOW, &failure) == 0)
        result_add(result, "%s %s %s\n", metadata.login, metadata.audience,
                   metadata.key_vault_audience);
    else
        result_failed(result, 0, failure.text);
    http_reply_done(&reply);
}

static void keep(struct result *result, const void *context)
{
    struct cloud_metadata metadata = {
        .resource_manager = RESOURCE_MANAGER, .login = "https://l.example", .audience = "a"};
    struct err err = {.code = 0};
    struct buf text;
    int rc;

    (void)context;
    buf_init(&text, 4096);
    cloud_metadata_write(&text, &metadata);
    rc = text.failed;
    if (rc == 0)
        rc = cloud_metadata_parse(&metadata, buf_str(&text), text.length, &err);
    if (rc == 0)
        result_add(result, "%s\n", metadata.login);
    else
        result_failed(result, rc, err.text);
    buf_done(&text);
}

#define OTHER "{\"resourceManager\":\"https://other.example\"}"
#define OWN                                                                                        \
    "{\"resourceManager\":\"https://rm.example/\",\"authentication\":{\"loginEndpoint\":"          \
    "\"https://l.example\",\"audiences\":[\"a\"]},\"suffixes\":{\"keyVaultDns\":\"v.example\"}}"

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOCATION_TEST("question", ask, NULL),
        ALLOCATION_TEST("answer", hear, "[" OTHER "," OWN "]"),
        ALLOCATION_TEST("answer_about_others", hear, "[" OTHER "," OTHER "]"),
        ALLOCATION_TEST("answer_without_login", hear, "{\"authentication\":{}}"),
        ALLOCATION_TEST("file", keep, NULL),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
