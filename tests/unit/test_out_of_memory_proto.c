/*
 * What is said to Azure and heard from it, when memory runs out: see allocation.h. A request is
 * complete or not sent; an answer is understood completely, or the lack of memory is reported.
 */
#include "allocation_hooks.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ACCT "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"
#include <openssl/err.h>

#include "canned_reply.h"
#include "proto/app_settings.h"
#include "proto/arm.h"
#include "proto/two_key/batch_probe.h"
#include "proto/cloud_error.h"
#include "proto/entra.h"
#include "proto/managed_identity.h"
#include "base/json_writer.h"
#include "proto/key_file.h"
#include "proto/key_text.h"
#include "proto/template.h"
#include "proto/two_key/two_key.h"
#include "proto/vault_failure.h"
#include "proto/vault_login.h"

#define NOW ((time_ms)1795348800000)
extern const struct two_key_resource two_key_batch_account;

#define SCOPE "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"

/* base64 of 64 bytes each */
#define KEY_A                                                                                      \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define KEY_B                                                                                      \
    "/wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

static struct secret *make_secret(const char *text)
{
    struct secret *secret;

    allocation_suspend();
    secret = secret_new(text, strlen(text));
    allocation_resume();
    return secret;
}

/* --- requests --- */

/* The request that would be sent, and whether http_request_ok() accepts it. */
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
    result_add(result, "%s\n%d %d\n", buf_str(&request->body), request->repeatable,
               http_request_ok(request));
}

static void build_arm_request(struct result *result, const void *context)
{
    struct arm_request wanted = {
        .method = "POST",
        .resource_manager = "https://management.azure.com",
        .resource_id = SCOPE,
        .operation = "regenerateKeys",
        .api_version = "2024-02-01",
        .body = "{\"keyName\":\"Primary\"}",
        .token = make_secret("a token"),
        .client_request_id = "11111111-1111-1111-1111-111111111111",
        .correlation_id = "22222222-2222-2222-2222-222222222222",
    };
    struct http_request request;
    struct err err = {.code = 0};
    int rc = arm_request_build(&request, &wanted, &err);

    (void)context;
    add_request(result, rc, &err, &request);
    http_request_done(&request);
    secret_free((struct secret *)(uintptr_t)wanted.token);
}

static void build_entra_request(struct result *result, const void *context)
{
    struct secret *secret = make_secret("p&s=w+d");
    struct entra_client client = {.login = "https://login.microsoftonline.com",
                                  .tenant_id = "11111111-1111-1111-1111-111111111111",
                                  .client_id = "22222222-2222-2222-2222-222222222222",
                                  .proof = secret,
                                  .audience = "https://management.azure.com/"};
    struct http_request request;
    struct err err = {.code = 0};
    int rc = entra_token_request(&request, &client, "an-id", &err);

    (void)context;
    add_request(result, rc, &err, &request);
    http_request_done(&request);
    secret_free(secret);
}

static const struct managed_identity machine = {
    .endpoint = "http://169.254.169.254",
    .audience = "https://management.azure.com/",
    .resource_id = "/subscriptions/5/resourceGroups/a group",
};

static void build_imds_request(struct result *result, const void *context)
{
    struct http_request request;
    struct err err = {.code = 0};
    int rc = managed_identity_request(&request, &machine, &err);

    (void)context;
    add_request(result, rc, &err, &request);
    http_request_done(&request);
}

/* --- answers --- */

struct answer {
    int status;
    const char *headers;
    const char *body;
};

static void hear(struct http_reply *reply, const struct answer *answer)
{
    allocation_suspend();
    canned_answer(reply, answer->status, answer->headers, answer->body);
    allocation_resume();
}

static void add_failure(struct result *result, const struct failure *failure)
{
    result_failed(result, 0, failure->text);
    result_add(result, "%d %d %" PRId64 " %d %s %s %s %s\n%s\n", failure->reason,
               failure->outcome_unknown, failure->retry_after, failure->http_status,
               failure->error_code, failure->request_id, failure->correlation_id,
               failure->client_request_id, failure->remedy);
}

#define HEADERS                                                                                    \
    "Date: Sun, 22 Nov 2026 12:00:00 GMT\nRetry-After: 7\nx-ms-request-id: request\n"              \
    "x-ms-correlation-request-id: correlation\nrequest-id: of-batch\n"

