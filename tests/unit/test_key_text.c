#include "proto/key_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* base64 of 64 bytes each; B has every character that JSON may escape */
#define KEY_A                                                                                      \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define KEY_B                                                                                      \
    "A/+/AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define KEY_B_SLASHES                                                                              \
    "A\\/+\\/AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw"   \
    "=="
#define KEY_B_UNICODE                                                                              \
    "A\\u002f\\u002B\\u002FAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1"   \
    "Njc4OTo7PD0\\u002BPw\\u003D\\u003d"
/* 32 bytes, 48 bytes (no padding), 16 bytes */
#define KEY_32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_48 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
#define KEY_16 "AAECAwQFBgcICQoLDA0ODw=="
#define ID                                                                                         \
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/Default1azurebatchWest2/"  \
    "providers/Microsoft.Batch/batchAccounts/acct"

static void test_find(void **state)
{
    static const struct {
        const char *bytes;
        size_t count;
        const char *keys[SIGHTING_KEYS_MAX];
        uint64_t cycle;
    } cases[] = {
        {"", 0, {NULL}, 0},
        {"\n", 0, {NULL}, 0},
        {"nothing here", 0, {NULL}, 0},
        {KEY_A, 1, {KEY_A}, 0},
        {KEY_A "\n", 1, {KEY_A}, 0},
        {"AZURE_BATCH_ACCOUNT=acct\nAZURE_BATCH_ACCESS_KEY=" KEY_A
         "\nAZURE_BATCH_ENDPOINT=https://acct.westeurope.batch.azure.com\n",
         1,
         {KEY_A},
         0},
        {"AccountKey=" KEY_A ";EndpointSuffix=x", 1, {KEY_A}, 0},
        {"key: '" KEY_A "'", 1, {KEY_A}, 0},
        {"{\"key\":\"" KEY_B "\"}", 1, {KEY_B}, 0},
        {"{\"key\":\"" KEY_B_SLASHES "\"}", 1, {KEY_B}, 0},
        {"{\"key\":\"" KEY_B_UNICODE "\"}", 1, {KEY_B}, 0},
        {"{\"account\":\"acct\",\"resource_id\":\"" ID "\",\"key\":\"" KEY_A "\",\"cycle\":17}\n",
         1,
         {KEY_A},
         17},
        {"{\"key\":\"" KEY_A "\",\"cycle\":\"17\"}", 1, {KEY_A}, 0},
        {"{\"key\":\"" KEY_A "\",\"cycle\":-1}", 1, {KEY_A}, 0},
        {"{\"cycle\":17,\"other\":\"" KEY_A "\"}", 1, {KEY_A}, 0},
        {"{\"key\":\"" KEY_A "\",\"cycle\":17", 1, {KEY_A}, 0},
        {KEY_A "\n" KEY_B "\n" KEY_A, 2, {KEY_A, KEY_B}, 0},
        /* the usual length goes before any other */
        {KEY_32 "\n" KEY_A, 1, {KEY_A}, 0},
        {KEY_32, 1, {KEY_32}, 0},
        {KEY_48, 1, {KEY_48}, 0},
        {KEY_16, 0, {NULL}, 0},
        /* damaged ones are none */
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=",
         0,
         {NULL},
         0},
        /* paths are not keys */
        {ID, 0, {NULL}, 0},
        {"/usr/share/Documents1/resourceGroups/and/so/on/and/on/and/on/ab", 0, {NULL}, 0},
        {"00000000000000000000000000000000000000000000000000000000000000000000", 0, {NULL}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key_text found;

        assert_int_equal(
            key_text_find(&found, &key_shape_base64, cases[i].bytes, strlen(cases[i].bytes)), 0);
        assert_int_equal(found.key_count, cases[i].count);
        for (size_t k = 0; k < found.key_count; k++)
            assert_string_equal(secret_bytes(found.keys[k]), cases[i].keys[k]);
        assert_int_equal(found.cycle, cases[i].cycle);
        key_text_done(&found);
        assert_int_equal(found.key_count, 0);
    }
}

