/*
 * A cache of tokens with a fake loop, scripted answers, and those who wait for tokens. To be
 * included once in a test program, after <cmocka.h>.
 */
#ifndef KEYROTATED_TESTS_TOKEN_FIXTURE_H
#define KEYROTATED_TESTS_TOKEN_FIXTURE_H

#include "fake_loop.h"

#include "fake_http.h"
#include "conf/identity.h"

extern const struct identity_type identity_client_secret;
extern const struct identity_type identity_managed_identity;

#define AUDIENCE "https://management.azure.com/"
#define TOKEN(name, seconds)                                                                       \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL,                                                                  \
            "{\"token_type\":\"Bearer\",\"access_token\":\"" name "\",\"expires_in\":" seconds     \
            "}",                                                                                   \
            NULL                                                                                   \
    }
#define BAD_SECRET                                                                                 \
    {                                                                                              \
        HTTP_ANSWERED, 401, NULL, "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}", NULL \
    }

enum { WAITERS_MAX = 8 };

struct waiter {
    struct token_request request;
    unsigned completions;
    bool canceled;
    struct failure failure; /* reason REASON_NONE: it got a token */
};

static struct token_cache *cache;
static struct waiter waiters[WAITERS_MAX];
static unsigned log_lines[LEVEL_DEBUG + 1];
static unsigned lasting_lines;
static char last_message[LOG_MESSAGE_MAX];
static char secret_path[64];
static struct identity ops = {
    .name = "ops", .type = &identity_client_secret, .settings = {"1111", "2222", secret_path}};
static const struct identity vm = {
    .name = "vm",
    .type = &identity_managed_identity,
    .settings = {NULL, NULL, NULL, "imds", "http://169.254.169.254"}};

static void count_line(void *context, const struct log_line *line)
{
    (void)context;
    log_lines[line->level]++;
    lasting_lines += line->trouble ? 1 : 0;
    str_copy(last_message, sizeof(last_message), line->message);
}

static struct log test_log = {.level = LEVEL_DEBUG, .write = count_line};

static void on_done(struct token_request *request, const struct token_result *result)
{
    struct waiter *waiter = container_of(request, struct waiter, request);

    waiter->completions++;
    waiter->canceled = result->canceled;
    if (result->failure)
        waiter->failure = *result->failure;
}

static inline void write_secret(const char *text)
{
    FILE *file = fopen(secret_path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void start(const struct scripted *script, size_t length)
{
    fake_loop_reset();
    fake_http_reset(script, length);
    memset(waiters, 0, sizeof(waiters));
    memset(log_lines, 0, sizeof(log_lines));
    str_copy(secret_path, sizeof(secret_path), "/tmp/keyrotated-test-secret-XXXXXX");
    close(mkstemp(secret_path));
    write_secret("s3cret\n");
    cache = token_cache_new(&fake_loop, NULL, &test_log, fake_clock);
    token_cache_set_login(cache, "https://login.example");
}

static void on_closed(void *context)
{
    *(bool *)context = true;
}

static void stop(void)
{
    bool closed = false;

    token_cache_close(cache, on_closed, &closed);
    assert_false(closed);
    fake_loop_run(0);
    assert_true(closed);
    assert_true(list_empty(&fake_loop.timers));
    assert_true(list_empty(&fake_http.calls));
    unlink(secret_path);
}

/* Asks as the waiter of that number. */
static void ask(size_t number, const struct identity *identity)
{
    waiters[number] = (struct waiter){.completions = 0};
    token_request_init(&waiters[number].request, on_done);
    token_get(cache, &waiters[number].request, identity, AUDIENCE);
    assert_int_equal(waiters[number].completions, 0);
}

static void assert_token(const struct identity *identity, const char *expected)
{
    struct secret *token;
    uint64_t generation;

    assert_true(token_open(cache, identity, AUDIENCE, &token, &generation));
    assert_string_equal(secret_bytes(token), expected);
    secret_free(token);
}

static inline void assert_no_token(const struct identity *identity)
{
    struct secret *token;
    uint64_t generation;

    assert_false(token_open(cache, identity, AUDIENCE, &token, &generation));
    assert_null(token);
}

static inline uint64_t generation_of(const struct identity *identity)
{
    struct secret *token;
    uint64_t generation = 0;

    assert_true(token_open(cache, identity, AUDIENCE, &token, &generation));
    secret_free(token);
    return generation;
}

#endif