static void refused_by_arm(struct result *result, const void *answer)
{
    static const struct arm_subject subject = {
        .operation = "regenerateKeys",
        .action = "Microsoft.Batch/batchAccounts/regeneratekeys/action",
        .role = "Azure Batch Account Contributor",
        .principal = "identity \"ops\" (2222)",
        .changes = true,
    };
    struct failure failure;
    struct http_reply reply;

    hear(&reply, answer);
    if (arm_reply_check(&reply, &subject, NOW, &failure))
        result_add(result, "accepted\n");
    else
        add_failure(result, &failure);
    result_add(result, "%d\n", (int)arm_reply_remaining(&reply, true));
    http_reply_done(&reply);
}

static const struct answer forbidden = {
    403, HEADERS,
    "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client 'c' with object id "
    "'33333333-3333-3333-3333-333333333333' does not have authorization to perform it.\","
    "\"details\":[{\"code\":\"ScopeLocked\",\"message\":\"a lock\"}]}}"};
static const struct answer not_found = {
    404, HEADERS, "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"gone\"}}"};
static const struct answer of_a_proxy = {403, HEADERS, "<html>blocked</html>"};

static void asked_batch(struct result *result, const void *answer)
{
    struct failure failure;
    struct http_reply reply;

    hear(&reply, answer);
    if (batch_probe.read(&batch_probe, &reply, NOW, &failure))
        result_add(result, "accepted\n");
    else
        add_failure(result, &failure);
    http_reply_done(&reply);
}

static const struct answer key_refused = {
    401, HEADERS,
    "{\"odata.metadata\":\"https://x\",\"code\":\"AuthenticationFailed\",\"message\":{\"lang\":"
    "\"en-US\",\"value\":\"Server failed to authenticate the request.\\nRequestId:r\"},\"values\":"
    "[{\"key\":\"AuthenticationErrorDetail\",\"value\":\"The MAC signature is not the same.\"}]}"};

static void read_cloud_error(struct result *result, const void *body)
{
    struct cloud_error error;

    if (!cloud_error_parse(&error, body, strlen(body)))
        result_failed(result, error.out_of_memory ? -ENOMEM : -EBADMSG, NULL);
    for (size_t i = 0; i < error.count; i++)
        result_add(result, "%s %s %s\n", error.items[i].code, error.items[i].target,
                   error.items[i].message);
}

static void add_token(struct result *result, int code, const struct access_token *token,
                      const struct failure *failure)
{
    if (code != 0)
        add_failure(result, failure);
    else
        result_add(result, "%s %" PRId64 " %" PRId64 "\n", secret_bytes(token->token),
                   token->lifetime, token->refresh_after);
}

static void answered_by_entra(struct result *result, const void *answer)
{
    static const struct entra_client client = {.login = "https://login.microsoftonline.com",
                                               .tenant_id = "1111",
                                               .client_id = "2222",
                                               .audience = "https://management.azure.com/"};
    struct access_token token;
    struct failure failure;
    struct http_reply reply;

    hear(&reply, answer);
    add_token(result, entra_token_reply(&token, &reply, &client, NOW, &failure), &token, &failure);
    access_token_done(&token);
    http_reply_done(&reply);
}

static void answered_by_imds(struct result *result, const void *answer)
{
    struct access_token token;
    struct failure failure;
    struct http_reply reply;

    hear(&reply, answer);
    add_token(result, managed_identity_reply(&token, &reply, &machine, NOW, &failure), &token,
              &failure);
    access_token_done(&token);
    http_reply_done(&reply);
}

static const struct answer granted = {
    200, HEADERS,
    "{\"token_type\":\"Bearer\",\"expires_in\":\"86399\",\"refresh_in\":3600,\"access_token\":"
    "\"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9."
    "eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQuYXp1cmUuY29tLyJ9\"}"};
static const struct answer secret_expired = {
    401, HEADERS,
    "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000222: The keys are expired. "
    "Trace ID: t\",\"error_codes\":[7000222],\"trace_id\":\"t\",\"correlation_id\":\"c\"}"};
static const struct answer no_identity = {
    400, HEADERS, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}"};

