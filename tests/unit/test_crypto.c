/* The primitives against published vectors. */
#include "base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* FIPS 180-4 examples, and the empty message. */
static void sha256(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t digest[SHA256_LENGTH];
        char text[2 * SHA256_LENGTH + 1];
        assert_int_equal(crypto_sha256(cases[i].text, strlen(cases[i].text), digest), 0);
        hex_encode(digest, sizeof(digest), text);
        assert_string_equal(text, cases[i].digest);
    }
}

/* RFC 4231, test cases 1, 2 and 6; the last one is HMAC of nothing under an empty key. */
static void hmac_sha256(void **state)
{
    (void)state;
    uint8_t key_1[20], key_6[131];
    memset(key_1, 0x0b, sizeof(key_1));
    memset(key_6, 0xaa, sizeof(key_6));
    const struct {
        const void *key;
        size_t key_length;
        const char *text;
        const char *digest;
    } cases[] = {
        {key_1, sizeof(key_1), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {key_6, sizeof(key_6), "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {NULL, 0, "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t digest[SHA256_LENGTH];
        char text[2 * SHA256_LENGTH + 1];
        assert_int_equal(crypto_hmac_sha256(cases[i].key, cases[i].key_length, cases[i].text,
                                            strlen(cases[i].text), digest),
                         0);
        hex_encode(digest, sizeof(digest), text);
        assert_string_equal(text, cases[i].digest);
    }
}

static void random_bytes_differ(void **state)
{
    (void)state;
    uint8_t first[32], second[32];

    assert_int_equal(crypto_random(first, sizeof(first)), 0);
    assert_int_equal(crypto_random(second, sizeof(second)), 0);
    assert_memory_not_equal(first, second, sizeof(first));
    assert_int_equal(crypto_random(first, 0), 0);
}

static void uuids_have_their_form(void **state)
{
    (void)state;
    char previous[UUID_TEXT_MAX] = "";

    for (int i = 0; i < 100; i++) {
        char uuid[UUID_TEXT_MAX];
        assert_int_equal(crypto_uuid(uuid), 0);
        assert_int_equal(strlen(uuid), 36);
        assert_int_equal(strspn(uuid, "0123456789abcdef-"), 36);
        for (size_t at = 0; at < 36; at++)
            assert_int_equal(uuid[at] == '-', at == 8 || at == 13 || at == 18 || at == 23);
        assert_int_equal(uuid[14], '4');
        assert_non_null(strchr("89ab", uuid[19]));
        assert_string_not_equal(uuid, previous);
        memcpy(previous, uuid, sizeof(uuid));
    }
}

/* In a process of its own, because the first use of OpenSSL cannot be undone. */
static void freed_memory_is_wiped_from_the_beginning_or_not(void **state)
{
    uint8_t digest[SHA256_LENGTH];
    int status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(crypto_sha256("abc", 3, digest) == 0 && !crypto_wipe_freed_memory() ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);

    assert_true(crypto_wipe_freed_memory());
    assert_int_equal(crypto_sha256("abc", 3, digest), 0);
    assert_true(crypto_wipe_freed_memory());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freed_memory_is_wiped_from_the_beginning_or_not),
        cmocka_unit_test(sha256),
        cmocka_unit_test(hmac_sha256),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(uuids_have_their_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
