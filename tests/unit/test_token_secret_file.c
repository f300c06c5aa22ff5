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

/* The file system of the secret hangs: the loop goes on, and the failure names the file. */
static void test_secret_file_hangs(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600")};

    (void)state;
    start(script, 1);
    fake_loop.work_hangs = true;
    ask(0, &ops);
    fake_loop_run(59 * MS_SECOND);
    assert_int_equal(waiters[0].completions, 0);
    fake_loop_run(2 * MS_SECOND);
    assert_int_equal(waiters[0].completions, 1);
    assert_int_equal(waiters[0].failure.reason, REASON_TOKEN_FAILED);
    assert_non_null(strstr(waiters[0].failure.text, "client_secret_file"));
    assert_non_null(strstr(waiters[0].failure.text, secret_path));
    assert_non_null(strstr(waiters[0].failure.text, "within 1m: its file system hangs"));
    assert_non_null(strstr(waiters[0].failure.remedy, secret_path));
    assert_int_equal(fake_http.sent_count, 0);

    /* What the thread finds at last is of no use to anybody; the next token is read anew. */
    fake_loop_release_work();
    fake_loop_run(10 * MS_SECOND);
    assert_int_equal(fake_http.sent_count, 0);
    ask(0, &ops);
    fake_loop_run(0);
    assert_token(&ops, "one");
    stop();
}

/* So many works hang already that this one is not tried. */
static void test_no_thread_for_a_secret_file(void **state)
{
    static const struct scripted script[] = {TOKEN("one", "3600")};
    static const struct identity relative = {
        .name = "rel", .type = &identity_client_secret, .settings = {"1", "2", "rel-secret"}};

    (void)state;
    start(script, 1);
    token_cache_set_credentials_directory(cache, "/run/credentials/x");
    fake_loop.work_is_refused = true;
    ask(0, &ops);
    ask(1, &relative);
    fake_loop_run(0);
    assert_string_equal(fake_loop.work_place, "/run/credentials/x/rel-secret");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(waiters[i].completions, 1);
        assert_int_equal(waiters[i].failure.reason, REASON_TOKEN_FAILED);
        assert_non_null(strstr(waiters[i].failure.text, "not tried, because much hangs"));
        assert_string_equal(waiters[i].failure.remedy, "make it answer");
    }
    fake_loop.work_is_refused = false;
    fake_loop_run(MS_MINUTE);
    ask(0, &ops);
    fake_loop_run(0);
    assert_string_equal(fake_loop.work_place, secret_path);
    assert_token(&ops, "one");
    stop();
}

static void test_close_while_a_file_hangs(void **state)
{
    (void)state;
    start(NULL, 0);
    fake_loop.work_hangs = true;
    ask(0, &ops);
    fake_loop_run(0);
    token_cancel(&waiters[0].request);
    stop();
    fake_loop_release_work();
    fake_loop_run(0);
    assert_int_equal(waiters[0].completions, 0);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret_file),
        cmocka_unit_test(test_secret_with_something_around_it),
        cmocka_unit_test(test_secret_in_utf16),
        cmocka_unit_test(test_secret_file_is_relative),
        cmocka_unit_test(test_secret_file_hangs),
        cmocka_unit_test(test_no_thread_for_a_secret_file),
        cmocka_unit_test(test_close_while_a_file_hangs),
    };

    return cmocka_run_group_tests_name("token_secret_file", tests, NULL, NULL);
}
