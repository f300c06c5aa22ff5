/* Targets of type azure_app_settings in the configuration. */
#include "conf/target_app_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"

enum { TEXT_MAX = 8192 };

#define GROUP     "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/Web/providers/"
#define SITE      GROUP "Microsoft.Web/sites/Shop"
#define CONTAINER GROUP "Microsoft.App/containerApps/worker"
#define RIGHT                                                                                      \
    "write /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Web/sites/NAME (for a "    \
    "slot, /slots/SLOT behind it), or …/providers/Microsoft.App/containerApps/NAME"
#define TARGET(rest)  "targets: {t: {type: azure_app_settings, " rest "}}"
#define PLACE(column) "k.yaml:4:" column ": targets.t."

static struct config *load(const char *targets, const char *messages)
{
    char text[TEXT_MAX];

    config_fixture_compose(&(const struct config_lines){.targets = targets}, text, sizeof(text));
    return config_fixture_expect(text, messages);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *targets, *messages;
    } cases[] = {
        {TARGET("setting: K"),
         PLACE("14") "app: is missing; give a text, with placeholders such as "
                     "{account} where needed\n"},
        {TARGET("app: /x, setting: K"),
         PLACE("46") "app: \"/x\" is no resource id of an app; " RIGHT "\n"},
        {TARGET("app: " GROUP "Microsoft.Batch/batchAccounts/a, setting: K"),
         PLACE("46") "app: \"" GROUP "Microsoft.Batch/batchAccounts/a\" is the id of another "
                     "type of resource; " RIGHT "\n"},
        {TARGET("app: " SITE "/, setting: K"),
         PLACE("46") "app: \"" SITE "/\" ends with a slash; " RIGHT "\n"},
        {TARGET("app: /subscriptions/0/resourceGroups/g/providers/Microsoft.Web/sites/s, setting: "
                "K"),
         PLACE("46") "app: \"/subscriptions/0/resourceGroups/g/providers/Microsoft.Web/sites/s\" "
                     "holds a subscription that is not a GUID; write "
                     "/subscriptions/00000000-0000-0000-0000-000000000000/...\n"},
        {TARGET("app: " SITE ", setting: K, value: \"{{ key }}\""),
         PLACE("172") "value: holds no {key} but \"{{\", which stands for a brace; write {key} in "
                      "single braces\n"},
        {TARGET("app: " SITE ", setting: \"a b\""),
         PLACE("162") "setting: \"a b\" is no name of an app's setting; those are letters, digits, "
                      "'_', '.', ':' and '-'\n"},
        {TARGET("app: " CONTAINER ", setting: BATCH"),
         PLACE("172") "setting: \"BATCH\" is no name of a Container App's secret; those are small "
                      "letters, digits, '-' and '.'\n"},
        {TARGET("setting: \"{location}\", app: " SITE),
         PLACE("50") "setting: {location} cannot stand here; use {account}, {resource_group} or "
                     "{subscription_id}\n"},
        {TARGET("value: \"{name}\", setting: K, app: " SITE),
         PLACE("48") "value: holds neither {key} nor {connection_string}, so nobody would get the "
                     "key; add {key}\n"},
        {TARGET("value: \"{connection_string}\", setting: K, app: " SITE),
         PLACE("48") "value: {connection_string}: clients of a Batch account take none; write "
                     "{name}, {key} and {endpoint} in the form that they read\n"},
        {TARGET("identity: vn, setting: K, app: " SITE),
         PLACE("51") "identity: unknown identity \"vn\"; did you mean vm?\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        config_unref(load(cases[i].targets, cases[i].messages));
}

static void expect_described(const char *targets, const char *words, const char *json)
{
    struct config *config = load(targets, "");
    const struct destination *destination;
    struct buf out;

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
    expect_described(
        TARGET("app: " SITE "/slots/Staging, setting: \"Key_{account}\""),
        "azure_app_settings /subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/web/"
        "providers/microsoft.web/sites/shop/slots/staging/config/appsettings/key_sampleacct (by "
        "identity vm; a new key restarts the app)",
        "\"app\":\"" SITE
        "/slots/Staging\",\"setting\":\"Key_sampleacct\",\"value\":\"{key}\","
        "\"identity\":\"vm\"");
    expect_described(
        TARGET("app: " CONTAINER ", setting: batch-key, value: \"k={key}\", identity: vm"),
        "azure_app_settings /subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/web/"
        "providers/microsoft.app/containerapps/worker/secrets/batch-key (by identity vm; running "
        "revisions keep the old key until they are restarted)",
        "\"app\":\"" CONTAINER
        "\",\"setting\":\"batch-key\",\"value\":\"k={key}\","
        "\"identity\":\"vm\"");
}

static void test_two_accounts_in_one_setting(void **state)
{
    static const char accounts[] = "accounts: [{id: " ACCOUNT_ID
                                   ", adopt_active: primary}, {name: "
                                   "other, resource_group: g, subscription_id: "
                                   "00000000-0000-0000-0000-000000000000}]";
    struct config_messages messages;
    char text[TEXT_MAX];

    (void)state;
    config_fixture_compose(
        &(const struct config_lines){.targets = TARGET("app: " SITE ", setting: K"),
                                     .accounts = accounts},
        text, sizeof(text));
    config_fixture_write("k.yaml", text);
    config_messages_init(&messages);
    assert_null(config_fixture_load(&messages));
    assert_int_equal(messages.error_count, 1);
    assert_non_null(strstr(buf_str(&messages.text), "/config/appsettings/k"));
    assert_non_null(strstr(buf_str(&messages.text), "setting"));
    config_messages_done(&messages);
}

int main(void)
{
#define IN_A_DIRECTORY(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(test_mistakes),
        IN_A_DIRECTORY(test_descriptions),
        IN_A_DIRECTORY(test_two_accounts_in_one_setting),
    };

    return cmocka_run_group_tests_name("config_app_settings", tests, NULL, NULL);
}