static void fill_reply(struct result *result, const void *context)
{
    struct http_reply reply;
    char value[64];

    (void)context;
    http_reply_init(&reply, 4096);
    buf_append_str(&reply.headers, HEADERS);
    for (int i = 0; i < 100; i++)
        buf_append_format(&reply.body, "chunk %d", i);
    if (reply.headers.failed != 0 || reply.body.failed != 0) {
        result_failed(result, -ENOMEM, NULL);
    } else {
        result_add(result, "%d ", http_reply_header(&reply, "date", value, sizeof(value)));
        result_add(result, "%s %" PRId64 " %" PRId64 "\n", value, http_reply_date(&reply),
                   http_reply_retry_after(&reply, NOW));
        result_add(result, "%s\n", buf_str(&reply.body));
    }
    http_reply_done(&reply);
}

/* --- resources and keys --- */

static void read_keys(struct result *result, const void *body)
{
    struct secret *keys[SLOT_COUNT];
    struct err err = {.code = 0};
    int rc = two_key_read(&two_key_batch_account, ACCT, body, strlen(body), keys, &err);

    if (rc != 0)
        result_failed(result, rc, err.text);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        result_add_text(result, "key", keys[slot] ? secret_bytes(keys[slot]) : NULL);
        secret_free(keys[slot]);
    }
}

static void read_account(struct result *result, const void *body)
{
    struct resource_obstacle obstacle = {.reason = REASON_NONE};
    struct resource_facts facts;
    struct err err = {.code = 0};
    int rc = two_key_describe(&two_key_batch_account, body, strlen(body), &facts, &obstacle, &err);

    if (rc == -ENOTSUP)
        result_add(result, "%d: %s\n", obstacle.reason, obstacle.what.text);
    else if (rc != 0)
        result_failed(result, rc, err.text);
    result_add_text(result, "endpoint", facts.endpoint);
    result_add_text(result, "location", facts.location);
    resource_facts_done(&facts);
}

#define ACCOUNT(modes)                                                                             \
    "{\"id\":\"" SCOPE                                                                             \
    "\",\"location\":\"westeurope\",\"properties\":{\"accountEndpoint\":"                          \
    "\"acct.westeurope.batch.azure.com\",\"provisioningState\":\"Succeeded\","                     \
    "\"poolAllocationMode\":\"BatchService\",\"allowedAuthenticationModes\":[" modes "]}}"

static void find_keys(struct result *result, const void *text)
{
    struct key_text found;
    int rc = key_text_find(&found, &key_shape_base64, text, strlen(text));

    if (rc != 0)
        result_failed(result, rc, NULL);
    result_add(result, "cycle %" PRIu64 "\n", found.cycle);
    for (size_t i = 0; i < found.key_count; i++)
        result_add(result, "%s\n", secret_bytes(found.keys[i]));
    key_text_done(&found);
}

static void write_key_file(struct result *result, const void *context)
{
    int (*const *write_form)(const struct key_file *, struct buf *) = context;
    struct secret *key = make_secret(KEY_A);
    struct key_file file = {.account = "acct",
                            .resource_id = SCOPE,
                            .account_endpoint = "acct.westeurope.batch.azure.com",
                            .slot = SLOT_SECONDARY,
                            .key = key,
                            .cycle = 17,
                            .delivered_at = NOW};
    struct buf out;

    buf_init(&out, KEY_FILE_MAX);
    if ((*write_form)(&file, &out) != 0)
        result_failed(result, out.failed, NULL);
    else
        result_add(result, "%s", buf_str(&out));
    buf_done(&out);
    secret_free(key);
}

static void write_app_settings(struct result *result, const void *context)
{
    static const char *const lists[] = {
        [APP_SITE] = "{\"properties\":{\"A\":\"1\",\"B\":null}}",
        [APP_CONTAINER] = "{\"value\":[{\"name\":\"a\",\"value\":\"1\",\"x\":[2.5]}]}"};
    enum app_kind kind = *(const enum app_kind *)context;
    struct app_settings settings;
    struct err err = {.code = 0};
    struct buf out;
    int rc = app_settings_read(&settings, kind, lists[kind], strlen(lists[kind]), &err);

    if (rc != 0) {
        result_failed(result, rc, err.text);
        return;
    }
    buf_init(&out, KEY_FILE_MAX);
    rc = app_settings_compose(&settings, "own", "2", &out);
    if (rc != 0)
        result_failed(result, rc, NULL);
    else
        result_add(result, "%s", buf_str(&out));
    buf_done(&out);
    app_settings_done(&settings);
}

