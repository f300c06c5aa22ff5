#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Test vectors of draft-eastlake-fnv, appendix C. */
static void test_known_values(void **state)
{
    (void)state;
    assert_int_equal(hash_bytes(HASH_START, "", 0), UINT64_C(0xcbf29ce484222325));
    assert_int_equal(hash_bytes(HASH_START, "a", 1), UINT64_C(0xaf63dc4c8601ec8c));
    assert_int_equal(hash_bytes(HASH_START, "foobar", 6), UINT64_C(0x85944171f73967e8));
}

static void test_goes_on(void **state)
{
    (void)state;
    assert_int_equal(hash_byte(hash_bytes(HASH_START, "fooba", 5), 'r'),
                     hash_bytes(HASH_START, "foobar", 6));
}

static void test_folded_text(void **state)
{
    (void)state;
    assert_int_equal(hash_folded_text(HASH_START, "Batch/A"), hash_bytes(HASH_START, "batch/a", 8));
    assert_int_not_equal(hash_folded_text(hash_folded_text(HASH_START, "ab"), "c"),
                         hash_folded_text(hash_folded_text(HASH_START, "a"), "bc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_folded_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
