#include "ctl/config_show.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "same_members.h"

#define NOW 1795348800000 /* 2026-11-22T12:00:00Z */

enum { COLUMNS = 100 };

static const struct config_value_snapshot values[] = {
    {.key = "id", .value = "/s/acct", .file = "/etc/k/main.yaml", .line = 12, .from = "file"},
    {.key = "overlap", .value = "7d", .file = "/etc/k/conf.d/a.yaml", .line = 3, .from = "file"},
    {.key = "verify", .value = "auto", .from = "default"},
    {.key = "bell", .value = "\a", .from = "default"},
};
enum { VALUES = sizeof(values) / sizeof(values[0]) };

static void test_a_document_is_read_back(void **state)
{
    struct control_config config;
    struct err err;
    struct buf text;

    (void)state;
    buf_init(&text, CONTROL_REPLY_MAX);
    control_config_start(&text, "/s/acct", "acct", "rg", NOW);
    for (size_t i = 0; i < VALUES; i++)
        control_config_value(&text, &values[i]);
    control_config_end(&text);
    assert_int_equal(control_config_parse(buf_str(&text), text.length, &config, &err), 0);
    assert_string_equal(config.id, "/s/acct");
    assert_string_equal(config.name, "acct");
    assert_string_equal(config.resource_group, "rg");
    assert_true(config.loaded_at == NOW);
    assert_int_equal(config.value_count, VALUES);
    for (size_t i = 0; i < VALUES; i++) {
        const struct config_value_snapshot *got = &config.values[i], *expected = &values[i];

        SAME_TEXT(key);
        SAME_TEXT(value);
        SAME_TEXT(file);
        SAME(line);
        SAME_TEXT(from);
    }
    control_config_done(&config);
    assert_int_equal(control_config_parse("{\"id\":\"a\"}", 10, &config, &err), -EBADMSG);
    assert_int_equal(control_config_parse("[]", 2, &config, &err), -EBADMSG);
    assert_int_equal(control_config_parse("{", 1, &config, &err), -EBADMSG);
    buf_done(&text);
}

static void test_it_is_a_table(void **state)
{
    const struct control_config config = {.name = "acct",
                                          .resource_group = "rg",
                                          .loaded_at = NOW - MS_HOUR,
                                          .values = (struct config_value_snapshot *)values,
                                          .value_count = VALUES};
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    ctl_write_config(&out, &config, NOW);
    assert_string_equal(buf_str(&out),
                        "rg/acct, by the files that were read 2026-11-22T11:00:00Z (1h ago)\n"
                        "in /etc/k/\n"
                        "\n"
                        "id       main.yaml:12     /s/acct\n"
                        "overlap  conf.d/a.yaml:3  7d\n"
                        "verify   default          auto\n"
                        "bell     default          ?\n");
    buf_done(&out);
}

/* Values that are long go on below, none is cut, and no line is wider than the table may be. */
static void test_long_values_go_on(void **state)
{
    static const char *const texts[] = {
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/a-group/providers/"
        "Microsoft.Batch/batchAccounts/acct",
        "file /var/lib/keys/acct (the key alone, mode 0600, group batch), and a good many more "
        "words",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xc3"
        "\xbc",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct config_value_snapshot value = {
            .key = "a_key_of_some_length", .value = texts[i], .file = "/etc/k.yaml", .line = 1};
        const struct control_config config = {.loaded_at = NOW, .values = &value, .value_count = 1};
        const char *from = texts[i];
        struct buf out;

        buf_init(&out, 4096);
        ctl_write_config(&out, &config, NOW);
        for (const char *line = strstr(buf_str(&out), "a_key"); *line != '\0';) {
            const size_t length = strcspn(line, "\n");

            assert_true(length <= COLUMNS);
            line += strspn(line, " ");
            if (line[0] == 'a' && line[1] == '_')
                line = strstr(line, "k.yaml:1") + strlen("k.yaml:1  ");
            while (*line != '\n')
                assert_int_equal(*line++, *from++);
            line++;
        }
        assert_int_equal(*from, '\0');
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_document_is_read_back),
        cmocka_unit_test(test_it_is_a_table),
        cmocka_unit_test(test_long_values_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
