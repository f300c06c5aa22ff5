/* Secrets: content, comparison, wiping, locking page by page, and many of them at once. */
#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static void holds_a_copy_with_a_nul_behind(void **state)
{
    (void)state;
    char original[] = "a\0b";
    struct secret *secret = secret_new(original, 3);

    memset(original, 'x', sizeof(original));
    assert_int_equal(secret_length(secret), 3);
    assert_memory_equal(secret_bytes(secret), "a\0b", 4);
    secret_free(secret);
}

static void lengths_at_the_edges_of_slots(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 88, 127, 128, 4095, 4096, 4097, 65535, SECRET_MAX};
    static char bytes[SECRET_MAX + 1];

    memset(bytes, 'k', sizeof(bytes));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct secret *secret = secret_new(bytes, lengths[i]);
        assert_non_null(secret);
        assert_int_equal(secret_length(secret), lengths[i]);
        assert_memory_equal(secret_bytes(secret), bytes, lengths[i]);
        assert_int_equal(secret_bytes(secret)[lengths[i]], '\0');
        secret_free(secret);
    }
    assert_null(secret_new(bytes, SECRET_MAX + 1));
}

static void neighbours_do_not_touch(void **state)
{
    (void)state;
    static char bytes[5000];

    memset(bytes, 'k', sizeof(bytes));
    for (size_t length = 1; length < sizeof(bytes); length++) {
        struct secret *first = secret_new(bytes, length);
        struct secret *second = secret_new(bytes, length);
        secret_free(first);
        first = secret_new(bytes, length); /* where it was, before the second */
        assert_memory_equal(secret_bytes(second), bytes, length);
        secret_free(first);
        assert_memory_equal(secret_bytes(second), bytes, length);
        secret_free(second);
    }
}

static void equality(void **state)
{
    (void)state;
    struct secret *a = secret_new("key-1", 5);
    struct secret *same = secret_clone(a);
    struct secret *other = secret_new("key-2", 5);
    struct secret *longer = secret_new("key-11", 6);

    assert_true(secret_equal(a, a));
    assert_true(secret_equal(a, same));
    assert_ptr_not_equal(secret_bytes(a), secret_bytes(same));
    assert_false(secret_equal(a, other));
    assert_false(secret_equal(a, longer));
    assert_false(secret_equal(a, NULL));
    assert_false(secret_equal(NULL, a));
    assert_false(secret_equal(NULL, NULL));
    secret_free(a);
    secret_free(same);
    secret_free(other);
    secret_free(longer);
}

static void null_is_accepted(void **state)
{
    (void)state;
    struct secret *none = NULL;

    secret_free(NULL);
    secret_clear(&none);
    assert_null(secret_clone(NULL));
    wipe(NULL, 0);
    wipe(NULL, 5);
}

static void clear_forgets_the_handle(void **state)
{
    (void)state;
    struct secret *secret = secret_new("x", 1);

    secret_clear(&secret);
    assert_null(secret);
}

static void freed_bytes_are_wiped(void **state)
{
    (void)state;
    /* A second secret keeps the pages alive. The first bytes of a free slot link it to others. */
    struct secret *neighbour = secret_new("neighbour", 9);
    struct secret *secret = secret_new("0123456789abcdefTOPSECRET", 25);
    const char *bytes = secret_bytes(secret);
    static const char zeros[17];

    secret_free(secret);
    assert_memory_equal(bytes + 8, zeros, sizeof(zeros));
    assert_string_equal(secret_bytes(neighbour), "neighbour");
    secret_free(neighbour);
}

static void many_secrets_do_not_overlap(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static struct secret *secrets[COUNT];
    char text[32];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            if (!secrets[i]) {
                int length = snprintf(text, sizeof(text), "secret number %d", i);
                secrets[i] = secret_new(text, (size_t)length);
            }
        }
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof(text), "secret number %d", i);
            assert_string_equal(secret_bytes(secrets[i]), text);
            if (i % (round + 2) != 0)
                secret_clear(&secrets[i]);
        }
    }
    for (int i = 0; i < COUNT; i++)
        secret_clear(&secrets[i]);
}

/* What the kernel says of the mapping that holds `address` (proc(5), smaps), or false. */
static bool mapping_has_flag(const void *address, const char *flag)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool inside = false, found = false;

    if (!smaps)
        return false;
    while (fgets(line, sizeof(line), smaps)) {
        char *rest;
        uintptr_t start = strtoul(line, &rest, 16);
        if (rest != line && *rest == '-')
            inside =
                (uintptr_t)address >= start && (uintptr_t)address < strtoul(rest + 1, NULL, 16);
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = !!strstr(line, flag);
    }
    fclose(smaps);
    return found;
}

static void pages_stay_out_of_dumps_and_swap(void **state)
{
    (void)state;
    struct secret *secret = secret_new("k", 1);
    struct secret *neighbour = secret_new("n", 1);

    if (!mapping_has_flag(secret_bytes(secret), "rd")) {
        secret_free(secret);
        secret_free(neighbour);
        skip(); /* no smaps here */
    }
    assert_true(mapping_has_flag(secret_bytes(secret), " dd"));
    bool locked = mapping_has_flag(secret_bytes(secret), " lo");
    secret_free(neighbour);
    assert_int_equal(mapping_has_flag(secret_bytes(secret), " lo"), locked);
    secret_free(secret);
}

static void works_where_nothing_may_be_locked(void **state)
{
    (void)state;
    struct rlimit before, none;

    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    struct secret *secret = secret_new("unlocked", 8);
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
    assert_non_null(secret);
    assert_string_equal(secret_bytes(secret), "unlocked");
    secret_free(secret);
}

static void wipe_overwrites(void **state)
{
    (void)state;
    char bytes[] = "secret";

    wipe(bytes, 3);
    assert_memory_equal(bytes, "\0\0\0ret", sizeof(bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_a_copy_with_a_nul_behind),
        cmocka_unit_test(lengths_at_the_edges_of_slots),
        cmocka_unit_test(neighbours_do_not_touch),
        cmocka_unit_test(equality),
        cmocka_unit_test(null_is_accepted),
        cmocka_unit_test(clear_forgets_the_handle),
        cmocka_unit_test(freed_bytes_are_wiped),
        cmocka_unit_test(many_secrets_do_not_overlap),
        cmocka_unit_test(pages_stay_out_of_dumps_and_swap),
        cmocka_unit_test(works_where_nothing_may_be_locked),
        cmocka_unit_test(wipe_overwrites),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