/* Keys of other resource types: tokens of letters and digits, hexadecimal, base64url. */
static void test_other_shapes(void **state)
{
    static const struct key_shape token = {
        .noun = "a token", .marks = "", .usual = 52, .shortest = 52};
    static const struct key_shape hex = {
        .noun = "hexadecimal", .marks = "", .letters = KEY_CASE_ONE, .usual = 32, .shortest = 32};
    static const struct key_shape url = {
        .noun = "base64url", .marks = "-_", .usual = 43, .shortest = 43};
    static const struct {
        const struct key_shape *shape;
        const char *bytes, *key;
    } cases[] = {
        {&token, "KEY=qy1krPHnANxO2JiK8Pw3YCOM8gaNPrQxBgtCdND8hOxwbIBGxaOi\n",
         "qy1krPHnANxO2JiK8Pw3YCOM8gaNPrQxBgtCdND8hOxwbIBGxaOi"},
        {&token, "qy1krPHnANxO2JiK8Pw3YCOM8gaNPrQxBgtCdND8hOxwbIBGxaO", NULL},
        {&hex, "{\"key\":\"0123456789abcdef0123456789abcdef\"}",
         "0123456789abcdef0123456789abcdef"},
        {&hex, "0123456789ABCDEF0123456789ABCDEF", "0123456789ABCDEF0123456789ABCDEF"},
        {&hex, "01234567890123456789012345678901", NULL},
        {&url, "pv1krPHnANxO-JiK8Pw3YCOM8gaNPrQxBg_CdND8hOx",
         "pv1krPHnANxO-JiK8Pw3YCOM8gaNPrQxBg_CdND8hOx"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *bytes = cases[i].bytes;
        struct key_text found;

        assert_int_equal(key_text_find(&found, cases[i].shape, bytes, strlen(bytes)), 0);
        assert_int_equal(found.key_count, cases[i].key ? 1 : 0);
        if (cases[i].key) {
            assert_string_equal(secret_bytes(found.keys[0]), cases[i].key);
            assert_true(key_text_fits(found.keys[0], cases[i].shape));
        }
        key_text_done(&found);
    }
}

static void test_any_bytes(void **state)
{
    static const char bytes[] = "\0\xff\xfe" KEY_A "\0\\";
    struct key_text found;

    (void)state;
    assert_int_equal(key_text_find(&found, &key_shape_base64, bytes, sizeof(bytes) - 1), 0);
    assert_int_equal(found.key_count, 1);
    assert_string_equal(secret_bytes(found.keys[0]), KEY_A);
    key_text_done(&found);
}

static void test_at_most_so_many(void **state)
{
    char bytes[8 * sizeof(KEY_A) + 1] = "";
    struct key_text found;

    (void)state;
    for (int i = 0; i < 8; i++) {
        char key[] = KEY_A "\n";

        key[0] = (char)('A' + i);
        strcat(bytes, key);
    }
    assert_int_equal(key_text_find(&found, &key_shape_base64, bytes, strlen(bytes)), 0);
    assert_int_equal(found.key_count, SIGHTING_KEYS_MAX);
    key_text_done(&found);
}

static void test_endless_run(void **state)
{
    static char bytes[100000];
    struct key_text found;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = "aB3"[i % 3];
    assert_int_equal(key_text_find(&found, &key_shape_base64, bytes, sizeof(bytes)), 0);
    assert_int_equal(found.key_count, 0);
}

static void test_redact(void **state)
{
    static const struct {
        const char *text;
        bool redacted;
    } cases[] = {
        {"signature 'kKFYC3eFL1irmhiUSYxETHJxRc4ivzrmpxPyVrVHdyw=' is wrong", true},
        {"key " KEY_A " is wrong", true},
        {"token "
         "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsIng1dCI6IjJaUXBKM1VwYmpBWVhZR2FYRUpsOGxWMFRPSSJ9 x",
         true},
        {"scope " ID " x", false},
        {"AADSTS7000215: Invalid client secret provided", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[400];

        (void)snprintf(text, sizeof(text), "%s", cases[i].text);
        key_text_redact(text);
        assert_int_equal(strlen(text), strlen(cases[i].text));
        assert_int_equal(!!strstr(text, "********"), cases[i].redacted);
        if (!cases[i].redacted)
            assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),        cmocka_unit_test(test_other_shapes),
        cmocka_unit_test(test_any_bytes),   cmocka_unit_test(test_at_most_so_many),
        cmocka_unit_test(test_endless_run), cmocka_unit_test(test_redact),
    };

    return cmocka_run_group_tests_name("key_text", tests, NULL, NULL);
}
