/* Strings and encodings. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static void comparison(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal, equal_nocase;
    } cases[] = {
        {"abc", "abc", true, true},
        {"abc", "ABC", false, true},
        {"abc", "abcd", false, false},
        {"", "", true, true},
        {"", "a", false, false},
        {NULL, NULL, true, true},
        {NULL, "", false, false},
        {"@[`{", "@[`{", true, true},
        {"@", "`", false, false},
        {"[", "{", false, false},
        {"\xC3\x84", "\xC3\xA4", false, false}, /* letters beyond ASCII keep their case */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(str_equal(cases[i].a, cases[i].b), cases[i].equal);
        assert_int_equal(str_equal(cases[i].b, cases[i].a), cases[i].equal);
        assert_int_equal(str_equal_nocase(cases[i].a, cases[i].b), cases[i].equal_nocase);
        assert_int_equal(str_equal_nocase(cases[i].b, cases[i].a), cases[i].equal_nocase);
    }
}

static void beginnings_and_ends(void **state)
{
    (void)state;
    assert_true(str_starts_with("https://x", "https://"));
    assert_true(str_starts_with("x", ""));
    assert_false(str_starts_with("http", "https"));
    assert_false(str_starts_with("HTTPS://x", "https://"));
    assert_true(str_starts_with_nocase("HTTPS://x", "https://"));
    assert_false(str_starts_with_nocase("", "h"));
    assert_true(str_ends_with("a.yaml", ".yaml"));
    assert_true(str_ends_with("a", ""));
    assert_false(str_ends_with("yaml", ".yaml"));
    assert_false(str_ends_with("a.yaml.bak", ".yaml"));
}

static void lower_case_is_ascii_only(void **state)
{
    (void)state;
    char text[] = "AZaz09@[\xC3\x84";

    str_lower(text);
    assert_string_equal(text, "azaz09@[\xC3\x84");
}

static void copy_is_bounded(void **state)
{
    (void)state;
    char out[4] = "xyz";

    assert_true(str_copy(out, sizeof(out), "abc"));
    assert_string_equal(out, "abc");
    assert_false(str_copy(out, sizeof(out), "defg"));
    assert_string_equal(out, "def");
    assert_false(str_copy(out, 1, "a"));
    assert_string_equal(out, "");
    assert_false(str_copy(out, 0, ""));
}

static void fresh_strings(void **state)
{
    (void)state;
    char *formatted = str_format("%s=%d", "a", 1);
    char *copy = str_dup("copy");
    char *part = str_dup_n("copy", 2);
    char *all = str_dup_n("copy", 99);

    assert_string_equal(formatted, "a=1");
    assert_string_equal(copy, "copy");
    assert_string_equal(part, "co");
    assert_string_equal(all, "copy");
    assert_null(str_dup(NULL));
    assert_null(str_dup_n(NULL, 3));
    free(formatted);
    free(copy);
    free(part);
    free(all);
}

static void integers_are_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"7", true, 7},
        {"-7", true, -7},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"-0", false, 0},
        {"00", false, 0},
        {"007", false, 0},
        {"-07", false, 0},
        {"+7", false, 0},
        {" 7", false, 0},
        {"7 ", false, 0},
        {"7a", false, 0},
        {"0x7", false, 0},
        {"1e3", false, 0},
        {"1_000", false, 0},
        {"--7", false, 0},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = -99;
        assert_int_equal(str_to_int64(cases[i].text, &value), cases[i].valid);
        assert_int_equal(value, cases[i].valid ? cases[i].value : -99);
    }
}

static void percent_encoding(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        const char *encoded;
    } cases[] = {
        {"", 0, ""},
        {"AZaz09-._~", 10, "AZaz09-._~"},
        {"a b+c", 5, "a%20b%2Bc"},
        {"/?#[]@!$&'()*,;=", 16, "%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2C%3B%3D"},
        {"%\xC3\xA4\0", 4, "%25%C3%A4%00"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf encoded;

        buf_init(&encoded, 100);
        assert_int_equal(percent_encode(&encoded, cases[i].text, cases[i].length), 0);
        assert_string_equal(buf_str(&encoded), cases[i].encoded);
        buf_done(&encoded);
    }
}

static void hex(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xff};
    char text[9];
    uint8_t decoded[4];

    hex_encode(bytes, 4, text);
    assert_string_equal(text, "007f80ff");
    hex_encode(bytes, 0, text);
    assert_string_equal(text, "");
    assert_true(hex_decode("007F80fF", decoded, 4));
    assert_memory_equal(decoded, bytes, 4);
    assert_true(hex_decode("", decoded, 0));

    static const char *const wrong[] = {"007f80f", "007f80ff0", "007f80fg",
                                        "",        "007f 80f",  "0x7f80ff"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(hex_decode(wrong[i], decoded, 4));
}

/* RFC 4648, section 10, and the bytes that use the last two characters of the alphabet. */
static void base64_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *plain;
        const char *encoded;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xFB\xFF\xFE", "+//+"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t decoded[16];
        size_t length = strlen(cases[i].plain);
        char *encoded = base64_encode(cases[i].plain, length);
        assert_string_equal(encoded, cases[i].encoded);
        assert_int_equal(base64_decode(encoded, strlen(encoded), decoded, length), length);
        assert_memory_equal(decoded, cases[i].plain, length);
        if (length > 0)
            assert_int_equal(base64_decode(encoded, strlen(encoded), decoded, length - 1), -1);
        free(encoded);
    }
}