static const enum app_kind site = APP_SITE, container = APP_CONTAINER;

static int write_template(const struct key_file *file, struct buf *out)
{
    return template_expand("{{{key}}} {name} {resource_group}", two_key_resource_at(0), file, out);
}

static int (*const raw)(const struct key_file *, struct buf *) = key_file_raw;
static int (*const env)(const struct key_file *, struct buf *) = key_file_env;
static int (*const json)(const struct key_file *, struct buf *) = key_file_json;
static int (*const template)(const struct key_file *, struct buf *) = write_template;

static void write_json(struct result *result, const void *context)
{
    struct buf out;

    (void)context;
    buf_init(&out, 4096);
    json_write_open(&out, NULL, '{');
    json_write_text(&out, "text", "a text of some length, so that the buffer has to grow with it");
    json_write_text(&out, "nothing", NULL);
    json_write_bool(&out, "bool", true);
    json_write_number(&out, "number", 12345678901234567890U);
    json_write_time(&out, "time", NOW);
    json_write_age(&out, "age", NOW - MS_DAY, NOW);
    json_write_open(&out, "list", '[');
    json_write_null(&out, NULL);
    json_write_close(&out, ']');
    json_write_close(&out, '}');
    if (out.failed != 0)
        result_failed(result, out.failed, NULL);
    else
        result_add(result, "%s", buf_str(&out));
    buf_done(&out);
}

/* --- HashiCorp Vault --- */

static const struct vault_object vault_object = {.address = "https://v",
                                                 .name_space = "team",
                                                 .mount = "secret",
                                                 .path = "batch/acct",
                                                 .engine = VAULT_KV2};
static const struct vault_login vault_login = {.address = "https://v",
                                               .kind = VAULT_LOGIN_APPROLE,
                                               .mount = "approle",
                                               .role = "r",
                                               .file = "/f"};

static void build_vault_requests(struct result *result, const void *context)
{
    static const struct err whole = {.text = "out of memory"};
    struct secret *token = make_secret("hvs.x");
    struct http_request request;
    struct buf data;
    int rc;

    (void)context;
    buf_init(&data, 64);
    rc = buf_append_str(&data, "{\"key\":\"v\"}");
    if (rc != 0)
        result_failed(result, rc, whole.text);
    rc = vault_write_request(&request, &vault_object, token, &data, 3);
    if (data.failed == 0)
        add_request(result, rc, &whole, &request);
    http_request_done(&request);
    rc = vault_capabilities_request(&request, &vault_object, token);
    add_request(result, rc, &whole, &request);
    http_request_done(&request);
    rc = vault_mount_request(&request, &vault_object, token);
    add_request(result, rc, &whole, &request);
    http_request_done(&request);
    rc = vault_login_request(&request, &vault_login, token);
    add_request(result, rc, &whole, &request);
    http_request_done(&request);
    buf_done(&data);
    secret_free(token);
}

static void read_vault_object(struct result *result, const void *answer)
{
    struct vault_content content;
    struct http_reply reply;
    struct buf text;
    int rc;

    hear(&reply, answer);
    rc = vault_read_answer(&content, &reply, VAULT_KV2);
    buf_init(&text, 256);
    if (rc == 0)
        rc = vault_content_text(&content, &text);
    if (rc != 0)
        result_failed(result, rc, "out of memory");
    else
        result_add(result, "%d %d %s\n", (int)content.presence, (int)content.version,
                   buf_str(&text));
    buf_done(&text);
    vault_content_done(&content);
    http_reply_done(&reply);
}

static void refused_by_vault(struct result *result, const void *answer)
{
    struct failure failure;
    struct http_reply reply;

    hear(&reply, answer);
    vault_failure_fill(&failure, &reply, &vault_object, VAULT_CALL_READ, NOW);
    add_failure(result, &failure);
    http_reply_done(&reply);
}

static void logged_in_by_vault(struct result *result, const void *answer)
{
    struct secret *token = NULL;
    struct http_reply reply;
    struct failure failure;
    duration_ms lifetime;
    int rc;

    hear(&reply, answer);
    rc = vault_login_answer(&token, &lifetime, &reply, &vault_login, NOW, &failure);
    if (rc == -EIO)
        add_failure(result, &failure);
    else if (rc != 0)
        result_failed(result, rc, "out of memory");
    else
        result_add(result, "%s %d\n", secret_bytes(token), (int)lifetime);
    secret_free(token);
    http_reply_done(&reply);
}

