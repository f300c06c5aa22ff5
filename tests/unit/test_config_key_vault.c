/* Targets of type key_vault: vaults of the cloud, names of secrets, identities, dates. */
#include "conf/target_key_vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"

enum { TEXT_MAX = 8192 };

#define TARGET(vault, name, rest)                                                                  \
    "targets: {t: {type: key_vault, vault: \"" vault "\", secret_name: \"" name "\"" rest "}}"
#define PLAIN(rest) TARGET("https://v.vault.azure.net", "s", rest)

static struct config *expect(const struct config_lines *lines, const char *messages)
{
    char text[TEXT_MAX];

    config_fixture_compose(lines, text, sizeof(text));
    return config_fixture_expect(text, messages);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *targets, *messages;
    } cases[] = {
        {TARGET("https://v.vault.azure.cn", "s", ""),
         "k.yaml:4:39: targets.t.vault: \"https://v.vault.azure.cn\" is no vault of AzureCloud, "
         "whose tokens are for https://vault.azure.net (cloud.key_vault_audience); write "
         "https://NAME.vault.azure.net\n"},
        {TARGET("https://vault.azure.net", "s", ""),
         "k.yaml:4:39: targets.t.vault: \"https://vault.azure.net\" is no vault of AzureCloud, "
         "whose tokens are for https://vault.azure.net (cloud.key_vault_audience); write "
         "https://NAME.vault.azure.net\n"},
        {TARGET("https://myvault.azure.net", "s", ""),
         "k.yaml:4:39: targets.t.vault: \"https://myvault.azure.net\" is no vault of AzureCloud, "
         "whose tokens are for https://vault.azure.net (cloud.key_vault_audience); write "
         "https://NAME.vault.azure.net\n"},
        {TARGET("http://{location}.vault.azure.net", "s", ""),
         "k.yaml:4:39: targets.t.vault: \"http://{location}.vault.azure.net\" would send tokens "
         "unencrypted; write https:// (http:// is accepted for loopback hosts and 169.254.169.254 "
         "alone)\n"},
        {TARGET("https://v.vault.azure.net/secrets", "s", ""),
         "k.yaml:4:39: targets.t.vault: \"https://v.vault.azure.net/secrets\" holds a path; write "
         "the vault's URL alone, https://NAME.vault.azure.net\n"},
        {TARGET("contoso", "s", ""),
         "k.yaml:4:39: targets.t.vault: \"contoso\" is not a URL that can be used; write "
         "https://HOST\n"},
        {TARGET("https://v.vault.azure.net", "{account}_key", ""),
         "k.yaml:4:81: targets.t.secret_name: \"sampleacct_key\" cannot name a secret of Key "
         "Vault; those are 1 to 127 letters, digits and '-'\n"},
        {TARGET("https://v.vault.azure.net",
                "0123456789012345678901234567890123456789012345678901234567890123456789"
                "0123456789012345678901234567890123456789012345678901234567",
                ""),
         "k.yaml:4:81: targets.t.secret_name: expands to more than 127 characters; shorten it\n"},
        {PLAIN(", identity: vn"),
         "k.yaml:4:96: targets.t.identity: unknown identity \"vn\"; did you mean vm?\n"},
        {PLAIN(", content_type: \"{location}\""),
         "k.yaml:4:100: targets.t.content_type: {location} cannot stand in a content type; use "
         "{account}, {resource_group} or {subscription_id}\n"},
        {PLAIN(", expires: never"),
         "k.yaml:4:95: targets.t.expires: \"never\" cannot stand here; write a duration such as "
         "90s, 12h or 30d\n"},
        {PLAIN(", recover_deleted: maybe"),
         "k.yaml:4:103: targets.t.recover_deleted: \"maybe\" cannot stand here; write true or "
         "false\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_null(
            expect(&(const struct config_lines){.targets = cases[i].targets}, cases[i].messages));
}

static const struct destination *only_destination(const struct config *config)
{
    assert_non_null(config);
    assert_int_equal(config->account_count, 1);
    assert_int_equal(config->accounts[0].destination_count, 1);
    return &config->accounts[0].destinations[0];
}

