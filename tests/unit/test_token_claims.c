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

/* {"access_token":{"a":null}}, and "b" in the place of "a" */
#define DEMAND_A                                                                                   \
    "WWW-Authenticate: Bearer error=\"insufficient_claims\", "                                     \
    "claims=\"eyJhY2Nlc3NfdG9rZW4iOnsiYSI6bnVsbH19\"\n"
#define DEMAND_B                                                                                   \
    "WWW-Authenticate: Bearer error=\"insufficient_claims\", "                                     \
    "claims=\"eyJhY2Nlc3NfdG9rZW4iOnsiYiI6bnVsbH19\"\n"
#define CLAIMS_NONE "%7B%22access_token%22%3A%7B%22xms_cc%22"
#define CLAIMS_A    "%7B%22access_token%22%3A%7B%22a%22%3Anull%2C%22xms_cc%22"
#define CLAIMS_B    "%7B%22access_token%22%3A%7B%22b%22%3Anull%2C%22xms_cc%22"

static bool refuse(uint64_t generation, const char *headers)
{
    struct http_reply reply;
    bool worth;

    canned_answer(&reply, 401, headers, "");
    worth = token_invalidate(cache, &ops, AUDIENCE, generation, &reply);
    http_reply_done(&reply);
    return worth;
}

static void assert_claims(size_t request, const char *claims)
{
    assert_non_null(strstr(fake_http.sent[request].body, "&claims="));
    assert_non_null(strstr(fake_http.sent[request].body, claims));
}

static void test_next_token_carries_them(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600"), TOKEN("two", "3600"),
                                             TOKEN("three", "3600")};

    (void)state;
    start(script, 3);
    ask(0, &ops);
    fake_loop_run(0);
    assert_claims(0, CLAIMS_NONE);
    assert_true(refuse(generation_of(&ops), DEMAND_A));
    assert_no_token(&ops); /* for all */
    ask(0, &ops);
    ask(1, &ops);
    fake_loop_run(0);
    assert_claims(1, CLAIMS_A);
    assert_token(&ops, "two");
    assert_int_equal(fake_http.sent_count, 2);

    /* The one after it is refreshed as usual. */
    fake_loop_run(3400 * MS_SECOND);
    ask(0, &ops);
    fake_loop_run(0);
    assert_claims(2, CLAIMS_NONE);
    stop();
}

static void test_never_a_loop(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600"), TOKEN("two", "3600"),
                                             TOKEN("three", "3600")};

    (void)state;
    start(script, 3);
    ask(0, &ops);
    fake_loop_run(0);
    /* A token was refused for another cause just now; the claims are news all the same. */
    assert_true(refuse(generation_of(&ops), NULL));
    ask(0, &ops);
    fake_loop_run(0);
    assert_false(refuse(generation_of(&ops), NULL));
    assert_true(refuse(generation_of(&ops), DEMAND_A));
    ask(0, &ops);
    fake_loop_run(0);
    assert_claims(2, CLAIMS_A);
    /* Other claims each time would ask for one token after the other. */
    assert_false(refuse(generation_of(&ops), DEMAND_B));
    assert_token(&ops, "three");
    stop();
}

/* A refresh was under way when the claims were demanded: its token lacks them. */
static void test_refresh_under_way(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600")};
    static const struct scripted second = TOKEN("two", "3600"), third = TOKEN("three", "3600");

    (void)state;
    start(script, 1);
    ask(0, &ops);
    fake_loop_run(3400 * MS_SECOND);
    ask(0, &ops);
    fake_loop_run(0);
    assert_int_equal(fake_http.sent_count, 2);
    assert_true(refuse(generation_of(&ops), DEMAND_B));
    ask(0, &ops);
    fake_http_answer_all(&second);
    fake_loop_run(0);
    assert_int_equal(waiters[0].completions, 0);
    assert_int_equal(fake_http.sent_count, 3);
    assert_claims(2, CLAIMS_B);
    fake_http_answer_all(&third);
    fake_loop_run(0);
    assert_int_equal(waiters[0].completions, 1);
    assert_token(&ops, "three");
    stop();
}

static void test_explained(void **state)
{
    struct http_reply reply;
    struct failure failure = {.remedy = ""};

    (void)state;
    canned_answer(&reply, 401, DEMAND_A, "");
    token_explain_refusal(&vm, &reply, &failure);
    assert_non_null(strstr(failure.remedy, "managed identity \"vm\""));
    assert_non_null(strstr(failure.remedy, "cannot carry"));
    token_explain_refusal(&ops, &reply, &failure);
    assert_non_null(strstr(failure.remedy, "sign-in log of identity \"ops\" (2222)"));
    http_reply_done(&reply);
    failure.remedy[0] = '\0';
    canned_answer(&reply, 401, "WWW-Authenticate: Bearer\n", "");
    token_explain_refusal(&vm, &reply, &failure);
    assert_string_equal(failure.remedy, "");
    http_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_token_carries_them),
        cmocka_unit_test(test_never_a_loop),
        cmocka_unit_test(test_refresh_under_way),
        cmocka_unit_test(test_explained),
    };

    return cmocka_run_group_tests_name("token_claims", tests, NULL, NULL);
}
