#include "base/cause.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const of_alpha[] = {"alpha", "group-one", NULL};
static const char *const of_beta[] = {"b", "two", NULL};

static void test_alike_or_not(void **state)
{
    static const struct {
        const char *of_alpha;
        const char *of_beta;
        bool alike;
    } cases[] = {
        {"alpha: no", "b: no", true},
        {"alpha: no", "b: yes", false},
        {"cannot open /keys/group-one/alpha", "cannot open /keys/two/b", true},
        {"cannot open /keys/Alpha", "cannot open /keys/B", true},
        {"alphabet", "bbet", false},                    /* a part of a word is no name */
        {"a rebuild of alpha", "a rebuild of b", true}, /* "b" stands in "rebuild", too */
        {"request 1f-2e at 12:00:01", "request 9a-0b at 23:59:59", true},
        {"after 1 ms", "after 10001 ms", true},
        {"after 1 ms", "after one ms", false},
        {"", "", true},
        {0, 0, true},
        {"", 0, false},
        {"alpha b", "alpha b", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool alike = cause_hash(HASH_START, cases[i].of_alpha, of_alpha) ==
                     cause_hash(HASH_START, cases[i].of_beta, of_beta);

        if (alike != cases[i].alike)
            fail_msg("%s | %s", cases[i].of_alpha, cases[i].of_beta);
    }
}

static void test_texts_are_apart(void **state)
{
    uint64_t one = cause_hash(cause_hash(HASH_START, "a", of_beta), "c", of_beta);
    uint64_t other = cause_hash(cause_hash(HASH_START, "ac", of_beta), "", of_beta);

    (void)state;
    assert_true(one != other);
    assert_true(cause_hash_number(one, 403) != cause_hash_number(one, 404));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alike_or_not),
        cmocka_unit_test(test_texts_are_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
