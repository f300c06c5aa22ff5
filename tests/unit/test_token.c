#include "io/access/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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
static const struct identity vm = {.name = "vm",
                                   .type = &identity_managed_identity,
                                   .settings = {NULL, NULL, NULL, NULL, "http://169.254.169.254"}};

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

static void write_secret(const char *text)
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

static void assert_no_token(const struct identity *identity)
{
    struct secret *token;
    uint64_t generation;

    assert_false(token_open(cache, identity, AUDIENCE, &token, &generation));
    assert_null(token);
}

static uint64_t generation_of(const struct identity *identity)
{
    struct secret *token;
    uint64_t generation = 0;

    assert_true(token_open(cache, identity, AUDIENCE, &token, &generation));
    secret_free(token);
    return generation;
}

static void test_one_request_for_all(void **state)
{
    static const struct scripted answer = TOKEN("one", "3600");

    (void)state;
    start(NULL, 0);
    for (size_t i = 0; i < WAITERS_MAX; i++)
        ask(i, &ops);
    fake_loop_run(100);
    assert_int_equal(fake_http.sent_count, 1);
    assert_string_equal(fake_http.sent[0].url, "https://login.example/1111/oauth2/v2.0/token");
    assert_non_null(strstr(fake_http.sent[0].body, "client_secret=s3cret"));
    token_cancel(&waiters[0].request);
    ask(0, &ops); /* in a later turn of the loop */
    fake_loop_run(100);
    assert_int_equal(fake_http.sent_count, 1);
    fake_http_answer_all(&answer);
    fake_loop_run(0);
    for (size_t i = 0; i < WAITERS_MAX; i++)
        assert_int_equal(waiters[i].completions, 1);
    assert_token(&ops, "one");
    assert_int_equal(log_lines[LEVEL_DEBUG], 1);

    /* The token is cached from now on; completions still never come from inside the call. */
    ask(0, &ops);
    fake_loop_run(0);
    assert_int_equal(waiters[0].completions, 1);
    assert_int_equal(fake_http.sent_count, 1);
    stop();
}

static void test_refreshed_ahead(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600")};
    static const struct scripted answer = TOKEN("two", "3600");

    (void)state;
    start(script, 1);
    ask(0, &ops);
    fake_loop_run(3299 * MS_SECOND);
    ask(0, &ops);
    fake_loop_run(MS_SECOND);
    assert_int_equal(fake_http.sent_count, 1);

    /* Five minutes before its end: the old one is handed out while the new one is on its way. */
    ask(0, &ops);
    fake_loop_run(MS_SECOND);
    assert_int_equal(waiters[0].completions, 1);
    assert_token(&ops, "one");
    assert_int_equal(fake_http.sent_count, 2);
    fake_http_answer_all(&answer);
    fake_loop_run(0);
    assert_token(&ops, "two");
    stop();
}

static void test_background_failure_is_harmless(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600"), BAD_SECRET};

    (void)state;
    start(script, 2);
    ask(0, &ops);
    fake_loop_run(3400 * MS_SECOND);
    ask(0, &ops);
    fake_loop_run(MS_SECOND);
    assert_int_equal(fake_http.sent_count, 2);
    assert_int_equal(waiters[0].failure.reason, REASON_NONE);
    assert_int_equal(log_lines[LEVEL_WARNING], 1);
    /* It is asked for again, but not at once. */
    ask(0, &ops);
    fake_loop_run(0);
    assert_int_equal(fake_http.sent_count, 2);
    assert_int_equal(waiters[0].completions, 1);
    stop();
}

static void test_expired(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600"), TOKEN("two", "3600")};

    (void)state;
    start(script, 2);
    ask(0, &ops);
    fake_loop_run(3571 * MS_SECOND);
    assert_no_token(&ops);
    ask(0, &ops);
    fake_loop_run(0);
    assert_token(&ops, "two");
    stop();
}