static void test_defaults(void **state)
{
    static const struct config_lines lines = {
        .policies = "policies: {p: {rotate_every: 40d, overdue_after: 4d}}",
        .targets = TARGET("https://V-{location}.Vault.azure.net/", "{account}-Key", "")};
    struct config *config = expect(&lines, "");
    const struct destination *destination = only_destination(config);
    const struct target_key_vault *settings = target_key_vault_of(destination);
    struct buf out;

    (void)state;
    assert_string_equal(destination->place,
                        "https://v-{location}.vault.azure.net/secrets/sampleacct-key");
    assert_true(destination->needs_location);
    assert_string_equal(settings->secret_name, "sampleacct-Key");
    assert_ptr_equal(destination->identity, config->accounts[0].identity);
    assert_string_equal(settings->resource_id, ACCOUNT_ID);
    assert_string_equal(settings->audience, "https://vault.azure.net");
    assert_null(settings->content_type);
    assert_int_equal(settings->expires, 84 * MS_DAY);
    assert_int_equal(settings->validity_days, 84);
    assert_false(settings->recover_deleted);
    buf_init(&out, TEXT_MAX);
    destination->type->describe(destination, &out);
    assert_string_equal(buf_str(&out),
                        "key_vault https://v-{location}.vault.azure.net/secrets/sampleacct-key (by "
                        "identity vm, expires 84d after a delivery)");
    buf_done(&out);
    config_unref(config);
}

static void test_all_keys(void **state)
{
    static const struct config_lines lines = {
        .identities =
            "identities: {vm: {type: managed_identity}, kv: {type: managed_identity, "
            "client_id: 00000000-0000-0000-0000-000000000001}}",
        .policies = "policies: {p: {rotate_every: 40d, overdue_after: 36h}}",
        .targets = PLAIN(", identity: kv, content_type: \"text/{account}\", expires: off, "
                         "recover_deleted: true"),
        .accounts = "accounts: [{id: " ACCOUNT_ID ", identity: vm, adopt_active: primary}]"};
    struct config *config = expect(&lines, "");
    const struct destination *destination = only_destination(config);
    const struct target_key_vault *settings = target_key_vault_of(destination);
    struct buf out;

    (void)state;
    assert_string_equal(destination->identity->name, "kv");
    assert_string_equal(settings->content_type, "text/sampleacct");
    assert_int_equal(settings->expires, 0);
    assert_int_equal(settings->validity_days, 82); /* a part of a day is a day */
    assert_true(settings->recover_deleted);
    buf_init(&out, TEXT_MAX);
    buf_append_char(&out, '{');
    destination->type->write(destination, &out);
    assert_string_equal(buf_str(&out),
                        "{\"vault\":\"https://v.vault.azure.net\",\"secret_name\":\"s\","
                        "\"identity\":\"kv\",\"content_type\":\"text/sampleacct\",\"expires\":"
                        "\"off\",\"recover_deleted\":true");
    buf_done(&out);
    config_unref(config);
}

static void test_a_date_that_no_look_can_push_out(void **state)
{
    static const struct config_lines lines = {
        .policies = "policies: {p: {rotate_every: 40d, check_every: 6h}}",
        .targets = PLAIN(", expires: 23h")};

    (void)state;
    config_unref(expect(&lines,
                        "k.yaml:4:95: targets.t.expires: warning: is short: the date is pushed out "
                        "at looks, every check_every; write 1d or more, or the secret expires "
                        "while its key is in use\n"));
}

/* Key Vault compares names without regard to case. */
static void test_two_accounts_in_one_secret(void **state)
{
    static const struct config_lines lines = {
        .targets =
            "targets: {a: {type: key_vault, vault: \"https://V.vault.azure.net\", "
            "secret_name: Key}, b: {type: key_vault, vault: "
            "\"https://v.vault.azure.net/\", secret_name: kEY}}",
        .accounts = "accounts: [{id: " ACCOUNT_ID ", deliver_to: [a, b]}]"};

    (void)state;
    assert_null(expect(&lines,
                       "k.yaml:5:12: accounts[0]: targets a and b both write "
                       "https://v.vault.azure.net/secrets/key; give each a secret_name of its "
                       "own\n"));
}

int main(void)
{
#define WITH_FILES(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        WITH_FILES(test_mistakes),
        WITH_FILES(test_defaults),
        WITH_FILES(test_all_keys),
        WITH_FILES(test_a_date_that_no_look_can_push_out),
        WITH_FILES(test_two_accounts_in_one_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
