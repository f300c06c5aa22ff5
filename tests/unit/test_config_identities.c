#include "conf/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "config_fixture.h"

#define TENANT "11111111-1111-1111-1111-111111111111"
#define CLIENT "22222222-2222-2222-2222-222222222222"

enum { VARIABLES_MAX = 8 };

static const struct {
    const char *name, *value;
} webhook_sets[] = {
    {"AZURE_TENANT_ID", TENANT},
    {"AZURE_CLIENT_ID", CLIENT},
    {"AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/azure/tokens/azure-identity-token"},
    {"AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/"},
};
static const char *replaced_name, *replaced_value;

static const char *variable(const char *name)
{
    if (replaced_name && str_equal(name, replaced_name))
        return replaced_value;
    for (size_t i = 0; i < sizeof(webhook_sets) / sizeof(webhook_sets[0]); i++) {
        if (str_equal(name, webhook_sets[i].name))
            return webhook_sets[i].value;
    }
    return NULL;
}

/* Loads with that identity in a pod that has the variables; replace(…) changes one of them. */
static struct config *load(const char *identity, const char *expected)
{
    const struct config_environment environment = {.now = FIXTURE_NOW, .variable = variable};
    struct config_lines lines = {.identities = identity};
    struct config_messages messages;
    struct config *config;
    char text[2048];

    config_fixture_compose(&lines, text, sizeof(text));
    config_fixture_write("k.yaml", text);
    config_messages_init(&messages);
    config = config_load("k.yaml", &environment, &messages);
    assert_string_equal(buf_str(&messages.text), expected);
    config_messages_done(&messages);
    return config;
}

static void replace(const char *name, const char *value)
{
    replaced_name = name;
    replaced_value = value;
}

static void assert_described(const struct config *config, const char *expected)
{
    struct buf out;

    buf_init(&out, 4096);
    config->identities[0].type->describe(&config->identities[0], &out);
    assert_string_equal(buf_str(&out), expected);
    buf_done(&out);
}

static void test_everything_from_the_environment(void **state)
{
    struct config *config;

    (void)state;
    replace(NULL, NULL);
    config = load("identities: {wi: {type: workload_identity}}", "");
    assert_non_null(config);
    assert_string_equal(identity_setting(&config->identities[0], "tenant_id"), TENANT);
    assert_string_equal(identity_setting(&config->identities[0], "authority_host"),
                        "https://login.microsoftonline.com");
    assert_true(identity_is_from_environment(&config->identities[0], "client_id"));
    assert_string_equal(identity_assignee(&config->identities[0]), CLIENT);
    assert_described(config, "application " CLIENT " (AZURE_CLIENT_ID) of tenant " TENANT
                             " (AZURE_TENANT_ID), federated token from "
                             "/var/run/secrets/azure/tokens/azure-identity-token "
                             "(AZURE_FEDERATED_TOKEN_FILE), read again for every token, login "
                             "https://login.microsoftonline.com (AZURE_AUTHORITY_HOST)");
    config_unref(config);
}

static void test_keys_come_before_the_environment(void **state)
{
    struct config *config;

    (void)state;
    replace("AZURE_AUTHORITY_HOST", NULL);
    config = load(
        "identities: {wi: {type: workload_identity, tenant_id: contoso.example, client_id: "
        "33333333-3333-3333-3333-333333333333, federated_token_file: /run/token}}",
        "");
    assert_non_null(config);
    assert_false(identity_is_from_environment(&config->identities[0], "client_id"));
    assert_described(config,
                     "application 33333333-3333-3333-3333-333333333333 of tenant "
                     "contoso.example, federated token from /run/token, read again for "
                     "every token");
    config_unref(config);
}

static void test_missing_everywhere(void **state)
{
    struct config *config;

    (void)state;
    replace("AZURE_FEDERATED_TOKEN_FILE", "");
    config =
        load("identities: {wi: {type: workload_identity}}",
             "k.yaml:2:14: identities.wi: warning: has no federated_token_file, and neither is "
             "AZURE_FEDERATED_TOKEN_FILE set here; the daemon needs one of them to get tokens\n");
    assert_non_null(config);
    assert_described(
        config, "application " CLIENT " (AZURE_CLIENT_ID) of tenant " TENANT
                " (AZURE_TENANT_ID), federated token from "
                "$AZURE_FEDERATED_TOKEN_FILE (not set here), read again for every token, login "
                "https://login.microsoftonline.com (AZURE_AUTHORITY_HOST)");
    config_unref(config);
}

static void test_malformed_variable(void **state)
{
    (void)state;
    replace("AZURE_TENANT_ID", "my tenant");
    assert_null(
        load("identities: {wi: {type: workload_identity}}",
             "k.yaml:2:14: identities.wi: takes this tenant_id from the environment variable "
             "AZURE_TENANT_ID; correct that, or set tenant_id here\n"
             "k.yaml:2:18: identities.wi.tenant_id: \"my tenant\" is not a tenant; write its "
             "GUID or a domain such as contoso.onmicrosoft.com\n"));
}

static void test_another_cloud(void **state)
{
    struct config *config;

    (void)state;
    replace("AZURE_AUTHORITY_HOST", "https://login.chinacloudapi.cn/");
    config =
        load("identities: {wi: {type: workload_identity}}",
             "k.yaml:2:14: identities.wi: warning: gets its tokens from "
             "https://login.chinacloudapi.cn (AZURE_AUTHORITY_HOST), but the login of the cloud is "
             "https://login.microsoftonline.com; where that is not meant, set `authority_host: "
             "https://login.microsoftonline.com` here, or `cloud` to the other one\n");
    assert_non_null(config);
    config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_fixture_enter, config_fixture_leave)
        TEST(test_everything_from_the_environment),
        TEST(test_keys_come_before_the_environment),
        TEST(test_missing_everywhere),
        TEST(test_malformed_variable),
        TEST(test_another_cloud),
    };

    return cmocka_run_group_tests_name("config_identities", tests, NULL, NULL);
}
