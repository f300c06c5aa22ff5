/*
 * What the tests of io/azure/azure.c share: one account, answers to its requests, and the result of
 * a call. Included once per test program, because it also defines what the configuration's owner
 * does.
 */
#ifndef KEYROTATED_TESTS_UNIT_AZURE_FIXTURE_H
#define KEYROTATED_TESTS_UNIT_AZURE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_loop.h"

#include "fake_http.h"
#include "conf/identity.h"
#include "io/azure/azure_call.h"

extern const struct identity_type identity_managed_identity;

#define ID "/subscriptions/0000/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"
#define KEY_A                                                                                      \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define KEY_B                                                                                      \
    "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

#define TOKEN                                                                                      \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL, "{\"access_token\":\"tok\",\"expires_in\":\"3600\"}",            \
            "/metadata/identity"                                                                   \
    }
#define NEXT_TOKEN                                                                                 \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL, "{\"access_token\":\"tok2\",\"expires_in\":\"3600\"}",           \
            "/metadata/identity"                                                                   \
    }
#define DESCRIPTION                                                                                \
    {                                                                                              \
        HTTP_ANSWERED, 200, "x-ms-request-id: r-1\n",                                              \
            "{\"location\":\"westeurope\",\"properties\":{\"accountEndpoint\":\"acct.example\"}}", \
            ID "?api-version=2024-02-01"                                                           \
    }
#define KEYS(path)                                                                                 \
    {                                                                                              \
        HTTP_ANSWERED, 200, "x-ms-request-id: r-2\n",                                              \
            "{\"accountName\":\"acct\",\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\"}",    \
            path                                                                                   \
    }
#define STATUS(status, headers, body)                                                              \
    {                                                                                              \
        HTTP_ANSWERED, status, headers, body, NULL                                                 \
    }
#define UNAUTHORIZED                                                                               \
    STATUS(401, NULL, "{\"error\":{\"code\":\"ExpiredAuthenticationToken\",\"message\":\"m\"}}")
#define DENIED                                                                                     \
    STATUS(403, "x-ms-request-id: r-3\n",                                                          \
           "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"m\"}}")
#define KEYS_OFF                                                                                   \
    STATUS(200, NULL,                                                                              \
           "{\"properties\":{\"accountEndpoint\":\"acct.example\","                                \
           "\"allowedAuthenticationModes\":[\"AAD\"]}}")
#define CONFLICT STATUS(409, NULL, "{\"error\":{\"code\":\"Conflict\",\"message\":\"m\"}}")
#define STATE(state)                                                                               \
    STATUS(200, NULL,                                                                              \
           "{\"properties\":{\"accountEndpoint\":\"acct.example\","                                \
           "\"provisioningState\":\"" state "\"}}")
#define SILENCE(outcome)                                                                           \
    {                                                                                              \
        outcome, 0, NULL, NULL, NULL                                                               \
    }

static const struct identity vm = {.name = "vm",
                                   .type = &identity_managed_identity,
                                   .settings = {NULL, NULL, NULL, NULL, "http://169.254.169.254"}};
static struct policy policy; /* verify: auto */
static const struct account account = {.id = ID,
                                       .key = ID,
                                       .name = "acct",
                                       .resource_group = "rg",
                                       .subscription_id = "0000",
                                       .identity = &vm,
                                       .policy_name = "nightly",
                                       .policy = &policy};
static struct config config;
static struct access *azure_access;
static struct azure *azure;
static struct azure_account subject;
static struct log test_log = {.level = LEVEL_ERROR};

static unsigned completions;
static struct azure_result result;
static struct failure description;
static struct failure failure;

/* Functions of the configuration's owner. The configuration is static here. */
struct config *config_ref(struct config *of)
{
    of->references++;
    return of;
}

void config_unref(struct config *of)
{
    if (of)
        of->references--;
}

static inline struct fingerprint first_byte(void *context, const char *key, size_t length)
{
    struct fingerprint fingerprint = {.bytes = {(uint8_t)key[0]}};

    (void)context;
    assert_int_equal(length, sizeof(KEY_A) - 1);
    return fingerprint;
}

static inline void on_done(void *context, const struct azure_result *of)
{
    assert_ptr_equal(context, &subject);
    completions++;
    result = *of;
    if (of->failure)
        failure = *of->failure;
    else
        memset(&failure, 0, sizeof(failure));
    if (of->description)
        description = *of->description;
    else
        memset(&description, 0, sizeof(description));
}

static inline void start(const struct scripted *script, size_t length)
{
    fake_loop_reset();
    fake_http_reset(script, length);
    completions = 0;
    config = (struct config){.references = 1,
                             .cloud = {.resource_manager = "https://arm.example",
                                       .login = "https://login.example",
                                       .audience = "https://management.azure.com/"},
                             .limit_requests = 64,
                             .limit_per_subscription = 8};
    subject = (struct azure_account){.account = &account};
    azure_access = access_new(&fake_loop, NULL, &test_log, time_boot);
    access_set_config(azure_access, &config);
    azure = azure_new(&fake_loop, NULL, azure_access, first_byte, NULL);
    azure_set_config(azure, &config);
}

static inline struct azure_call *look(const char *correlation_id)
{
    const struct azure_look_wish wish = {.describe = true, .correlation_id = correlation_id};

    return azure_look(azure, &subject, &wish, on_done, &subject);
}

static inline void on_closed(void *context)
{
    *(bool *)context = true;
}

static inline void stop(void)
{
    bool closed = false;

    azure_close(azure, on_closed, &closed);
    assert_false(closed);
    fake_loop_run(0);
    assert_true(closed);
    closed = false;
    access_close(azure_access, on_closed, &closed);
    fake_loop_run(0);
    assert_true(closed);
    assert_int_equal(config.references, 1);
    assert_true(list_empty(&fake_loop.timers));
    assert_true(list_empty(&fake_http.calls));
    azure_account_done(&subject);
}

#endif
