/*
 * JSON: what is accepted, what is refused and where, how values are read by type, and how strings
 * are written. Many of the refused texts are ones that json-c would take on its own.
 */
#include "base/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* A string literal with its length, so that NUL can be inside. */
#define TEXT(literal) (literal), sizeof(literal) - 1

static struct json_object *parse(const char *text)
{
    struct err err;
    struct json_object *value = json_parse(text, strlen(text), &err);

    if (!value)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static void valid_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        " \t\r\n{ \"a\" : [ 1 , 2 ] } \n",
        "\"top\"",
        "\"\"",
        "true",
        "false",
        "0",
        "-0",
        "7",
        "-1.5e+10",
        "1E2",
        "1e-2",
        "0.0",
        "[null]",
        "9223372036854775807",
        "-9223372036854775808",
        "[1,[2,[3,{\"a\":{}}]]]",
        "[[],{},[],{},[],{},[],{},[],{},[],{},[],{},[],{},[],{},[],{},[],{},[],{},[],{},[],{}]",
        "{\"\":1}",
        "{\"a\":1,\"A\":2,\"b\":{\"a\":3},\"c\":[{\"a\":4},{\"a\":5}]}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDD11\"",
        "\"\xC3\xA9 \xF0\x9F\x94\x91 \x7F\"",
        "\"\\ufffe \\uFFFF\"",
        "18446744073709551616.0", /* no integer: nobody reads it as one */
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        json_object_put(parse(texts[i]));
}

struct refused {
    const char *text;
    size_t length;
    size_t offset;
    const char *reason;
};

