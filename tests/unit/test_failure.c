/* Texts of failures: a key in what others said is never shown, wherever the text is cut. */
#include "proto/failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/stranger.h"

static const char key[] =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

enum { PIECE = 8 };

/* No piece of the key stands in the text. */
static void assert_no_piece(const char *text)
{
    char piece[PIECE + 1] = "";

    for (size_t i = 0; i + PIECE <= strlen(key); i++) {
        memcpy(piece, key + i, PIECE);
        if (strstr(text, piece))
            fail_msg("\"%s\" holds a piece of the key", text);
    }
}

static void test_key_at_the_cut(void **state)
{
    struct failure failure;
    char blanks[FAILURE_TEXT_MAX + 1];

    (void)state;
    for (size_t before = 0; before < FAILURE_TEXT_MAX; before++) {
        memset(blanks, '.', before);
        blanks[before] = '\0';
        failure_init(&failure, REASON_TARGET_FAILED);
        failure_set_text(&failure, "%s %s", blanks, key);
        failure_set_remedy(&failure, "%.300s %s", blanks, key);
        assert_no_piece(failure.text);
        assert_no_piece(failure.remedy);
        assert_true(strlen(failure.text) >= before);
        if (before < FAILURE_CODE_MAX) {
            char code[2 * FAILURE_TEXT_MAX];

            (void)snprintf(code, sizeof(code), "%s %s", blanks, key);
            failure_set_code(&failure, code);
            assert_no_piece(failure.error_code);
        }
    }
}

/* What is shown as a command works as it stands, or is not shown. */
static void test_half_a_command_is_none(void **state)
{
    struct failure failure;
    char path[FAILURE_REMEDY_MAX];

    (void)state;
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    failure_init(&failure, REASON_TARGET_FAILED);
    failure_set_remedy(&failure, "%s", path);
    assert_int_equal(strlen(failure.remedy), FAILURE_REMEDY_MAX - 1);
    failure_set_remedy(&failure, "`%s", path);
    assert_string_equal(failure.remedy, "");
    failure_set_remedy(&failure, "run `a; b`; or `c`, or `d; %s`", path);
    assert_string_equal(failure.remedy, "run `a; b`; or `c`");
    failure_set_remedy(&failure, "run `a`; %s", path);
    assert_string_equal(failure.remedy, "run `a`");
}

/* A title is cut after 80 characters, the place of a redirection after 160. */
static void test_key_at_the_cut_of_a_stranger(void **state)
{
    char blanks[200], text[STRANGER_TEXT_MAX];

    (void)state;
    for (size_t before = 0; before + 1 < sizeof(blanks); before++) {
        struct http_reply reply;

        memset(blanks, '.', before);
        blanks[before] = '\0';
        http_reply_init(&reply, HTTP_BODY_MAX);
        reply.status = 302;
        (void)buf_append_format(&reply.headers, "Location: https://h/%s %s\nServer: %s %s\n",
                                blanks, key, blanks, key);
        (void)buf_append_format(&reply.body, "<title>%s %s</title>", blanks, key);
        assert_no_piece(stranger_describe(&reply, text));
        assert_non_null(strstr(text, "redirects the request to https://h/"));
        http_reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_at_the_cut),
        cmocka_unit_test(test_half_a_command_is_none),
        cmocka_unit_test(test_key_at_the_cut_of_a_stranger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
