#include "base/sealed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char token[] = "eyJhbGciOiJub25lIn0.a-token-of-some-length.0123456789";

static void test_opens_to_the_same(void **state)
{
    struct secret *secret = secret_new(token, strlen(token));
    struct sealed *sealed = sealed_new(secret);
    struct secret *first, *second;

    (void)state;
    assert_non_null(sealed);
    first = sealed_open(sealed);
    second = sealed_open(sealed);
    assert_true(secret_equal(first, secret));
    assert_true(secret_equal(second, secret));
    assert_string_equal(secret_bytes(first), token);
    secret_free(first);
    secret_free(second);
    secret_free(secret);
    sealed_free(sealed);
    sealed_free(NULL);
}

static void test_nothing_is_something(void **state)
{
    struct secret *secret = secret_new("", 0);
    struct sealed *sealed = sealed_new(secret);
    struct secret *opened = sealed_open(sealed);

    (void)state;
    assert_int_equal(secret_length(opened), 0);
    secret_free(opened);
    secret_free(secret);
    sealed_free(sealed);
}

static void test_parts_say_nothing(void **state)
{
    struct secret *secret = secret_new(token, strlen(token));
    struct secret *pad = secret_random(strlen(token));
    struct secret *masked = secret_xor(secret, pad);
    struct secret *other_pad = secret_random(strlen(token));
    struct secret *shorter = secret_random(3);

    (void)state;
    assert_false(secret_equal(pad, other_pad));
    assert_false(secret_equal(masked, secret));
    for (size_t i = 0; i + 8 <= strlen(token); i++) {
        assert_memory_not_equal(secret_bytes(masked) + i, token + i, 8);
        assert_memory_not_equal(secret_bytes(pad) + i, token + i, 8);
    }
    assert_null(secret_xor(secret, shorter));
    secret_free(shorter);
    secret_free(other_pad);
    secret_free(masked);
    secret_free(pad);
    secret_free(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_to_the_same),
        cmocka_unit_test(test_nothing_is_something),
        cmocka_unit_test(test_parts_say_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
