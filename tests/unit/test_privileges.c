/* Which missing capabilities are reported to uid 0. */
#include "io/sandbox/privileges.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void root_is_told_what_it_lacks(void **state)
{
    (void)state;
    const uint64_t all = UINT64_MAX;
    char text[PRIVILEGES_TEXT_MAX];

    assert_false(privileges_describe(0, all, text));
    assert_string_equal(text, "");
    assert_false(privileges_describe(1000, 0, text)); /* it knows that it is not root */
    assert_true(privileges_describe(0, 0, text));
    assert_string_equal(text,
                        "runs as uid 0 without CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER: it cannot "
                        "give files to a group that it is not in, nor read and write what modes "
                        "forbid to root, nor set modes of what others own. Run it as the user who "
                        "owns the directories of key files, or give it these capabilities");
    assert_true(privileges_describe(0, all & ~(UINT64_C(1) << CAP_CHOWN), text));
    assert_non_null(strstr(text, "without CAP_CHOWN: it cannot give files"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_is_told_what_it_lacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
