/* Targets of type hashicorp_vault: their keys, and what can be wrong with them. */
#include "conf/target_hashicorp_vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"
#include "io/target/target.h"

#define VAULT "type: hashicorp_vault, address: \"https://v:8200/\", "
#define TOKEN ", auth: {token_file: t}"

static void compose(const char *keys, char *out, size_t size)
{
    char targets[2048];
    const struct config_lines lines = {.targets = targets};

    (void)snprintf(targets, sizeof(targets), "targets: {t: {%s}}", keys);
    config_fixture_compose(&lines, out, size);
}

static struct config *expect(const char *keys, const char *messages)
{
    char text[4096];

    compose(keys, text, sizeof(text));
    return config_fixture_expect(text, messages);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *keys;
        const char *expected;
    } mistakes[] = {
        {VAULT "path: a",
         "k.yaml:4:14: targets.t.auth: is missing; give a mapping of keys (token_file, approle, "
         "kubernetes) to values\n"},
        {VAULT "path: a, auth: {}",
         "k.yaml:4:81: targets.t.auth: names no way to log in; give one of token_file, approle and "
         "kubernetes\n"},
        {VAULT "path: a, auth: {token_file: t, kubernetes: {role: r}}",
         "k.yaml:4:81: targets.t.auth: names several ways to log in; give one of token_file, "
         "approle and kubernetes\n"},
        {VAULT "path: a, auth: {approle: {role_id: r}}",
         "k.yaml:4:91: targets.t.auth.approle.secret_id_file: is missing; give the path of a "
         "file\n"},
        {VAULT "path: a, auth: {kubernetes: {role: r, mount: /k8s}}",
         "k.yaml:4:111: targets.t.auth.kubernetes.mount: has a slash too many; write it without "
         "one at its ends\n"},
        {VAULT "path: a/../b" TOKEN,
         "k.yaml:4:72: targets.t.path: holds \".\" or \"..\" as a name; write the path itself\n"},
        {VAULT "path: a//b" TOKEN,
         "k.yaml:4:72: targets.t.path: has a slash too many; write it without one at its ends\n"},
        {VAULT "path: a/" TOKEN,
         "k.yaml:4:72: targets.t.path: has a slash too many; write it without one at its ends\n"},
        {VAULT "path: a/b." TOKEN,
         "k.yaml:4:72: targets.t.path: ends with a dot, which Vault refuses; remove it\n"},
        {VAULT "path: a, mount: \"{location}\"" TOKEN,
         "k.yaml:4:82: targets.t.mount: {location} can stand in `path` alone; use {account}, "
         "{resource_group} or {subscription_id}\n"},
        {VAULT "path: a, engine: kv3" TOKEN,
         "k.yaml:4:83: targets.t.engine: unknown value \"kv3\"; did you mean kv2?\n"},
        {VAULT "path: a, keys: {k: \"{slot}\"}" TOKEN,
         "k.yaml:4:81: targets.t.keys: has no field with {key}; add one\n"},
        {VAULT "path: a, keys: {}" TOKEN,
         "k.yaml:4:81: targets.t.keys: is empty; name at least one\n"},
        {VAULT "path: a, keys: {k: \"{kye}\"}" TOKEN,
         "k.yaml:4:85: targets.t.keys.k: unknown placeholder {kye}; did you mean {key}?\n"},
        {VAULT "path: a, keys: {k: \"{{key}}\"}" TOKEN,
         "k.yaml:4:81: targets.t.keys: has no field with {key} in single braces (\"{{\" stands for "
         "a brace); add one\n"},
        {VAULT "path: \"{{account}}\"" TOKEN,
         "k.yaml:4:72: targets.t.path: holds \"{{\"; placeholders stand in single braces, such as "
         "{account}\n"},
        {"type: hashicorp_vault, address: \"https://v:8200/v1\", path: a" TOKEN,
         "k.yaml:4:47: targets.t.address: holds /v1, a path in the server; remove it and what "
         "follows, and write the address as in VAULT_ADDR\n"},
        {"type: hashicorp_vault, address: \"https://v/x/ui/\", path: a" TOKEN,
         "k.yaml:4:47: targets.t.address: holds /ui, a path in the server; remove it and what "
         "follows, and write the address as in VAULT_ADDR\n"},
        {"type: hashicorp_vault, address: \"http://v:8200\", path: a" TOKEN,
         "k.yaml:4:47: targets.t.address: \"http://v:8200\" would send tokens unencrypted; write "
         "https:// (http:// is accepted for loopback hosts and 169.254.169.254 alone)\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        assert_null(expect(mistakes[i].keys, mistakes[i].expected));
    config_unref(expect(VAULT "path: data/a" TOKEN,
                        "k.yaml:4:72: targets.t.path: warning: begins with data/, which the daemon "
                        "adds itself; remove it unless a folder of the engine has that name\n"));
}

static void test_what_is_written_twice(void **state)
{
    (void)state;
    config_unref(expect(VAULT "path: \"secret/{account}\"" TOKEN,
                        "k.yaml:4:72: targets.t.path: warning: begins with the mount, and `path` "
                        "is the path below it; remove \"secret/\" unless a folder of the engine "
                        "has that name\n"));
    config_unref(expect(VAULT "mount: a/kv, path: a/kv/data/b, engine: kv1" TOKEN,
                        "k.yaml:4:85: targets.t.path: warning: begins with the mount, and `path` "
                        "is the path below it; remove \"a/kv/\" unless a folder of the engine has "
                        "that name\n"));
    config_unref(expect(VAULT "path: secrets/a, auth: {kubernetes: {role: r, mount: auth/k8s}}",
                        "k.yaml:4:119: targets.t.auth.kubernetes.mount: warning: begins with "
                        "auth/, which the daemon adds itself; remove it unless the method is "
                        "enabled at auth/auth/k8s\n"));
    config_unref(
        expect("type: hashicorp_vault, address: \"https://v:8200/v12/\", path: a" TOKEN, ""));
}

static const struct target_hashicorp_vault *settings_of(const struct config *config)
{
    return target_hashicorp_vault_of(&config->accounts[0].destinations[0]);
}

static void test_defaults(void **state)
{
    struct config *config = expect(VAULT "path: \"batch/{account}\"" TOKEN, "");
    const struct target_hashicorp_vault *settings = settings_of(config);
    const struct destination *destination = &config->accounts[0].destinations[0];

    (void)state;
    assert_string_equal(destination->place, "https://v:8200/secret/batch/sampleacct");
    assert_string_equal(destination->place + settings->path_offset, "batch/sampleacct");
    assert_string_equal(settings->object.address, "https://v:8200");
    assert_null(settings->object.name_space);
    assert_string_equal(settings->object.mount, "secret");
    assert_int_equal(settings->object.engine, VAULT_KV2);
    assert_int_equal(settings->field_count, 3);
    assert_string_equal(settings->fields[0].name, "key");
    assert_string_equal(settings->fields[0].template, "{key}");
    assert_int_equal(settings->login.kind, VAULT_LOGIN_TOKEN);
    assert_string_equal(settings->login.file, "t");
    /* 90d of age: a rotation every 40d, overdue after 4d. */
    assert_int_equal(settings->period, 44 * MS_DAY);
    config_unref(config);
}

static void test_logins(void **state)
{
    struct config *config =
        expect(VAULT
               "path: \"{location}/{account}\", namespace: team/a, mount: kv, engine: kv1, "
               "keys: {k: \"{key}\"}, auth: {approle: {role_id: r, secret_id_file: s, "
               "wrapped: true}}",
               "");
    const struct target_hashicorp_vault *settings = settings_of(config);
    const struct destination *destination = &config->accounts[0].destinations[0];
    struct buf text;

    (void)state;
    assert_string_equal(destination->place, "https://v:8200/team/a/kv/{location}/sampleacct");
    assert_true(destination->needs_location);
    assert_string_equal(settings->login.mount, "approle");
    assert_string_equal(settings->login.role, "r");
    assert_true(settings->login.wrapped);
    buf_init(&text, 1024);
    target_hashicorp_vault_type.describe(destination, &text);
    assert_string_equal(buf_str(&text),
                        "hashicorp_vault https://v:8200/team/a/kv/{location}/sampleacct (KV "
                        "version 1, fields k, login by AppRole, wrapped secret id from "
                        "$CREDENTIALS_DIRECTORY/s)");
    buf_done(&text);
    config_unref(config);

    config = expect(VAULT "path: a, auth: {kubernetes: {role: r}}", "");
    settings = settings_of(config);
    assert_int_equal(settings->login.kind, VAULT_LOGIN_KUBERNETES);
    assert_string_equal(settings->login.mount, "kubernetes");
    assert_string_equal(settings->login.file,
                        "/var/run/secrets/kubernetes.io/serviceaccount/token");
    config_unref(config);
}

/* What is written belongs to an acknowledgement; who writes it does not. */
static void test_form(void **state)
{
    struct config *a = expect(VAULT "path: a" TOKEN, "");
    struct config *b = expect(VAULT "path: a, auth: {kubernetes: {role: r}}", "");
    struct config *c = expect(VAULT "path: a, keys: {k: \"{key}\"}" TOKEN, "");
    struct config *d = expect(VAULT "path: a, engine: kv1" TOKEN, "");
    struct target_id id = target_identify(&a->accounts[0].destinations[0]);
    struct target_id same = target_identify(&b->accounts[0].destinations[0]);
    struct target_id fields = target_identify(&c->accounts[0].destinations[0]);
    struct target_id engine = target_identify(&d->accounts[0].destinations[0]);

    (void)state;
    assert_true(target_id_equal(&id, &same));
    assert_false(target_id_equal(&id, &fields));
    assert_false(target_id_equal(&id, &engine));
    config_unref(a);
    config_unref(b);
    config_unref(c);
    config_unref(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mistakes, config_fixture_enter, config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_what_is_written_twice, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_defaults, config_fixture_enter, config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_logins, config_fixture_enter, config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_form, config_fixture_enter, config_fixture_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