static void base64_decoding_is_strict(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "Z",        "Zg",   "Zg=",   "Zg===",  "=",     "====",     "Z===",
        "Zg==Zg==", "Zm8 ", "Zm8\n", "Zm9v\n", " Zm9v", "Zm-_",     "Zh==",
        "Zm9=",     "Zg=A", "Zm9vY", "Z=g=",   "=Zg=",  "Zm8=Zm9v", "Zm9\xC3",
    };
    uint8_t decoded[32];

    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(base64_decode(wrong[i], strlen(wrong[i]), decoded, sizeof(decoded)), -1);
    assert_int_equal(base64_decode("Zm\0v", 4, decoded, sizeof(decoded)), -1);
}

static void utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xC2\x80", true}, /* U+0080, the first of two bytes */
        {"\xDF\xBF", true},
        {"\xE0\xA0\x80", true},     /* U+0800, the first of three */
        {"\xED\x9F\xBF", true},     /* U+D7FF, before the surrogates */
        {"\xEE\x80\x80", true},     /* U+E000, behind them */
        {"\xF0\x90\x80\x80", true}, /* U+10000, the first of four */
        {"\xF4\x8F\xBF\xBF", true}, /* U+10FFFF, the last of all */
        {"\xC0\xAF", false},        /* overlong "/" */
        {"\xC1\xBF", false},
        {"\xE0\x9F\xBF", false},
        {"\xF0\x8F\xBF\xBF", false},
        {"\xED\xA0\x80", false},     /* U+D800 */
        {"\xED\xBF\xBF", false},     /* U+DFFF */
        {"\xF4\x90\x80\x80", false}, /* U+110000 */
        {"\xF8\x88\x80\x80\x80", false},
        {"\xFF", false},
        {"\x80", false},
        {"a\xC3", false},
        {"\xC3"
         "a",
         false},
        {"\xE2\x82", false},
        {"\xF0\x9F\x98", false},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    assert_true(utf8_valid("a\0b", 3));
}

static void utf8_code_points_there_and_back(void **state)
{
    (void)state;
    static const uint32_t code_points[] = {0,      0x41,   0x7F,   0x80,    0x7FF,   0x800,
                                           0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x1F511, 0x10FFFF};

    for (size_t i = 0; i < COUNT_OF(code_points); i++) {
        char text[4];
        uint32_t decoded = 1;
        size_t count = utf8_encode(code_points[i], text);
        assert_int_equal(utf8_character(text, count, &decoded), count);
        assert_int_equal(decoded, code_points[i]);
        assert_int_equal(utf8_character(text, count - 1, NULL), 0);
    }
}

static void utf8_cutting(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length, whole;
    } cases[] = {
        {"", 0, 0},
        {"abc", 2, 2},
        {"a\xC3\xA4", 3, 3},
        {"a\xC3\xA4", 2, 1},
        {"\xF0\x9F\x94\x91", 4, 4},
        {"\xF0\x9F\x94\x91", 3, 0},
        {"\xF0\x9F\x94\x91", 2, 0},
        {"\xF0\x9F\x94\x91", 1, 0},
        {"\xE2\x82\xAC\xE2\x82\xAC", 5, 3},
        {"\x80\x80\x80\x80\x80", 5, 5}, /* no character at all: nothing to protect */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(utf8_whole(cases[i].text, cases[i].length), cases[i].whole);
}

static void foreign_text_is_made_presentable(void **state)
{
    static const struct {
        const char *text;
        const char *shown;
    } cases[] = {
        {"plain \xC3\xA9", "plain \xC3\xA9"},
        {"a\nb\x1b[2J\x7f", "a b [2J "},
        {"\xC2\x9B"
         "31m",
         "  31m"}, /* what terminals take for the start of a command, in UTF-8 */
        {"\xFFx\xC0\xAF", "?x??"},
        {"cut \xE2\x82", "cut "},
        {"", ""},
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(str_copy(text, sizeof(text), cases[i].text));
        utf8_make_presentable(text);
        assert_string_equal(text, cases[i].shown);
    }
}

static void nearest_name(void **state)
{
    (void)state;
    static const char *const names[] = {
        "max_key_age", "rotate_every", "overlap", "window",     "splay",
        "verify",      "id",           "mode",    "deliver_to", NULL};
    static const struct {
        const char *text;
        const char *nearest;
    } cases[] = {
        {"overlap", "overlap"},
        {"overlpa", "overlap"},   /* swap */
        {"overap", "overlap"},    /* insert */
        {"overrlapp", "overlap"}, /* delete twice */
        {"windwos", "window"},    /* swap and delete */
        {"maxkeyage", "max_key_age"},
        {"maxKeyAge", "max_key_age"}, /* case does not count */
        {"OVERLAP", "overlap"},
        {"deliverto", "deliver_to"},
        {"spaly", "splay"},
        {"mod", "mode"},
        {"ids", "id"},
        {"moed", "mode"},
        {"maod", NULL}, /* short words: one edit only */
        {"moxd", NULL},
        {"x", NULL},
        {"", NULL},
        {"colour", NULL},
        {"rotate", NULL},
        {"a_word_that_is_much_longer_than_anything_that_could_be_meant_by_it_here", NULL},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *nearest = str_nearest(cases[i].text, names);
        if (!cases[i].nearest)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].nearest);
    }
    static const char *const none[] = {NULL};
    assert_null(str_nearest("anything", none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(lower_case_is_ascii_only),
        cmocka_unit_test(copy_is_bounded),
        cmocka_unit_test(fresh_strings),
        cmocka_unit_test(integers_are_strict),
        cmocka_unit_test(percent_encoding),
        cmocka_unit_test(hex),
        cmocka_unit_test(base64_there_and_back),
        cmocka_unit_test(base64_decoding_is_strict),
        cmocka_unit_test(utf8),
        cmocka_unit_test(utf8_code_points_there_and_back),
        cmocka_unit_test(utf8_cutting),
        cmocka_unit_test(foreign_text_is_made_presentable),
        cmocka_unit_test(nearest_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
