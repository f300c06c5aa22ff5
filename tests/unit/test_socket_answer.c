/* The answers of programs behind sockets. */
#include "proto/socket_answer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

static const struct {
    const char *answer;
    enum reason reason; /* REASON_NONE: delivered */
    bool is_unknown;
    const char *text;
    const char *remedy;
} answers[] = {
    {"{\"result\":\"delivered\"}\n", REASON_NONE, false, NULL, NULL},
    {"{\"result\":\"delivered\"}", REASON_NONE, false, NULL, NULL},
    {" {\"result\":\"delivered\", \"message\":\"3 restarted\", \"more\":[1]} \r\n", REASON_NONE,
     false, NULL, NULL},
    {"{\"result\":\"not_yet\",\"message\":\"2 jobs left\"}\n", REASON_NOT_YET, false,
     "socket /run/s asks for more time: 2 jobs left", ""},
    {"{\"result\":\"not_yet\"}\n", REASON_NOT_YET, false, "asks for more time", ""},
    {"{\"result\":\"failed\",\"message\":\"no " KEY "\"}\n", REASON_TARGET_FAILED, false,
     "socket /run/s answered that it failed: no ****", "log of the program"},
    {"{\"result\":\"failed\",\"message\":5}\n", REASON_TARGET_FAILED, false,
     "answered that it failed", "log of the program"},
    {"{\"result\":\"Delivered\"}\n", REASON_TARGET_FAILED, true, "none of delivered", "one line"},
    {"{\"result\":true}\n", REASON_TARGET_FAILED, true, "no \"result\"", "one line"},
    {"{}\n", REASON_TARGET_FAILED, true, "no \"result\"", "one line"},
    {"[\"delivered\"]\n", REASON_TARGET_FAILED, true, "no \"result\"", "one line"},
    {"delivered\n", REASON_TARGET_FAILED, true, "cannot be used", "one line"},
    {"{\"result\":\"delivered\"", REASON_TARGET_FAILED, true, "cannot be used", "one line"},
    {"{\"result\":\"failed\",\"result\":\"delivered\"}", REASON_TARGET_FAILED, true,
     "cannot be used", "one line"},
    {"{\"result\":\"delivered\"}\n{\"result\":\"failed\"}\n", REASON_TARGET_FAILED, true,
     "more than one line", "one line"},
    {"restarted\n{\"result\":\"delivered\"}\n", REASON_TARGET_FAILED, true, "more than one line",
     "one line"},
    {"{\n  \"result\": \"delivered\"\n}\n", REASON_TARGET_FAILED, true, "more than one line",
     "one line"},
    {"\n", REASON_TARGET_FAILED, true, "cannot be used", "one line"},
    {"", REASON_TARGET_FAILED, true, "it is empty", "one line"},
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct failure failure = {.reason = REASON_NONE};
        int rc =
            socket_answer_read(answers[i].answer, strlen(answers[i].answer), "/run/s", &failure);

        assert_int_equal(rc, answers[i].reason == REASON_NONE ? 0 : -EIO);
        assert_int_equal(failure.reason, answers[i].reason);
        assert_int_equal(failure.outcome_unknown, answers[i].is_unknown);
        if (rc == 0)
            continue;
        if (!strstr(failure.text, answers[i].text) || !strstr(failure.remedy, answers[i].remedy))
            fail_msg("%s: %s; do: %s", answers[i].answer, failure.text, failure.remedy);
        assert_null(strstr(failure.text, "AAEC"));
    }
}

/* The key stands where the message is cut: no part of it is left. */
static void test_key_at_the_cut(void **state)
{
    char answer[512] = "{\"result\":\"failed\",\"message\":\"";
    struct failure failure;

    (void)state;
    memset(answer + strlen(answer), '.', 210);
    (void)strcat(answer, KEY "\"}\n");
    assert_int_equal(socket_answer_read(answer, strlen(answer), "/run/s", &failure), -EIO);
    assert_null(strstr(failure.text, "AAEC"));
    assert_non_null(strstr(failure.text, "...***"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_key_at_the_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