static const struct refused REFUSED[] = {
    /* What json-c accepts although it was told to be strict. */
    {TEXT("{\"a\":1,\"a\":2}"), 7, "member name occurs twice"},
    {TEXT("{\"a\":1,\"b\":0,\"\\u0061\":2}"), 13, "member name occurs twice"},
    {TEXT("{\"\":1,\"\":2}"), 6, "member name occurs twice"},
    {TEXT("{\"\xC3\xA9\":1,\"\\u00E9\":2}"), 8, "member name occurs twice"},
    {TEXT("{\"x\":{\"a\":1,\"a\":1}}"), 12, "member name occurs twice"},
    {TEXT("{'a':1}"), 1, "expected a string in double quotes"},
    {TEXT("['a']"), 1, "expected a value"},
    {TEXT("NaN"), 0, "expected a value"},
    {TEXT("[nan]"), 1, "expected a value"},
    {TEXT("Infinity"), 0, "expected a value"},
    {TEXT("-Infinity"), 1, "expected a digit"},
    {TEXT("TRUE"), 0, "expected a value"},
    {TEXT("[Null]"), 1, "expected a value"},
    {TEXT("\"a\tb\""), 2, "control character in a string"},
    {TEXT("\"a\nb\""), 2, "control character in a string"},
    {TEXT("\"a\x01\""), 2, "control character in a string"},
    {TEXT("\"a\x1f\""), 2, "control character in a string"},
    {TEXT("\"a\0b\""), 2, "control character in a string"},
    {TEXT("9223372036854775808"), 0, "integer out of range"},
    {TEXT("[18446744073709551616]"), 1, "integer out of range"},
    {TEXT("[-9223372036854775809]"), 1, "integer out of range"},
    {TEXT("[1,99999999999999999999999999]"), 3, "integer out of range"},
    {TEXT("{\"a\\u0000b\":1}"), 5, "\\u0000 is refused"},
    {TEXT("\"a\\u0000b\""), 4, "\\u0000 is refused"},
    {TEXT("\"\xff\""), 1, "invalid UTF-8"},
    {TEXT("\"\xC0\xAF\""), 1, "invalid UTF-8"},
    {TEXT("\"a\xED\xA0\x80\""), 2, "invalid UTF-8"},
    {TEXT("\"\xF4\x90\x80\x80\""), 1, "invalid UTF-8"},
    {TEXT("\"\xE2\x82\""), 1, "invalid UTF-8"},
    {TEXT("{\"\xff\":1}"), 2, "invalid UTF-8"},
    {TEXT("\"\\ud800\""), 3, "lone surrogate"},
    {TEXT("\"\\udc00\""), 3, "lone surrogate"},
    {TEXT("\"\\ud800x\""), 3, "lone surrogate"},
    {TEXT("\"\\ud800\\n\""), 3, "lone surrogate"},
    {TEXT("\"\\ud800\\ud800\""), 3, "lone surrogate"},
    {TEXT("\"\\udc00\\ud800\""), 3, "lone surrogate"},
    {TEXT("{\"a\":1}\0x"), 7, "expected the end"},
    {TEXT("{\"a\":1}\0"), 7, "expected the end"},
    {TEXT("{\"a\":1} x"), 8, "expected the end"},
    {TEXT("{}{}"), 2, "expected the end"},
    {TEXT("1 2"), 2, "expected the end"},
    /* Texts that end too early. */
    {TEXT(""), 0, "expected a value"},
    {TEXT("  "), 2, "expected a value"},
    {TEXT("{"), 1, "expected a string in double quotes"},
    {TEXT("{\"a"), 3, "unterminated string"},
    {TEXT("{\"a\""), 4, "expected ':'"},
    {TEXT("{\"a\":"), 5, "expected a value"},
    {TEXT("{\"a\":1"), 6, "expected ',' or '}'"},
    {TEXT("[1"), 2, "expected ',' or ']'"},
    {TEXT("[1,"), 3, "expected a value"},
    {TEXT("\"\\"), 2, "unknown escape"},
    {TEXT("\"\\u12"), 3, "expected four hex digits"},
    {TEXT("\"\\ud83d\\u"), 9, "expected four hex digits"},
    {TEXT("tru"), 0, "expected a value"},
    {TEXT("-"), 1, "expected a digit"},
    {TEXT("1."), 2, "expected a digit"},
    {TEXT("1e+"), 3, "expected a digit"},
    /* Everything else that looks like JSON. */
    {TEXT("\xEF\xBB\xBF{}"), 0, "expected a value"},
    {TEXT("{a:1}"), 1, "expected a string in double quotes"},
    {TEXT("{\"a\":1,}"), 7, "expected a string in double quotes"},
    {TEXT("[1,]"), 3, "expected a value"},
    {TEXT("[,1]"), 1, "expected a value"},
    {TEXT("[1 2]"), 3, "expected ',' or ']'"},
    {TEXT("{\"a\" 1}"), 5, "expected ':'"},
    {TEXT("{\"a\":1 \"b\":2}"), 7, "expected ',' or '}'"},
    {TEXT("[1}"), 2, "expected ',' or ']'"},
    {TEXT("{\"a\":1]"), 6, "expected ',' or '}'"},
    {TEXT("]"), 0, "expected a value"},
    {TEXT("01"), 1, "expected the end"},
    {TEXT("-01"), 2, "expected the end"},
    {TEXT("+1"), 0, "expected a value"},
    {TEXT(".5"), 0, "expected a value"},
    {TEXT("1.e5"), 2, "expected a digit"},
    {TEXT("0x10"), 1, "expected the end"},
    {TEXT("truest"), 4, "expected the end"},
    {TEXT("\"\\x41\""), 2, "unknown escape"},
    {TEXT("\"\\'\""), 2, "unknown escape"},
    {TEXT("\"\\u00g0\""), 3, "expected four hex digits"},
    {TEXT("\"\\u 041\""), 3, "expected four hex digits"},
    {TEXT("/* c */ 1"), 0, "expected a value"},
    {TEXT("1 // c"), 2, "expected the end"},
    {TEXT("[1]\v"), 3, "expected the end"},
    {TEXT("[1\xC2\xA0]"), 2, "expected ',' or ']'"},
};

