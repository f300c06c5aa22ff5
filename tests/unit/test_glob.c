#include "base/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_matches(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool exactly, any_case;
    } cases[] = {
        {"", "", true, true},
        {"", "a", false, false},
        {"a", "a", true, true},
        {"a", "A", false, true},
        {"a", "ab", false, false},
        {"a?", "ab", true, true},
        {"a?", "a", false, false},
        {"*", "", true, true},
        {"*", "anything", true, true},
        {"**", "", true, true},
        {"prod*", "prod-1", true, true},
        {"prod*", "Prod-1", false, true},
        {"prod*", "reprod", false, false},
        {"*prod", "reprod", true, true},
        {"*a*b", "xaxbxb", true, true},
        {"*a*b", "xaxbxc", false, false},
        {"a*", "", false, false},
        {"?*", "", false, false},
        {"[a]", "a", false, false},
        {"[a]", "[a]", true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(glob_match(cases[i].pattern, cases[i].text, false), cases[i].exactly);
        assert_int_equal(glob_match(cases[i].pattern, cases[i].text, true), cases[i].any_case);
    }
}

/* One that tries every split would not end within a lifetime. */
static void test_takes_no_time(void **state)
{
    char pattern[201], text[2001];

    (void)state;
    for (size_t i = 0; i < 200; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[200] = '\0';
    memset(text, 'a', sizeof(text) - 2);
    text[1999] = 'b';
    text[2000] = '\0';
    assert_false(glob_match(pattern, text, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_takes_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
