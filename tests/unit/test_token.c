#include "io/access/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "token_fixture.h"

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
    fake_loop_run(MS_SECOND / 2); /* sooner than the shortest pause */
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
    assert_true(token_invalidate(cache, &ops, AUDIENCE, first, NULL));
    assert_no_token(&ops);
    ask(0, &ops);
    fake_loop_run(0);
    assert_token(&ops, "two");
    second = generation_of(&ops);

    /* A caller that still had the first token gets the second, which stays. */
    assert_true(token_invalidate(cache, &ops, AUDIENCE, first, NULL));
    assert_token(&ops, "two");
    /* Where the second is refused just as quickly, a third would not help. */
    assert_false(token_invalidate(cache, &ops, AUDIENCE, second, NULL));
    assert_token(&ops, "two");
    fake_loop_run(MS_MINUTE);
    assert_true(token_invalidate(cache, &ops, AUDIENCE, second, NULL));
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

/* The server never answers, and neither does the client report that: the deadline holds. */
static void test_deadline_over_all(void **state)
{
    (void)state;
    start(NULL, 0);
    ask(0, &ops);
    fake_loop_run(61 * MS_SECOND);
    assert_int_equal(waiters[0].completions, 1);
    assert_non_null(strstr(waiters[0].failure.text, "no token for identity ops within 1m"));
    assert_true(list_empty(&fake_http.calls));
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
        cmocka_unit_test(test_invalidate),
        cmocka_unit_test(test_imds_is_asked_again),
        cmocka_unit_test(test_imds_updating),
        cmocka_unit_test(test_cancel_and_close),
        cmocka_unit_test(test_close_while_waiting_to_repeat),
        cmocka_unit_test(test_deadline_over_all),
        cmocka_unit_test(test_client_shut_down_beneath),
        cmocka_unit_test(test_identity_of_same_name_after_reload),
        cmocka_unit_test(test_failures_last),
    };

    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
