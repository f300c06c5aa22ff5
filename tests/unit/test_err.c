/* What went wrong, in words: texts are cut cleanly, codes survive, nothing overwrites itself. */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/encoding.h"

static void set_records_code_and_sentence(void **state)
{
    (void)state;
    struct err err;

    errno = ENOSPC;
    assert_int_equal(err_set(&err, -EINVAL, "slot %s is %d", "Primary", 7), -EINVAL);
    assert_int_equal(err.code, -EINVAL);
    assert_string_equal(err.text, "slot Primary is 7");
    assert_int_equal(errno, ENOSPC);
    err_clear(&err);
    assert_int_equal(err.code, 0);
    assert_string_equal(err.text, "");
}

static void errno_is_explained_and_kept(void **state)
{
    (void)state;
    struct err err;

    errno = EBADF;
    assert_int_equal(err_set_errno(&err, ENOENT, "cannot open %s", "/x"), -ENOENT);
    assert_int_equal(err.code, -ENOENT);
    assert_string_equal(err.text, "cannot open /x: No such file or directory");
    assert_int_equal(errno, EBADF);
}

static void wrap_puts_context_in_front(void **state)
{
    (void)state;
    struct err err;

    err_set(&err, -EACCES, "permission denied");
    assert_int_equal(err_wrap(&err, "target %s", "vault"), -EACCES);
    assert_int_equal(err_wrap(&err, "account %d", 3), -EACCES);
    assert_string_equal(err.text, "account 3: target vault: permission denied");
}

static void wrap_never_turns_failure_into_success(void **state)
{
    (void)state;
    struct err err;

    err_clear(&err);
    assert_int_equal(err_wrap(&err, "odd"), -EIO);
    assert_int_equal(err_wrap(NULL, "odd"), -EIO);
}

static void null_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, -EPERM, "x"), -EPERM);
    assert_int_equal(err_set_errno(NULL, EPERM, "x"), -EPERM);
}

static void own_text_may_be_an_argument(void **state)
{
    (void)state;
    struct err err;

    err_set(&err, -EIO, "inner");
    err_set(&err, -EINVAL, "outer: %s", err.text);
    assert_string_equal(err.text, "outer: inner");
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    struct err err;
    char umlauts[2 * ERR_TEXT_MAX + 1];

    /* Once at an even and once at an odd place, so that one cut meets the middle of a character. */
    for (size_t i = 0; i < 2 * ERR_TEXT_MAX; i += 2)
        memcpy(umlauts + i, "\xC3\xA4", 2);
    umlauts[2 * ERR_TEXT_MAX] = '\0';
    for (int shift = 0; shift < 2; shift++) {
        err_set(&err, -EIO, "%s%s", shift == 0 ? "" : "x", umlauts);
        size_t length = strlen(err.text);
        assert_in_range(length, ERR_TEXT_MAX - 3, ERR_TEXT_MAX - 1);
        assert_true(utf8_valid(err.text, length));
        assert_string_equal(err.text + length - 3, "...");
    }
}

static void a_text_that_just_fits_is_not_cut(void **state)
{
    (void)state;
    struct err err;
    char text[ERR_TEXT_MAX];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&err, -EIO, "%s", text);
    assert_string_equal(err.text, text);
}

static void the_reason_survives_a_long_sentence(void **state)
{
    (void)state;
    struct err err;
    char path[2 * ERR_TEXT_MAX];

    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    err_set_errno(&err, ENOSPC, "cannot write %s", path);
    const char *reason = strstr(err.text, ": No space left on device");
    assert_non_null(reason);
    assert_string_equal(reason, ": No space left on device");
}

static void foreign_parts_are_made_presentable(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, -EINVAL, "its state is %.40s", "a\x1b[2J\x7f\n\xff");
    assert_string_equal(err.text, "its state is a [2J  ?");
    err_set_errno(&err, ENOENT, "/tmp/\x01");
    assert_string_equal(err.text, "/tmp/ : No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_parts_are_made_presentable),
        cmocka_unit_test(set_records_code_and_sentence),
        cmocka_unit_test(errno_is_explained_and_kept),
        cmocka_unit_test(wrap_puts_context_in_front),
        cmocka_unit_test(wrap_never_turns_failure_into_success),
        cmocka_unit_test(null_is_accepted),
        cmocka_unit_test(own_text_may_be_an_argument),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(a_text_that_just_fits_is_not_cut),
        cmocka_unit_test(the_reason_survives_a_long_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
