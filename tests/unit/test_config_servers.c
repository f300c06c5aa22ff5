/* Two targets at one server, which the configuration names in two ways: one place. */
#include "conf/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"

static const struct {
    const char *keys; /* all but the one that holds the URL, which is the next */
    const char *url_key;
    const char *first, *same; /* two ways to write it */
    const char *other;        /* another server, or another path of it */
    const char *place;
} types[] = {
    {"type: webhook, include_key: true, secret_file: s", "url", "https://V.example",
     "https://v.example:443/", "https://v.example:444", "https://v.example"},
    {"type: webhook, include_key: true, secret_file: s", "url", "https://v.example/a",
     "https://V.EXAMPLE:443/a", "https://v.example/a/", "https://v.example/a"},
    {"type: hashicorp_vault, path: a, auth: {token_file: t}", "address", "https://V.example",
     "https://v.example:443/", "https://v.example:444", "https://v.example/secret/a"},
    {"type: kubernetes_secret, namespace: n, secret_name: k, token_file: t", "server",
     "https://V.example", "https://v.example:443/", "https://v.example:6443",
     "https://v.example n/k"},
    {"type: key_vault, secret_name: k", "vault", "https://v.vault.azure.net",
     "https://V.Vault.Azure.NET:443/", "https://w.vault.azure.net",
     "https://v.vault.azure.net/secrets/k"},
};

static void load(size_t type, const char *second, struct config_messages *messages)
{
    char targets[2048], text[4096];
    const struct config_lines lines = {
        .targets = targets,
        .accounts = "accounts: [{id: " ACCOUNT_ID ", deliver_to: [a, b]}]",
    };

    (void)snprintf(targets, sizeof(targets), "targets: {a: {%s, %s: '%s'}, b: {%s, %s: '%s'}}",
                   types[type].keys, types[type].url_key, types[type].first, types[type].keys,
                   types[type].url_key, second);
    config_fixture_compose(&lines, text, sizeof(text));
    config_fixture_write("k.yaml", text);
    config_unref(config_fixture_load(messages));
}

static void test_one_server_is_one_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct config_messages messages;
        char expected[256];

        (void)snprintf(expected, sizeof(expected), "targets a and b both write %s; ",
                       types[i].place);
        load(i, types[i].same, &messages);
        if (!strstr(buf_str(&messages.text), expected))
            fail_msg("%s: %s", types[i].same, buf_str(&messages.text));
        config_messages_done(&messages);
        load(i, types[i].other, &messages);
        assert_string_equal(buf_str(&messages.text), "");
        config_messages_done(&messages);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_server_is_one_place, config_fixture_enter,
                                        config_fixture_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