static void test_failure_is_remembered_briefly(void **state)
{
    static const struct scripted script[] = {BAD_SECRET, BAD_SECRET, TOKEN("one", "3600")};

    (void)state;
    start(script, 3);
    for (size_t i = 0; i < WAITERS_MAX; i++)
        ask(i, &ops);
    fake_loop_run(0);
    for (size_t i = 0; i < WAITERS_MAX; i++) {
        assert_int_equal(waiters[i].completions, 1);
        assert_int_equal(waiters[i].failure.reason, REASON_TOKEN_FAILED);
        assert_string_equal(waiters[i].failure.error_code, "AADSTS7000215");
    }
    ask(0, &ops);
    fake_loop_run(0);
    assert_int_equal(waiters[0].failure.reason, REASON_TOKEN_FAILED);
    assert_in_range(waiters[0].failure.retry_after, 1000, 2000);
    assert_int_equal(fake_http.sent_count, 1);

    fake_loop_run(2 * MS_SECOND);
    ask(0, &ops);
    fake_loop_run(0);
    assert_int_equal(fake_http.sent_count, 2);
    assert_in_range(waiters[0].failure.retry_after, 2000, 4000);

    /* A reload forgets it. */
    token_cache_set_login(cache, "https://login.example");
    ask(0, &ops);
    fake_loop_run(0);
    assert_int_equal(waiters[0].failure.reason, REASON_NONE);
    assert_token(&ops, "one");
    stop();
}

static void test_secret_file(void **state)
{
    static const struct {
        const char *content;
        const char *problem; /* NULL: it works */
    } cases[] = {{"s3cret", NULL},       {"s3cret\n", NULL}, {"s3cret\r\n", NULL},
                 {"", "empty"},          {"\n", "empty"},    {"a\nb", "more than one line"},
                 {"a\nb\n", "more than"}};
    static const struct scripted script[] = {TOKEN("one", "3600")};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(script, 1);
        write_secret(cases[i].content);
        ask(0, &ops);
        fake_loop_run(0);
        assert_int_equal(waiters[0].completions, 1);
        if (cases[i].problem) {
            assert_int_equal(waiters[0].failure.reason, REASON_TOKEN_FAILED);
            assert_non_null(strstr(waiters[0].failure.text, cases[i].problem));
            assert_non_null(strstr(waiters[0].failure.text, secret_path));
            assert_int_equal(fake_http.sent_count, 0);
        } else {
            assert_token(&ops, "one");
            assert_non_null(strstr(fake_http.sent[0].body, "client_secret=s3cret"));
        }
        stop();
    }
}

/* What people write into the file beside the secret: each is named, and nothing is sent. */
static void test_secret_with_something_around_it(void **state)
{
    static const struct {
        const char *content;
        const char *problem; /* NULL: it works */
    } cases[] = {
        {"\xEF\xBB\xBFs3cret\n", "byte order mark"},
        {" s3cret\n", "blanks"},
        {"s3cret \n", "blanks"},
        {"\ts3cret", "blanks"},
        {"s3cret\t\r\n", "blanks"},
        {"\"s3cret\"\n", "quotes"},
        {"'s3cret'\n", "quotes"},
        {"AZURE_CLIENT_SECRET=s3cret\n", "assignment"},
        {"AZURE_CLIENT_SECRET=\"s3cret\"\n", "assignment"},
        {"export SECRET=s3cret\n", "assignment"},
        {"client_secret=s3cret\n", "assignment"},
        {"clientSecret: s3cret\n", "assignment"},
        {"PASSWORD: s3cret\n", "assignment"},
        {"s3cr\xC3\xA9t\n", "printable ASCII"},
        {"s3c\x01ret\n", "printable ASCII"},
        {"\ns3cret\n", "empty line"},
        {"\xFF\xFEs", "UTF-16"},
        {"s3cret\r\n\r\n", NULL},
        /* Real secrets look like these. */
        {"s3cret~8Q_.-abc", NULL},
        {"s3cretABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk=", NULL},
        {"s3cretX==", NULL},
        {"s3cret=abc/+[]@:?", NULL},
        {"s3cret with a blank", NULL},
        {"s3cret:", NULL},
        {"s3cret\"", NULL},
    };
    static const struct scripted script[] = {TOKEN("one", "3600")};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(script, 1);
        write_secret(cases[i].content);
        ask(0, &ops);
        fake_loop_run(0);
        if (cases[i].problem) {
            if (!strstr(waiters[0].failure.text, cases[i].problem))
                fail_msg("%s: %s", cases[i].content, waiters[0].failure.text);
            assert_null(strstr(waiters[0].failure.text, "s3c"));
            assert_int_equal(fake_http.sent_count, 0);
        } else {
            assert_token(&ops, "one");
            assert_non_null(strstr(fake_http.sent[0].body, "client_secret=s3cret"));
        }
        stop();
    }
}

