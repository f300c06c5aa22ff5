/* Targets of type file: templates, in the configuration or in files of their own, and owners. */
#include "conf/target_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_fixture.h"

enum { TEXT_MAX = 8192 };

#define TARGET(rest) "targets: {t: {type: file, path: \"/k/{account}\", " rest "}}"

#define BLOCK(template)                                                                            \
    "targets:\n  t:\n    type: file\n    path: /k/{account}\n    format: template\n    "           \
    "template: " template

static void expect(const char *targets, const char *messages)
{
    char text[TEXT_MAX];

    config_fixture_compose(&(const struct config_lines){.targets = targets}, text, sizeof(text));
    config_unref(config_fixture_expect(text, messages));
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *targets, *messages;
    } cases[] = {
        {TARGET("format: template"),
         "k.yaml:4:14: targets.t.template: is missing; write the text there, or its file's path as "
         "`template_file`\n"},
        {TARGET("template: \"{key}\""),
         "k.yaml:4:49: targets.t.template: has no effect without `format: template`; add it\n"},
        {TARGET("format: env, template: \"{key}\""),
         "k.yaml:4:62: targets.t.template: has no effect without `format: template`; add it\n"},
        {TARGET("template_file: /none"),
         "k.yaml:4:49: targets.t.template_file: has no effect without `format: template`; add "
         "it\n"},
        {TARGET("format: template, template: \"{key}\", template_file: /none"),
         "k.yaml:4:86: targets.t.template_file: stands beside `template`; keep one of them\n"},
        {TARGET("format: template, template: \"{kye}\""),
         "k.yaml:4:77: targets.t.template: unknown placeholder {kye}; did you mean {key}?\n"},
        {TARGET("format: template, template: \"{name}\""),
         "k.yaml:4:77: targets.t.template: holds neither {key} nor {connection_string}, so nobody "
         "would get the key; add {key}\n"},
        {TARGET("format: template, template: \"k:{connection_string}\""),
         "k.yaml:4:77: targets.t.template: {connection_string}: clients of a Batch account take "
         "none; write {name}, {key} and {endpoint} in the form that they read\n"},
        {TARGET("format: template, template: \"\""),
         "k.yaml:4:77: targets.t.template: \"\" cannot stand here; write a text with placeholders "
         "such as {key}\n"},
        {TARGET("format: template, template_file: keys"),
         "k.yaml:4:82: targets.t.template_file: \"keys\" cannot stand here; write an absolute "
         "path\n"},
        {TARGET("format: template, template_file: /no/where"),
         "k.yaml:4:82: targets.t.template_file: cannot open /no/where: No such file or directory; "
         "write the path of a template\n"},
        {TARGET("owner: \"{location}\""),
         "k.yaml:4:56: targets.t.owner: {location} cannot stand in an owner; use {account}, "
         "{resource_group} or {subscription_id}\n"},
        {"targets:\n  t:\n    type: |\n      file\n    path: |\n      /k/{account}\n",
         "k.yaml:6:11: targets.t.type: contains a line break or another control character; write "
         "it in one line\n"},
        {"targets:\n  t:\n    type: file\n    path: |\n      /k/{account}\n",
         "k.yaml:7:11: targets.t.path: contains a line break or another control character; write "
         "it in one line\n"},
        {"targets: {t: {type: file, path: \"/k/{account}\\n\"}}",
         "k.yaml:4:33: targets.t.path: contains a line break or another control character; write "
         "it in one line\n"},
        {"targets: {t: {type: \"file\\n\", path: \"/k/{account}\"}}",
         "k.yaml:4:21: targets.t.type: contains a line break or another control character; write "
         "it in one line\n"},
        /* Styles in which YAML joins lines: folded, in single quotes, without quotes. */
        {BLOCK(">\n      a\n\n      {key}\n"),
         "k.yaml:9:15: targets.t.template: has several lines, some of which YAML joins; write them "
         "as a block, `template: |`\n"},
        {BLOCK("'a\n\n      {key}'\n"),
         "k.yaml:9:15: targets.t.template: has several lines, some of which YAML joins; write them "
         "as a block, `template: |`\n"},
        {BLOCK("a\n\n      {key}\n"),
         "k.yaml:9:15: targets.t.template: has several lines, some of which YAML joins; write them "
         "as a block, `template: |`\n"},
        {"targets: {t: {type: hashicorp_vault, address: 'https://v:8200', path: a, auth: "
         "{token_file: "
         "t}, keys: {a: \"{key}\", b: 'x\n\n  y'}}}",
         "k.yaml:4:119: targets.t.keys.b: has several lines, some of which YAML joins; write them "
         "as a block, `b: |`\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect(cases[i].targets, cases[i].messages);
}

/* A target whose template is the file `name` of this directory, and its path. */
static const char *template_file(const char *content, char path[512], char out[1024])
{
    assert_non_null(getcwd(path, 400));
    (void)strcat(path, "/keys.ini");
    config_fixture_write("keys.ini", content);
    (void)snprintf(out, 1024, TARGET("format: template, template_file: %s"), path);
    return out;
}

static void test_mistakes_in_files(void **state)
{
    static const struct {
        const char *content, *problem;
    } cases[] = {
        {"", " is empty; write a text with placeholders such as {key}"},
        {"{kye}", ": unknown placeholder {kye}; did you mean {key}?"},
        {"key",
         ": holds neither {key} nor {connection_string}, so nobody would get the key; add "
         "{key}"},
        {"{connection_string}",
         ": {connection_string}: clients of a Batch account take none; "
         "write {name}, {key} and {endpoint} in the form that they read"},
    };
    char path[512], target[1024], messages[2048];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *targets = template_file(cases[i].content, path, target);

        (void)snprintf(messages, sizeof(messages), "k.yaml:4:82: targets.t.template_file: %s%s\n",
                       path, cases[i].problem);
        expect(targets, messages);
    }
}

