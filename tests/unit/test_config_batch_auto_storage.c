/* Targets of type batch_auto_storage in the configuration. */
#include "conf/target_batch_auto_storage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config_fixture.h"

enum { TEXT_MAX = 8192 };

#define BATCH                                                                                      \
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/Render/providers/"         \
    "Microsoft.Batch/batchAccounts/Farm"
#define TARGET(rest) "targets: {t: {type: batch_auto_storage, " rest "}}"

#define BESIDE_A_FILE(rest)                                                                        \
    "targets: {f: {type: file, path: \"/k/{account}\"}, t: {type: batch_auto_storage, " rest "}}"
#define DELIVER_TO_BOTH "defaults: {deliver_to: [t, f]}\n"

#define STORAGE                                                                                    \
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/Render/providers/"         \
    "Microsoft.Storage/storageAccounts/films"

static struct config *load_for(const char *accounts, const char *targets, const char *more,
                               const char *messages)
{
    char text[TEXT_MAX];

    config_fixture_compose(
        &(const struct config_lines){.accounts = accounts, .targets = targets, .more = more}, text,
        sizeof(text));
    return config_fixture_expect(text, messages);
}

static struct config *load(const char *targets, const char *more, const char *messages)
{
    return load_for("accounts: [{id: " STORAGE "}]", targets, more, messages);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *targets, *messages;
    } cases[] = {
        {TARGET("identity: vm"),
         "k.yaml:4:14: targets.t.batch_account: is missing; give a text, "
         "with placeholders such as {account} where needed\n"},
        {TARGET("batch_account: \"/x/{location}\""),
         "k.yaml:4:56: targets.t.batch_account: {location} cannot stand here; use {account}, "
         "{resource_group} or {subscription_id}\n"},
        {TARGET("batch_account: " BATCH),
         "k.yaml:4:14: targets.t: no required target gets the key: t is only told of it; add a "
         "target that gets the key, such as a file, to `deliver_to`\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        config_unref(load(cases[i].targets, NULL, cases[i].messages));
}

#define REFUSED                                                                                    \
    ": Batch copies the pair key of a Storage account alone; take this target out of the "         \
    "account's deliver_to\n"

/* Only one pair of one type is copied by Batch: any other account would be told in vain. */
static void test_accounts_that_it_cannot_serve(void **state)
{
    static const struct {
        const char *accounts, *messages;
    } cases[] = {
        {"accounts: [{id: " ACCOUNT_ID "}]",
         "k.yaml:4:95: targets.t.batch_account: cannot serve account sampleacct, which is a "
         "Batch account" REFUSED},
        {"accounts: [{id: " STORAGE ", pair: kerb}]",
         "k.yaml:4:95: targets.t.batch_account: cannot serve account films-kerb, which is the "
         "pair kerb of a Storage account" REFUSED},
        {"accounts: [{id: " STORAGE ", pair: key}]", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        config_unref(load_for(cases[i].accounts, BESIDE_A_FILE("batch_account: " BATCH),
                              DELIVER_TO_BOTH, cases[i].messages));
}

static void test_description(void **state)
{
    struct config *config = load(BESIDE_A_FILE("batch_account: " BATCH), DELIVER_TO_BOTH, "");
    const struct destination *destination;
    struct buf out;

    (void)state;
    assert_non_null(config);
    destination = &config->accounts[0].destinations[0];
    assert_string_equal(target_batch_auto_storage_of(destination)->api_version, "2024-02-01");
    buf_init(&out, TEXT_MAX);
    destination->type->describe(destination, &out);
    assert_string_equal(buf_str(&out),
                        "batch_auto_storage /subscriptions/00000000-0000-0000-0000-000000000000/"
                        "resourcegroups/render/providers/microsoft.batch/batchaccounts/farm (by "
                        "identity vm; gets no key)");
    buf_clear(&out);
    destination->type->write(destination, &out);
    assert_string_equal(buf_str(&out), "\"batch_account\":\"" BATCH "\",\"identity\":\"vm\"");
    buf_done(&out);
    config_unref(config);
    config =
        load(BESIDE_A_FILE("batch_account: " BATCH),
             DELIVER_TO_BOTH
             "cloud: {resource_manager: 'https://a', login: 'https://b', api_version: 2024-07-01}",
             "");
    assert_string_equal(
        target_batch_auto_storage_of(&config->accounts[0].destinations[0])->api_version,
        "2024-07-01");
    config_unref(config);
}

int main(void)
{
#define IN_A_DIRECTORY(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(test_mistakes),
        IN_A_DIRECTORY(test_accounts_that_it_cannot_serve),
        IN_A_DIRECTORY(test_description),
    };

    return cmocka_run_group_tests_name("config_batch_auto_storage", tests, NULL, NULL);
}