/* As PowerShell's ">" writes it, with and without the mark. */
static void test_secret_in_utf16(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {{"\xFF\xFE"
                  "s\0"
                  "3\0"
                  "\n\0",
                  8},
                 {"\xFE\xFF"
                  "\0s"
                  "\0"
                  "3",
                  6},
                 {"s\0"
                  "3\0"
                  "c\0",
                  6},
                 {"\0s"
                  "\0"
                  "3",
                  4}};
    static const struct scripted script[] = {TOKEN("one", "3600")};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        FILE *file;

        start(script, 1);
        file = fopen(secret_path, "w");
        assert_int_equal(fwrite(cases[i].bytes, 1, cases[i].length, file), cases[i].length);
        fclose(file);
        ask(0, &ops);
        fake_loop_run(0);
        assert_non_null(strstr(waiters[0].failure.text, "it is UTF-16"));
        assert_int_equal(fake_http.sent_count, 0);
        stop();
    }
}

static void test_secret_file_is_relative(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600")};
    struct identity relative = ops;

    (void)state;
    start(script, 1);
    relative.settings[2] = secret_path + 5; /* without "/tmp/" */
    ask(0, &relative);
    fake_loop_run(0);
    assert_non_null(strstr(waiters[0].failure.text, "$CREDENTIALS_DIRECTORY"));
    assert_non_null(strstr(waiters[0].failure.remedy, "LoadCredential="));
    fake_loop_run(MS_MINUTE);
    token_cache_set_credentials_directory(cache, "/tmp");
    ask(0, &relative);
    fake_loop_run(0);
    assert_token(&relative, "one");
    stop();
}

static void test_invalidate(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600"), TOKEN("two", "3600"),
                                             TOKEN("three", "3600")};
    uint64_t first, second;

    (void)state;
    start(script, 3);
    ask(0, &ops);
    fake_loop_run(0);
    first = generation_of(&ops);
    assert_true(token_invalidate(cache, &ops, AUDIENCE, first));
    assert_no_token(&ops);
    ask(0, &ops);
    fake_loop_run(0);
    assert_token(&ops, "two");
    second = generation_of(&ops);

    /* A caller that still had the first token gets the second, which stays. */
    assert_true(token_invalidate(cache, &ops, AUDIENCE, first));
    assert_token(&ops, "two");
    /* Where the second is refused just as quickly, a third would not help. */
    assert_false(token_invalidate(cache, &ops, AUDIENCE, second));
    assert_token(&ops, "two");
    fake_loop_run(MS_MINUTE);
    assert_true(token_invalidate(cache, &ops, AUDIENCE, second));
    stop();
}

static void test_imds_is_asked_again(void **state)
{
    static const struct scripted script[] = {{HTTP_ANSWERED, 404, NULL, NULL, "/metadata/"},
                                             {HTTP_LOST, 0, NULL, NULL, NULL},
                                             TOKEN("one", "\"86399\"")};

    (void)state;
    start(script, 3);
    ask(0, &vm);
    fake_loop_run(MS_SECOND);
    assert_int_equal(fake_http.sent_count, 1);
    ask(1, &vm);
    fake_loop_run(5 * MS_SECOND);
    assert_int_equal(fake_http.sent_count, 3);
    assert_int_equal(waiters[0].completions, 1);
    assert_int_equal(waiters[1].completions, 1);
    assert_token(&vm, "one");
    assert_int_equal(log_lines[LEVEL_WARNING], 0);
    stop();
}