static const struct target_file *settings_of(const struct config *config)
{
    assert_non_null(config);
    assert_int_equal(config->accounts[0].destination_count, 1);
    return target_file_of(&config->accounts[0].destinations[0]);
}

static void test_texts(void **state)
{
    static const struct {
        const char *template, *content;
    } cases[] = {
        {"|\n      [batch]\n      key = {key}\n", "[batch]\nkey = {key}\n"},
        {"\"[batch]\\n\\tkey = {key}\\n\"\n", "[batch]\n\tkey = {key}\n"},
        /* The last line ends like the others. */
        {"\"[batch]\\nkey = {key}\"\n", "[batch]\nkey = {key}\n"},
        {"'key = {key}'\n", "key = {key}\n"},
        {"|-\n      key = {key}\n", "key = {key}\n"},
    };
    char path[512], target[1024], text[TEXT_MAX];
    struct config *config;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(target, sizeof(target), BLOCK("%s"), cases[i].template);
        config_fixture_compose(&(const struct config_lines){.targets = target}, text, sizeof(text));
        config = config_fixture_expect(text, "");
        assert_string_equal(settings_of(config)->content, cases[i].content);
        config_unref(config);
    }
    /* A file is taken as it is. */
    config_fixture_compose(
        &(const struct config_lines){.targets = template_file("{key}", path, target)}, text,
        sizeof(text));
    config = config_fixture_expect(text, "");
    assert_string_equal(settings_of(config)->content, "{key}");
    config_unref(config);
    config_fixture_compose(
        &(const struct config_lines){.targets =
                                         template_file("{{\"key\": \"{key}\"}}\n", path, target)},
        text, sizeof(text));
    config = config_fixture_expect(text, "");
    assert_string_equal(settings_of(config)->content, "{{\"key\": \"{key}\"}}\n");
    config_unref(config);
}

static void expect_described(const char *targets, const char *words, const char *json)
{
    char text[TEXT_MAX];
    const struct destination *destination;
    struct config *config;
    struct buf out;

    config_fixture_compose(&(const struct config_lines){.targets = targets}, text, sizeof(text));
    config = config_fixture_expect(text, "");
    assert_non_null(config);
    destination = &config->accounts[0].destinations[0];
    buf_init(&out, TEXT_MAX);
    destination->type->describe(destination, &out);
    assert_string_equal(buf_str(&out), words);
    buf_clear(&out);
    destination->type->write(destination, &out);
    assert_string_equal(buf_str(&out), json);
    buf_done(&out);
    config_unref(config);
}

static void test_descriptions(void **state)
{
    (void)state;
    expect_described(TARGET("mode: '0600'"), "file /k/sampleacct (the key alone, mode 0600)",
                     "\"path\":\"/k/sampleacct\",\"mode\":\"0600\",\"owner\":null,\"group\":null,"
                     "\"format\":\"raw\",\"template\":null");
    expect_described(TARGET("format: template, template: \"k={key}\", owner: \"u-{account}\""),
                     "file /k/sampleacct (template, mode 0600, owner u-sampleacct; in the service "
                     "with the drop-in key-owners.conf)",
                     "\"path\":\"/k/sampleacct\",\"mode\":\"0600\",\"owner\":\"u-sampleacct\","
                     "\"group\":null,\"format\":\"template\",\"template\":\"k={key}\\n\"");
}

int main(void)
{
#define IN_A_DIRECTORY(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(test_mistakes),
        IN_A_DIRECTORY(test_mistakes_in_files),
        IN_A_DIRECTORY(test_texts),
        IN_A_DIRECTORY(test_descriptions),
    };

    return cmocka_run_group_tests_name("config_file", tests, NULL, NULL);
}