static void refused_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        const struct refused *refused = &REFUSED[i];
        struct err err;
        char expected[ERR_TEXT_MAX];

        err_clear(&err);
        /* An exact copy on the heap lets the sanitizers see a read past the end. */
        char *copy = malloc(refused->length > 0 ? refused->length : 1);
        assert_non_null(copy);
        memcpy(copy, refused->text, refused->length);
        struct json_object *value = json_parse(copy, refused->length, &err);
        free(copy);
        snprintf(expected, sizeof(expected), "invalid JSON at byte %zu: %s", refused->offset,
                 refused->reason);
        assert_null(value);
        assert_int_equal(err.code, -EBADMSG);
        assert_string_equal(err.text, expected);
    }
}

static void a_bare_null_is_refused(void **state)
{
    (void)state;
    struct err err;

    assert_null(json_parse(" null ", 6, &err));
    assert_int_equal(err.code, -EBADMSG);
    assert_null(json_parse("null", 4, NULL));
}

/* `depth` containers within each other around `core`; the caller frees. */
static char *nest(int depth, const char *opening, const char *core, const char *closing)
{
    struct buf text;

    buf_init(&text, 1000);
    for (int i = 0; i < depth; i++)
        buf_append_str(&text, opening);
    buf_append_str(&text, core);
    for (int i = 0; i < depth; i++)
        buf_append_str(&text, closing);
    char *taken = buf_take(&text);
    buf_done(&text);
    return taken;
}

static void nesting_is_limited(void **state)
{
    (void)state;
    static const struct {
        const char *opening, *core, *closing;
    } kinds[] = {
        {"[", "", "]"}, {"[", "1", "]"}, {"{\"a\":", "\"x\"", "}"}, {"{\"a\":", "[]", "}"}};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct err err;
        int core_depth = kinds[i].core[0] == '[';
        char *deepest =
            nest(JSON_DEPTH_MAX - core_depth, kinds[i].opening, kinds[i].core, kinds[i].closing);
        char *too_deep = nest(JSON_DEPTH_MAX + 1 - core_depth, kinds[i].opening, kinds[i].core,
                              kinds[i].closing);
        json_object_put(parse(deepest));
        assert_null(json_parse(too_deep, strlen(too_deep), &err));
        assert_non_null(strstr(err.text, "nested too deep"));
        free(deepest);
        free(too_deep);
    }
}

static void many_names_are_compared_quickly(void **state)
{
    (void)state;
    enum { NAMES = 50000 };
    struct buf text;
    struct err err;

    buf_init(&text, 2000000);
    for (int i = 0; i < NAMES; i++)
        buf_append_format(&text, "%s\"name %d\":%d", i == 0 ? "{" : ",", i, i);
    buf_append_str(&text, "}");
    struct json_object *value = json_parse(text.data, text.length, &err);
    assert_non_null(value);
    assert_int_equal(json_object_object_length(value), NAMES);
    json_object_put(value);

    buf_truncate(&text, text.length - 1);
    buf_append_str(&text, ",\"name 17\":0}");
    assert_null(json_parse(text.data, text.length, &err));
    assert_non_null(strstr(err.text, "member name occurs twice"));
    buf_done(&text);
}

static void only_the_given_bytes_are_read(void **state)
{
    (void)state;
    struct err err;
    struct json_object *value = json_parse("12345", 2, &err);

    assert_int_equal(json_object_get_int64(value), 12);
    json_object_put(value);
}

static const char SAMPLE[] =
    "{\"text\":\"Zg==\",\"number\":7,\"large\":9223372036854775807,\"small\":-9223372036854775808,"
    "\"digits\":\"3599\",\"padded\":\" 3599\",\"huge\":\"9223372036854775808\",\"whole\":3.0,"
    "\"yes\":true,\"no\":false,\"nothing\":null,\"object\":{},\"array\":[1],\"empty\":\"\"}";