static const struct answer vault_holds = {
    200, HEADERS,
    "{\"data\":{\"data\":{\"key\":\"one\",\"more\":[\"two\"]},\"metadata\":{\"version\":3}}}"};
static const struct answer vault_denies = {403, HEADERS, "{\"errors\":[\"1 error occurred\"]}"};
static const struct answer vault_lets_in = {
    200, HEADERS, "{\"auth\":{\"client_token\":\"hvs.x\",\"lease_duration\":60}}"};

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOCATION_TEST("arm_request", build_arm_request, NULL),
        ALLOCATION_TEST("entra_request", build_entra_request, NULL),
        ALLOCATION_TEST("imds_request", build_imds_request, NULL),
        ALLOCATION_TEST("arm_forbids", refused_by_arm, &forbidden),
        ALLOCATION_TEST("arm_does_not_find", refused_by_arm, &not_found),
        ALLOCATION_TEST("arm_is_not_reached", refused_by_arm, &of_a_proxy),
        ALLOCATION_TEST("batch_refuses_the_key", asked_batch, &key_refused),
        ALLOCATION_TEST("batch_is_not_reached", asked_batch, &of_a_proxy),
        ALLOCATION_TEST("cloud_error", read_cloud_error, forbidden.body),
        ALLOCATION_TEST("cloud_error_of_batch", read_cloud_error, key_refused.body),
        ALLOCATION_TEST("cloud_error_that_is_none", read_cloud_error, "{\"a\":{\"b\":1}}"),
        ALLOCATION_TEST("entra_grants", answered_by_entra, &granted),
        ALLOCATION_TEST("entra_refuses", answered_by_entra, &secret_expired),
        ALLOCATION_TEST("entra_is_not_reached", answered_by_entra, &of_a_proxy),
        ALLOCATION_TEST("imds_grants", answered_by_imds, &granted),
        ALLOCATION_TEST("imds_refuses", answered_by_imds, &no_identity),
        ALLOCATION_TEST("imds_is_not_reached", answered_by_imds, &of_a_proxy),
        ALLOCATION_TEST("http_reply", fill_reply, NULL),
        ALLOCATION_TEST("keys", read_keys,
                        "{\"accountName\":\"acct\",\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B
                        "\"}"),
        ALLOCATION_TEST("keys_one_missing", read_keys, "{\"primary\":\"" KEY_A "\"}"),
        ALLOCATION_TEST("batch_account", read_account, ACCOUNT("\"AAD\",\"SharedKey\"")),
        ALLOCATION_TEST("batch_account_without_keys", read_account, ACCOUNT("\"AAD\"")),
        ALLOCATION_TEST("key_text_raw", find_keys, KEY_A "\n" KEY_B "\n"),
        ALLOCATION_TEST("key_text_json", find_keys,
                        "{\"account\":\"acct\",\"key\":\"" KEY_A "\",\"cycle\":17}"),
        ALLOCATION_TEST("key_text_json_of_others", find_keys, "{\"other\":\"" KEY_A "\", }"),
        ALLOCATION_TEST("key_file_raw", write_key_file, &raw),
        ALLOCATION_TEST("key_file_env", write_key_file, &env),
        ALLOCATION_TEST("key_file_json", write_key_file, &json),
        ALLOCATION_TEST("template", write_key_file, &template),
        ALLOCATION_TEST("app settings", write_app_settings, &site),
        ALLOCATION_TEST("secrets of an app", write_app_settings, &container),
        ALLOCATION_TEST("json_writer", write_json, NULL),
        ALLOCATION_TEST("vault_requests", build_vault_requests, NULL),
        ALLOCATION_TEST("vault_object", read_vault_object, &vault_holds),
        ALLOCATION_TEST("vault_denies", refused_by_vault, &vault_denies),
        ALLOCATION_TEST("vault_is_not_reached", refused_by_vault, &of_a_proxy),
        ALLOCATION_TEST("vault_lets_in", logged_in_by_vault, &vault_lets_in),
        ALLOCATION_TEST("vault_lets_nobody_in", logged_in_by_vault, &vault_denies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
