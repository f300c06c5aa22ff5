/*
 * The requests that prove keys, when memory runs out: see allocation.h. A request is complete or
 * not sent.
 */
#include "allocation_hooks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "proto/two_key/batch_probe.h"
#include "proto/two_key/cosmos_probe.h"
#include "proto/two_key/hmac_probe.h"
#include "proto/two_key/redis_probe.h"
#include "proto/two_key/registry_probe.h"
#include "proto/two_key/storage_probe.h"
#include "proto/two_key/web_token_probe.h"

#define NOW ((time_ms)1795348800000)
#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

static struct secret *make_secret(const char *text)
{
    struct secret *secret;

    allocation_suspend();
    secret = secret_new(text, strlen(text));
    allocation_resume();
    return secret;
}

static void add_request(struct result *result, int code, const struct err *err,
                        const struct http_request *request)
{
    if (code != 0) {
        result_failed(result, code, err->text);
        return;
    }
    result_add(result, "%s %s\n", request->method, buf_str(&request->url));
    for (size_t i = 0; i < request->header_count; i++)
        result_add(result, "%s\n", buf_str(&request->headers[i]));
    result_add(result, "%s\n%d\n", buf_str(&request->body), http_request_ok(request));
}

/* -EIO: libcrypto has no memory to sign with. */
static void build_probe(struct result *result, const void *context)
{
    struct secret *key = make_secret(KEY);
    struct http_request request;
    struct err err = {.code = 0};
    const struct two_key_probe probe = {.endpoint = "acct.westeurope.batch.azure.com:443",
                                        .name = "Acct",
                                        .resource_id = "",
                                        .key = key,
                                        .key_id = "0-l9-s0:x",
                                        .client_request_id = "an-id",
                                        .now = NOW};
    const struct two_key_probe_form *form = context;
    int rc = form->build(form, &request, &probe, &err);

    ERR_clear_error();
    add_request(result, rc == -EIO ? -ENOMEM : rc, &err, &request);
    http_request_done(&request);
    secret_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOCATION_TEST("batch_probe", build_probe, &batch_probe),
        ALLOCATION_TEST("storage_probe", build_probe, &storage_probe),
        ALLOCATION_TEST("registry_probe", build_probe, &registry_probe),
        ALLOCATION_TEST("cosmos_probe", build_probe, &cosmos_probe),
        ALLOCATION_TEST("app_configuration_probe", build_probe, &app_configuration_probe),
        ALLOCATION_TEST("signalr_probe", build_probe, &signalr_probe),
        ALLOCATION_TEST("redis_probe", build_probe, &redis_probe),
    };

    return cmocka_run_group_tests_name("out_of_memory_probes", tests, NULL, NULL);
}
