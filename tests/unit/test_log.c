/* Log lines: what they look like, and that no content breaks their form. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const time_ms NOON = 1795348800123; /* 2026-11-22T12:00:00.123Z */

static void levels_have_names(void **state)
{
    (void)state;
    static const struct {
        enum log_level level;
        const char *name;
    } cases[] = {
        {LEVEL_ERROR, "error"}, {LEVEL_WARNING, "warning"}, {LEVEL_NOTICE, "notice"},
        {LEVEL_INFO, "info"},   {LEVEL_DEBUG, "debug"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(log_level_name(cases[i].level), cases[i].name);
    assert_string_equal(log_level_name((enum log_level)99), "unknown");
}

static void fields_in_both_formats(void **state)
{
    (void)state;
    struct log_line line;
    struct buf out;

    log_line_start(&line, NOON, LEVEL_NOTICE, "key.delivered", "delivered to %s", "vault");
    log_line_text(&line, "account", "sampleacct");
    log_line_text(&line, "left_out", NULL);
    log_line_number(&line, "cycle", -7);
    log_line_number(&line, "zero", 0);
    log_line_time(&line, "next", NOON - 123 + MS_DAY);
    log_line_time(&line, "never", TIME_NEVER);

    buf_init(&out, LOG_LINE_MAX);
    assert_int_equal(log_format_logfmt(&out, &line), 0);
    assert_string_equal(buf_str(&out),
                        "time=2026-11-22T12:00:00.123Z level=notice event=key.delivered "
                        "msg=\"delivered to vault\" account=sampleacct cycle=-7 zero=0 "
                        "next=2026-11-23T12:00:00Z\n");
    buf_clear(&out);
    assert_int_equal(log_format_json(&out, &line), 0);
    assert_string_equal(buf_str(&out),
                        "{\"time\":\"2026-11-22T12:00:00.123Z\",\"level\":\"notice\","
                        "\"event\":\"key.delivered\",\"msg\":\"delivered to vault\","
                        "\"account\":\"sampleacct\",\"cycle\":-7,\"zero\":0,"
                        "\"next\":\"2026-11-23T12:00:00Z\"}\n");
    buf_done(&out);
}

/* The value as it stands in a logfmt line, and what a JSON reader finds in the JSON line. */
static void values_cannot_break_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *logfmt;
        const char *read_back;
    } cases[] = {
        {"plain-1.0/x:y", "plain-1.0/x:y", "plain-1.0/x:y"},
        {"", "\"\"", ""},
        {"two words", "\"two words\"", "two words"},
        {"a=b", "\"a=b\"", "a=b"},
        {"say \"no\"", "\"say \\\"no\\\"\"", "say \"no\""},
        {"back\\slash", "\"back\\\\slash\"", "back\\slash"},
        {"x\nlevel=error event=forged", "\"x\\nlevel=error event=forged\"",
         "x\nlevel=error event=forged"},
        {"x\r\n", "\"x\\r\\n\"", "x\r\n"},
        {"\t", "\"\\t\"", "\t"},
        {"\x1b[31m", "\"\\u001b[31m\"", "\x1b[31m"},
        {"\x7f", "\"\\u007f\"", "\x7f"},
        {"\xC2\x9B"
         "31m",
         "\"\\u009b31m\"",
         "\xC2\x9B"
         "31m"},
        {"\xE2\x80\xA8", "\"\\u2028\"", "\xE2\x80\xA8"},
        {"M\xC3\xBCller", "\"M\xC3\xBCller\"", "M\xC3\xBCller"},
        {"bad \xff byte", "\"bad \xEF\xBF\xBD byte\"", "bad \xEF\xBF\xBD byte"},
        {"\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct log_line line;
        struct buf out;
        char expected[512];
        struct err err;

        log_line_start(&line, 0, LEVEL_INFO, "e", "%s", cases[i].value);
        log_line_text(&line, "v", cases[i].value);
        buf_init(&out, LOG_LINE_MAX);

        log_format_logfmt(&out, &line);
        bool quoted = cases[i].logfmt[0] == '"';
        snprintf(expected, sizeof(expected),
                 "time=1970-01-01T00:00:00.000Z level=info event=e msg=%s%s%s v=%s\n",
                 quoted ? "" : "\"", cases[i].logfmt, quoted ? "" : "\"", cases[i].logfmt);
        assert_string_equal(buf_str(&out), expected);
        assert_ptr_equal(strchr(out.data, '\n'), out.data + out.length - 1);

        buf_clear(&out);
        log_format_json(&out, &line);
        assert_ptr_equal(strchr(out.data, '\n'), out.data + out.length - 1);
        struct json_object *object = json_parse(out.data, out.length, &err);
        assert_non_null(object);
        assert_string_equal(json_string(object, "v"), cases[i].read_back);
        assert_string_equal(json_string(object, "msg"), cases[i].read_back);
        json_object_put(object);
        buf_done(&out);
    }
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    struct log_line line;
    char text[2 * LOG_MESSAGE_MAX + 1];

    for (size_t i = 0; i < 2 * LOG_MESSAGE_MAX; i += 2)
        memcpy(text + i, "\xC3\xA4", 2);
    text[2 * LOG_MESSAGE_MAX] = '\0';
    for (int shift = 0; shift < 2; shift++) {
        log_line_start(&line, 0, LEVEL_INFO, "e", "%s%s", shift == 0 ? "" : "x", text);
        size_t length = strlen(line.message);
        assert_in_range(length, LOG_MESSAGE_MAX - 3, LOG_MESSAGE_MAX - 1);
        assert_true(utf8_valid(line.message, length));
        assert_string_equal(line.message + length - 3, "...");
    }
    text[LOG_MESSAGE_MAX - 2] = '\0';
    log_line_start(&line, 0, LEVEL_INFO, "e", "%s", text);
    assert_string_equal(line.message, text);
}

static void long_values_are_cut(void **state)
{
    (void)state;
    static char text[5 * LOG_VALUE_MAX + 1];
    struct log_line line;
    struct buf out;
    struct err err;

    memset(text, 'v', sizeof(text) - 1);
    for (size_t length = LOG_VALUE_MAX - 1; length <= LOG_VALUE_MAX + 1; length++) {
        text[length] = '\0';
        log_line_start(&line, 0, LEVEL_INFO, "e", "m");
        log_line_text(&line, "v", text);
        buf_init(&out, LOG_LINE_MAX);
        assert_int_equal(log_format_json(&out, &line), 0);
        struct json_object *object = json_parse(out.data, out.length, &err);
        const char *value = json_string(object, "v");
        assert_int_equal(strlen(value), length > LOG_VALUE_MAX ? LOG_VALUE_MAX : length);
        assert_int_equal(str_ends_with(value, "..."), length > LOG_VALUE_MAX);
        json_object_put(object);

        buf_clear(&out);
        assert_int_equal(log_format_logfmt(&out, &line), 0);
        assert_int_equal(str_ends_with(buf_str(&out), "...\"\n"), length > LOG_VALUE_MAX);
        text[length] = 'v';
        buf_done(&out);
    }
}

/* As many fields as possible, as long as possible, of bytes that need the longest escapes. */
static void the_longest_line_fits(void **state)
{
    (void)state;
    static char text[2 * LOG_VALUE_MAX];
    struct log_line line;
    struct buf out;

    memset(text, '\x01', sizeof(text) - 1);
    log_line_start(&line, NOON, LEVEL_INFO, "e", "%s", text);
    for (int i = 0; i < LOG_FIELDS_MAX + 5; i++)
        log_line_text(&line, "a_name_that_is_as_long_as_names_become", text);
    assert_int_equal(line.field_count, LOG_FIELDS_MAX);
    buf_init(&out, LOG_LINE_MAX);
    assert_int_equal(log_format_logfmt(&out, &line), 0);
    buf_clear(&out);
    assert_int_equal(log_format_json(&out, &line), 0);
    buf_done(&out);
}

static void instants_past_the_limit_are_left_out(void **state)
{
    (void)state;
    struct log_line line;

    log_line_start(&line, NOON, LEVEL_INFO, "e", "m");
    for (int i = 0; i < LOG_TIMES_MAX + 2; i++)
        log_line_time(&line, "t", i * MS_SECOND);
    assert_int_equal(line.field_count, LOG_TIMES_MAX);
    assert_string_equal(line.fields[0].text, "1970-01-01T00:00:00Z");
    assert_string_equal(line.fields[LOG_TIMES_MAX - 1].text, "1970-01-01T00:00:07Z");
}

static void count_line(void *context, const struct log_line *line)
{
    (void)line;
    ++*(int *)context;
}

static void levels_are_filtered(void **state)
{
    (void)state;
    int count = 0;
    struct log log = {.level = LEVEL_NOTICE, .write = count_line, .context = &count};
    struct log_line line;

    for (int level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++) {
        assert_int_equal(log_enabled(&log, (enum log_level)level), level <= LEVEL_NOTICE);
        log_line_start(&line, 0, (enum log_level)level, "e", "m");
        log_emit(&log, &line);
    }
    assert_int_equal(count, 3);
    log.write = NULL;
    log_emit(&log, &line);
    assert_false(log_enabled(&log, LEVEL_ERROR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(fields_in_both_formats),
        cmocka_unit_test(values_cannot_break_the_line),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(the_longest_line_fits),
        cmocka_unit_test(instants_past_the_limit_are_left_out),
        cmocka_unit_test(levels_are_filtered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