static void values_are_read_by_type(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *string; /* NULL: no string */
        bool is_integer, is_boolean;
        int64_t integer;
        bool boolean;
    } cases[] = {
        {"text", "Zg==", false, false, 0, false},
        {"number", NULL, true, false, 7, false},
        {"large", NULL, true, false, INT64_MAX, false},
        {"small", NULL, true, false, INT64_MIN, false},
        {"digits", "3599", false, false, 0, false},
        {"padded", " 3599", false, false, 0, false},
        {"huge", "9223372036854775808", false, false, 0, false},
        {"whole", NULL, false, false, 0, false},
        {"yes", NULL, false, true, 0, true},
        {"no", NULL, false, true, 0, false},
        {"nothing", NULL, false, false, 0, false},
        {"object", NULL, false, false, 0, false},
        {"array", NULL, false, false, 0, false},
        {"empty", "", false, false, 0, false},
        {"absent", NULL, false, false, 0, false},
        {"Text", NULL, false, false, 0, false},
    };
    struct json_object *sample = parse(SAMPLE);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *name = cases[i].name;
        int64_t integer = -99;
        bool boolean = !cases[i].boolean;
        const char *string = json_string(sample, name);

        assert_int_equal(!!string, !!cases[i].string);
        if (string)
            assert_string_equal(string, cases[i].string);
        assert_int_equal(json_int64(sample, name, &integer), cases[i].is_integer);
        assert_int_equal(integer, cases[i].is_integer ? cases[i].integer : -99);
        assert_int_equal(json_boolean(sample, name, &boolean), cases[i].is_boolean);
        assert_int_equal(boolean == cases[i].boolean, cases[i].is_boolean);

        struct secret *secret = json_secret(sample, name);
        assert_int_equal(!!secret, !!cases[i].string);
        if (secret)
            assert_string_equal(secret_bytes(secret), cases[i].string);
        secret_free(secret);
    }
    json_free_wiped(sample);
}

static void members_of_what_is_no_object(void **state)
{
    (void)state;
    struct json_object *array = parse("[{\"a\":1}]");
    int64_t number;

    assert_null(json_member(NULL, "a"));
    assert_null(json_member(array, "a"));
    assert_null(json_string(NULL, "a"));
    assert_null(json_secret(array, "a"));
    assert_false(json_int64(array, "a", &number));
    assert_non_null(json_member(json_object_array_get_idx(array, 0), "a"));
    json_object_put(array);
    json_free_wiped(NULL);
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    struct json_object *value =
        parse("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDD11\"}");

    assert_string_equal(json_string(value, "a"), "\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x94\x91");
    json_object_put(value);
}

static void strings_with_nul_inside_are_not_read(void **state)
{
    (void)state;
    struct json_object *object = json_object_new_object();

    json_object_object_add(object, "a", json_object_new_string_len("x\0y", 3));
    assert_null(json_string(object, "a"));
    json_object_put(object);
}

static void strings_are_wiped(void **state)
{
    (void)state;
    struct json_object *value = parse(
        "{\"keys\":[{\"value\":\"a rather long secret that would not fit inline\"},\"short\"]}");
    struct json_object *keys = json_object_get(json_member(value, "keys"));
    struct json_object *nested = json_object_array_get_idx(keys, 0);
    const char *text = json_string(nested, "value");
    static const char zeros[40];

    assert_non_null(text);
    json_free_wiped(value); /* the array lives on: we hold a reference to it */
    assert_memory_equal(text, zeros, sizeof(zeros));
    assert_int_equal(json_object_get_string(json_object_array_get_idx(keys, 1))[0], '\0');
    json_object_put(keys);
}

