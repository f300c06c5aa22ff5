/* Targets of type kubernetes_secret in the configuration: mistakes, each with its place and whole
 * sentence, and what is understood. */
#include "conf/target_kubernetes_secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_fixture.h"
#include "io/target/target.h"

struct mistake {
    const char *keys;     /* after "type: kubernetes_secret, " */
    const char *expected; /* all messages */
};

#define NAMES "namespace: batch, secret_name: '{account}'"

static const struct mistake mistakes[] = {
    {"secret_name: x",
     "k.yaml:4:14: targets.t.namespace: is missing; give a text, with "
     "placeholders such as {account} where needed\n"},
    {"namespace: 'Batch', secret_name: x",
     "k.yaml:4:51: targets.t.namespace: expands to \"Batch\" for account sampleacct, which is no "
     "namespace; use lower-case letters, digits and '-', 63 at most\n"},
    {"namespace: x, secret_name: 'a_{account}'",
     "k.yaml:4:67: targets.t.secret_name: expands to \"a_sampleacct\" for account sampleacct, "
     "which "
     "is no name of a Secret; use lower-case letters, digits, '-' and '.', 253 at most\n"},
    {NAMES ", keys: {a/b: '{key}'}",
     "k.yaml:4:91: targets.t.keys.a/b: \"a/b\" cannot be a key of a Secret; use letters, digits, "
     "'-', '_' and '.'\n"},
    {NAMES ", keys: {a: '{name}'}",
     "k.yaml:4:90: targets.t.keys: holds no key; write {key} into one of the values\n"},
    {NAMES ", keys: {}", "k.yaml:4:90: targets.t.keys: is empty; name at least one\n"},
    {NAMES ", keys: {a: '{connection_string}'}",
     "k.yaml:4:94: targets.t.keys.a: {connection_string}: clients of a Batch account take none; "
     "write {name}, {key} and {endpoint} in the form that they read\n"},
    {NAMES ", labels: {-x: y}",
     "k.yaml:4:93: targets.t.labels.-x: \"-x\" cannot be the name of a label; write \"app\" or "
     "\"example.org/app\"\n"},
    {NAMES ", labels: {x: 'a b'}",
     "k.yaml:4:96: targets.t.labels.x: expands to what cannot be the value of a label; use "
     "letters, "
     "digits, '-', '_' and '.', 63 at most\n"},
    {NAMES ", labels: {x: '{location}'}",
     "k.yaml:4:93: targets.t.labels.x: \"x\" holds {location}, which is not known at that time; "
     "write {account}, {resource_group} or {subscription_id}\n"},
    {NAMES ", annotations: {keyrotated/cycle: x}",
     "k.yaml:4:98: targets.t.annotations.keyrotated/cycle: \"keyrotated/cycle\" is one of those "
     "that "
     "keyrotated writes itself; remove it\n"},
    {NAMES ", context: x",
     "k.yaml:4:84: targets.t.context: goes with kubeconfig, which is missing\n"},
    {NAMES ", ca_file: x", "k.yaml:4:84: targets.t.ca_file: goes with server, which is missing\n"},
    {NAMES ", kubeconfig: /k, server: 'http://localhost:1'",
     "k.yaml:4:84: targets.t.kubeconfig: and server both name a cluster; keep one of them\n"},
    {NAMES ", server: 'https://k:6443'",
     "k.yaml:4:14: targets.t.token_file: is missing; give the path of a file with a token for "
     "https://k:6443\n"},
};

static void compose(const char *keys, char *out, size_t size)
{
    char targets[2048];

    (void)snprintf(targets, sizeof(targets), "targets: {t: {type: kubernetes_secret, %s}}", keys);
    config_fixture_compose(&(struct config_lines){.targets = targets}, out, size);
}

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        char text[2048];

        compose(mistakes[i].keys, text, sizeof(text));
        config_unref(config_fixture_expect(text, mistakes[i].expected));
    }
}

/* The only destination of the only account. */
static const struct destination *only(const struct config *config)
{
    assert_non_null(config);
    assert_int_equal(config->account_count, 1);
    assert_int_equal(config->accounts[0].destination_count, 1);
    return &config->accounts[0].destinations[0];
}

struct understood {
    const char *keys;
    const char *place;
    const char *words;
    bool needs_location;
};