static void test_imds_updating(void **state)
{
    static const struct scripted gone = {HTTP_ANSWERED, 410, NULL, NULL, NULL};
    static const struct scripted answer = TOKEN("one", "\"3600\"");

    (void)state;
    start(NULL, 0);
    ask(0, &vm);
    fake_loop_run(0);
    for (unsigned seconds = 0; seconds < 70; seconds += 10) {
        fake_http_answer_all(&gone);
        fake_loop_run(10 * MS_SECOND);
        assert_int_equal(waiters[0].completions, 0);
    }
    assert_int_equal(fake_http.sent_count, 8);
    fake_http_answer_all(&answer);
    fake_loop_run(0);
    assert_token(&vm, "one");
    stop();
}

static void test_cancel_and_close(void **state)
{
    (void)state;
    start(NULL, 0);
    ask(0, &ops);
    ask(1, &vm);
    fake_loop_run(0);
    assert_int_equal(fake_http.sent_count, 2);
    token_cancel(&waiters[0].request);
    token_cancel(&waiters[1].request);
    stop();
    assert_int_equal(waiters[0].completions + waiters[1].completions, 0);
}

static void test_close_while_waiting_to_repeat(void **state)
{
    static const struct scripted script[] = {{HTTP_ANSWERED, 500, NULL, NULL, NULL}};

    (void)state;
    start(script, 1);
    ask(0, &vm);
    fake_loop_run(0);
    token_cancel(&waiters[0].request);
    stop();
}

static void test_client_shut_down_beneath(void **state)
{
    (void)state;
    start(NULL, 0);
    ask(0, &ops);
    fake_loop_run(0);
    fake_http_answer_all(&fake_http_canceled);
    fake_loop_run(0);
    assert_int_equal(waiters[0].completions, 1);
    assert_true(waiters[0].canceled);
    stop();
}

static void test_identity_of_same_name_after_reload(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "60"), TOKEN("two", "60")};
    struct identity changed = ops;

    (void)state;
    start(script, 2);
    ask(0, &ops);
    fake_loop_run(0);
    changed.settings[1] = "9999";
    assert_no_token(&changed);
    ask(0, &changed);
    fake_loop_run(0);
    assert_token(&changed, "two");
    assert_token(&ops, "one");
    stop();
}

static void test_failures_last(void **state)
{
    static const struct scripted refused = BAD_SECRET;

    (void)state;
    start(NULL, 0);
    lasting_lines = 0;
    for (unsigned i = 0; i < 20; i++) {
        ask(0, &ops);
        fake_loop_run(0);
        fake_http_answer_all(&refused);
        fake_loop_run(61 * MS_SECOND);
    }
    assert_int_equal(fake_http.sent_count, 20);
    assert_int_equal(log_lines[LEVEL_WARNING], 20); /* the sink reports them once */
    assert_int_equal(lasting_lines, 20);
    assert_null(strstr(last_message, "s3cret"));
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_request_for_all),
        cmocka_unit_test(test_refreshed_ahead),
        cmocka_unit_test(test_background_failure_is_harmless),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_failure_is_remembered_briefly),
        cmocka_unit_test(test_secret_file),
        cmocka_unit_test(test_secret_with_something_around_it),
        cmocka_unit_test(test_secret_in_utf16),
        cmocka_unit_test(test_secret_file_is_relative),
        cmocka_unit_test(test_invalidate),
        cmocka_unit_test(test_imds_is_asked_again),
        cmocka_unit_test(test_imds_updating),
        cmocka_unit_test(test_cancel_and_close),
        cmocka_unit_test(test_close_while_waiting_to_repeat),
        cmocka_unit_test(test_client_shut_down_beneath),
        cmocka_unit_test(test_identity_of_same_name_after_reload),
        cmocka_unit_test(test_failures_last),
    };

    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