static void strings_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        const char *written;
    } cases[] = {
        {TEXT(""), "\"\""},
        {TEXT("plain / text"), "\"plain / text\""},
        {TEXT("\"\\"), "\"\\\"\\\\\""},
        {TEXT("a\n\r\tb"), "\"a\\n\\r\\tb\""},
        {TEXT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\""},
        {TEXT("\xC3\xA9\xF0\x9F\x94\x91"), "\"\xC3\xA9\xF0\x9F\x94\x91\""},
        {TEXT("\xC2\x9B"
              "31m"),
         "\"\\u009b31m\""}, /* a terminal would obey */
        {TEXT("\xE2\x80\xA8\xE2\x80\xA9"), "\"\\u2028\\u2029\""},
        {TEXT("a\xff"
              "b"),
         "\"a\xEF\xBF\xBD"
         "b\""},
        {TEXT("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {TEXT("cut \xE2\x82"), "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\""},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out;
        buf_init(&out, 200);
        assert_int_equal(json_append_string(&out, cases[i].text, cases[i].length), 0);
        assert_string_equal(buf_str(&out), cases[i].written);
        buf_done(&out);
    }
}

/* Every byte there is, written by us and read back by json-c. */
static void what_is_written_can_be_read(void **state)
{
    (void)state;
    struct buf original, out;

    buf_init(&original, 1000);
    buf_init(&out, 10000);
    for (int c = 1; c < 128; c++)
        buf_append_char(&original, (char)c);
    buf_append_str(&original, "\xC2\x80\xE2\x80\xA8\xF4\x8F\xBF\xBF");
    buf_append_str(&out, "{\"a\":");
    json_append_string(&out, original.data, original.length);
    buf_append_str(&out, "}");
    struct json_object *value = parse(buf_str(&out));
    assert_string_equal(json_string(value, "a"), buf_str(&original));
    json_object_put(value);
    buf_done(&original);
    buf_done(&out);
}

static void writing_reports_a_full_buffer(void **state)
{
    (void)state;
    struct buf out;

    buf_init(&out, 4);
    assert_int_equal(json_append_string(&out, "ab", 2), 0);
    buf_clear(&out);
    assert_int_equal(json_append_string(&out, "abc", 3), -EMSGSIZE);
    buf_done(&out);
}

/* Only the member "read" matters, whatever stands beside it. */
static void what_nobody_reads_decides_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
    } texts[] = {
        {TEXT("\xEF\xBB\xBF{\"read\":\"x\"}")},
        {TEXT("{\"tags\":{\"a\":\"\\ud83d\"},\"read\":\"x\"}")},
        {TEXT("{\"tags\":{\"a\":\"\\udd11\\\\\"},\"read\":\"x\"}")},
        {TEXT("{\"read\":\"x\",\"tags\":{\"a\":\"\\u0000\"}}")},
        {TEXT("{\"read\":\"x\",\"tags\":{\"a\":\"\\x41\\\"}\"}}")},
        {TEXT("{\"read\":\"x\",\"tags\":{\"a\":\"\\u12\"}}")},
        {TEXT("{\"read\":\"x\",\"tags\":{\"a\":\"tab\there\"}}")},
        {TEXT("{\"read\":\"x\",\"tags\":{\"a\":\"\xff\"}}")},
        {TEXT("{\"read\":\"x\",\"tags\":{\"a\":\"nul\0here\"}}")},
        {TEXT("{\"read\":\"x\",\"n\":18446744073709551615}")},
        {TEXT("{\"n\":[1,-99999999999999999999,2],\"read\":\"x\"}")},
        {TEXT("{\"n\":1e999,\"read\":\"x\"}")},
        {TEXT("{\"n\":NaN,\"m\":-Infinity,\"o\":01,\"p\":1.,\"q\":True,\"read\":\"x\"}")},
        {TEXT("{\"tags\":{\"a\":\"1\",\"a\":\"2\"},\"read\":\"x\"}")},
        {TEXT(
            "{\"tags\":{\"a\":{\"b\":null},\"a\":[\"2\",null],\"\\u0061\":\"\"},\"read\":\"x\"}")},
        {TEXT("{\"tags\":{\"a\":{\"b\":1,\"b\":2},\"a\":{\"b\":1,\"b\":2}},\"read\":\"x\"}")},
        {TEXT("{\"tags\":1,\"read\":\"x\",\"tags\":{}}")},
        {TEXT("{\"\\ud83d\":1,\"\\udd11\":{\"a\":null},\"\xff\":\"s\",\"\\u0000\":2,\"read\":"
              "\"x\"}")},
        {TEXT("{\"deep\":[[[[[[[[[[[[[[[[[[[[[[[[[[\"]\\\"]\",{}]]]]]]]]]]]]]]]]]]]]]]]]]],"
              "\"read\":\"x\"}")},
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        static const char *const names[] = {"read"};
        struct err err;
        char *copy = malloc(texts[i].length);

        err_clear(&err);
        assert_non_null(copy);
        memcpy(copy, texts[i].text, texts[i].length);
        struct json_object *value = json_parse_foreign(copy, texts[i].length, &err);
        free(copy);
        if (!value)
            fail_msg("%s: %s", texts[i].text, err.text);
        assert_string_equal(json_string(value, "read"), "x");
        assert_int_equal(json_check_members(value, names, 1, &err), 0);
        json_free_wiped(value);
    }
}