static const struct understood all_understood[] = {
    {NAMES, "in-cluster batch/sampleacct",
     "Secret batch/sampleacct of Kubernetes (key; in the cluster of the daemon's pod)", false},
    {"namespace: 'x-{location}', secret_name: k, kubeconfig: config, keys: {a: '{key}', .b: x}",
     "config x-{location}/k", "Secret x-{location}/k of Kubernetes (a, .b; by config)", true},
    {NAMES ", kubeconfig: /etc/k, context: here", "/etc/k#here batch/sampleacct",
     "Secret batch/sampleacct of Kubernetes (key; by /etc/k#here)", false},
    {NAMES ", server: 'https://k:6443/', ca_file: c, token_file: t, "
           "labels: {a.b/c: '{account}'}, annotations: {x: 'any thing: {resource_group}'}",
     "https://k:6443 batch/sampleacct",
     "Secret batch/sampleacct of Kubernetes (key; by https://k:6443)", false},
    {NAMES ", server: 'http://localhost:8001'", "http://localhost:8001 batch/sampleacct",
     "Secret batch/sampleacct of Kubernetes (key; by http://localhost:8001)", false},
};

static void test_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(all_understood) / sizeof(all_understood[0]); i++) {
        const struct understood *one = &all_understood[i];
        const struct destination *destination;
        struct config *config;
        struct buf words;
        char text[2048];

        compose(one->keys, text, sizeof(text));
        config = config_fixture_expect(text, "");
        destination = only(config);
        assert_string_equal(destination->place, one->place);
        assert_int_equal(destination->needs_location, one->needs_location);
        assert_int_equal(target_kubernetes_secret_of(destination)->cluster_length,
                         strchr(one->place, ' ') - one->place);
        buf_init(&words, 1024);
        destination->type->describe(destination, &words);
        assert_string_equal(buf_str(&words), one->words);
        buf_clear(&words);
        destination->type->write(destination, &words);
        assert_non_null(strstr(buf_str(&words), "\"field_manager\":\"keyrotated\""));
        assert_int_equal(words.failed, 0);
        buf_done(&words);
        config_unref(config);
    }
}

static void test_exposed_files(void **state)
{
    char directory[256], keys[1024], text[2048], expected[2048];

    (void)state;
    assert_non_null(getcwd(directory, sizeof(directory)));
    config_fixture_write("token", "t\n");
    config_fixture_write("ca.pem", "c\n");
    assert_int_equal(chmod("token", 0644), 0);
    assert_int_equal(chmod("ca.pem", 0646), 0);
    (void)snprintf(keys, sizeof(keys),
                   NAMES ", server: 'https://k', ca_file: '%s/ca.pem', token_file: '%s/token'",
                   directory, directory);
    compose(keys, text, sizeof(text));
    (void)snprintf(expected, sizeof(expected),
                   "k.yaml:4:114: targets.t.ca_file: warning: every user can write to %s/ca.pem "
                   "(mode 0646) and so impersonate the API server; run chmod o-w %s/ca.pem\n"
                   "k.yaml:4:%d: targets.t.token_file: warning: every user can read %s/token (mode "
                   "0644) and so act as this identity, or keep it from acting; run chmod o-rwx "
                   "%s/token, and renew the secret if others could have read it\n",
                   directory, directory, 137 + (int)strlen(directory), directory, directory);
    config_unref(config_fixture_expect(text, expected));

    /* systemd looks after what lies in $CREDENTIALS_DIRECTORY */
    compose(NAMES ", server: 'https://k', ca_file: ca.pem, token_file: token", text, sizeof(text));
    config_unref(config_fixture_expect(text, ""));
}

static struct target_id identify(const char *keys)
{
    struct target_id id;
    struct config *config;
    static char text[64 * 1024];

    config_fixture_compose(&(struct config_lines){.targets = keys}, text, sizeof(text));
    config = config_fixture_expect(text, "");
    id = target_identify(only(config));
    config_unref(config);
    return id;
}

/* Every text belongs to the form of a delivery, however long all of them are. */
static void test_form(void **state)
{
    static char keys[2][48 * 1024];

    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t length =
            (size_t)snprintf(keys[i], sizeof(keys[i]),
                             "targets: {t: {type: kubernetes_secret, " NAMES ", annotations: {");

        for (int k = 0; k < 10; k++)
            length += (size_t)snprintf(keys[i] + length, sizeof(keys[i]) - length,
                                       "a%d: '%04000d', ", k, k == 9 ? i : 0);
        (void)snprintf(keys[i] + length, sizeof(keys[i]) - length, "b: c}}}");
    }
    assert_memory_equal(identify(keys[0]).bytes, identify(keys[0]).bytes, TARGET_ID_LENGTH);
    assert_memory_not_equal(identify(keys[0]).bytes, identify(keys[1]).bytes, TARGET_ID_LENGTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mistakes, config_fixture_enter, config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_understood, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_exposed_files, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_form, config_fixture_enter, config_fixture_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