static void what_is_read_stands_once_and_is_valid(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"read\":\"x\",\"read\":\"x\"}",
        "{\"read\":\"x\",\"r\\u0065ad\":null}",
        "{\"read\":{\"a\":1},\"b\":2,\"read\":[1,2,3],\"read\":\"x\"}",
        "{\"read\":\"\\ud83d\"}",
        "{\"read\":\"a\\u0000b\"}",
        "{\"read\":18446744073709551615}",
        "{\"read\":1e999}",
        "{\"read\":-1e999}",
        "{\"read\":NaN}",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        static const char *const names[] = {"other", "read"};
        struct json_object *value;
        struct err err;
        int64_t number;

        err_clear(&err);
        value = json_parse_foreign(texts[i], strlen(texts[i]), &err);
        assert_non_null(value);
        assert_null(json_string(value, "read"));
        assert_false(json_int64(value, "read", &number));
        assert_true(json_is_unusable(json_member(value, "read")));
        assert_int_equal(json_check_members(value, names, 2, &err), -EBADMSG);
        assert_string_equal(err.text,
                            "the member \"read\" occurs twice, or has a value that "
                            "is not valid JSON");
        json_object_put(value);
    }
}

static void a_text_without_structure_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\xEF\xBB\xBF",
        "\xEF\xBB\xBF\xEF\xBB\xBF{}",
        "<html>",
        "{\"a\":\"x",
        "{\"a\":\"\\",
        "{\"a\":\"\\ud83d}",
        "{\"a\":1",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "[1,]",
        "{} x",
        "null",
        "{\"a\\ud83d:1}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct err err;

        err_clear(&err);
        assert_null(json_parse_foreign(texts[i], strlen(texts[i]), &err));
        assert_int_equal(err.code, -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts),
        cmocka_unit_test(refused_texts),
        cmocka_unit_test(a_bare_null_is_refused),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(many_names_are_compared_quickly),
        cmocka_unit_test(only_the_given_bytes_are_read),
        cmocka_unit_test(values_are_read_by_type),
        cmocka_unit_test(members_of_what_is_no_object),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(strings_with_nul_inside_are_not_read),
        cmocka_unit_test(strings_are_wiped),
        cmocka_unit_test(strings_are_written),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(writing_reports_a_full_buffer),
        cmocka_unit_test(what_nobody_reads_decides_nothing),
        cmocka_unit_test(what_is_read_stands_once_and_is_valid),
        cmocka_unit_test(a_text_without_structure_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
