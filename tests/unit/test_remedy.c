#include "proto/remedy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wordexp.h>

#include <cmocka.h>

#include "core/reason.h"
#include "ctl/options.h"
#include "proto/two_key/two_key.h"

extern const struct two_key_resource two_key_batch_account;

#define ID "/subscriptions/0/resourceGroups/my(group)/providers/Microsoft.Batch/batchAccounts/acct"

static const struct remedy_words here = {
    .account = "my(group)/acct",
    .resource_id = ID,
    .subscription_id = "0000",
    .rule = "prod",
    .type = &two_key_batch_account,
    .socket = "/tmp/a b/control.sock",
};

static const char *expand(const char *text, const struct remedy_words *words)
{
    static char out[REMEDY_MAX];

    remedy_expand(text, words, out, sizeof(out));
    return out;
}

static void test_places(void **state)
{
    const struct remedy_words plain = {.account = "acct", .socket = CONTROL_SOCKET_DEFAULT};
    const struct remedy_words nothing = {.account = NULL};

    (void)state;
    assert_string_equal(expand("run `keyrotatectl check {account}`, {account}", &plain),
                        "run `keyrotatectl check acct`, acct");
    assert_string_equal(
        expand("`keyrotatectl check {account}` and `keyrotatectl status`", &here),
        "`keyrotatectl --socket '/tmp/a b/control.sock' check 'my(group)/acct'` and "
        "`keyrotatectl --socket '/tmp/a b/control.sock' status`");
    assert_string_equal(expand("--scope {resource}", &here), "--scope '" ID "'");
    assert_string_equal(expand("a {account} stays", &nothing), "a {account} stays");
    assert_string_equal(expand("", &here), "");
    assert_string_equal(expand("the role {role_name}; {keys_on}", &here),
                        "the role Batch Key Rotator; add SharedKey to the account's "
                        "allowedAuthenticationModes");
    assert_non_null(strstr(expand("{role}", &here),
                           "\"Actions\": [\"Microsoft.Batch/batchAccounts/read\", "
                           "\"Microsoft.Batch/batchAccounts/listkeys/action\", "
                           "\"Microsoft.Batch/batchAccounts/regeneratekeys/action\"], "
                           "\"AssignableScopes\": [\"/subscriptions/0000\"]}'"));
}

static void test_unit(void **state)
{
    static const struct {
        const char *socket, *unit;
    } cases[] = {
        {NULL, "keyrotated"},
        {CONTROL_SOCKET_DEFAULT, "keyrotated"},
        {"/run/keyrotated@china/control.sock", "keyrotated@china"},
        {"/run/keyrotated@a.b:c_1/control.sock", "keyrotated@a.b:c_1"},
        {"/run/keyrotated@a;b/control.sock", "keyrotated"},
        {"/run/keyrotated@", "keyrotated"},
        {"/run/keyrotated@china", "keyrotated"},
        {"/tmp/control.sock", "keyrotated"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(
            expand("{unit}", &(const struct remedy_words){.socket = cases[i].socket}),
            cases[i].unit);
}

/* A second expansion changes nothing. */
static void test_twice(void **state)
{
    char once[REMEDY_MAX];

    (void)state;
    remedy_expand("`keyrotatectl resume {account}`", &here, once, sizeof(once));
    assert_string_equal(expand(once, &here), once);
}

static void test_cut(void **state)
{
    const struct remedy_words words = {.account = "\xc3\xa4\xc3\xa4"};
    char out[5];

    (void)state;
    remedy_expand("x{account}", &words, out, sizeof(out));
    assert_string_equal(out, "x'\xc3\xa4");
}

/* Splits as a shell would, and asks keyrotatectl's own reader of command lines. */
static void check_command(const char *command, const char *account)
{
    struct ctl_options options;
    wordexp_t words;

    assert_int_equal(wordexp(command, &words, WRDE_NOCMD), 0);
    if (ctl_options_parse((int)words.we_wordc, words.we_wordv, 0, &options) != CTL_DONE)
        fail_msg("not accepted: %s", command);
    assert_string_equal(options.socket, here.socket);
    if (strstr(command, account)) {
        assert_int_equal(options.account_count, 1);
        assert_string_equal(options.accounts[0], account);
    }
    wordfree(&words);
}

/* Every command of ours in a reason's remedy is one that keyrotatectl takes as it stands. */
static void test_commands_of_reasons(void **state)
{
    size_t commands = 0;

    (void)state;
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        char text[REMEDY_MAX];
        char *rest = text;

        remedy_expand(reason_describe((enum reason)i)->remedy, &here, text, sizeof(text));
        assert_null(strstr(text, "{account}"));
        assert_null(strstr(text, "{resource}"));
        assert_null(strstr(text, "{role}"));
        for (char *start; (start = strstr(rest, "`keyrotatectl ")); commands++) {
            char *end = strchr(start + 1, '`');

            assert_non_null(end);
            *end = '\0';
            check_command(start + 1, here.account);
            rest = end + 1;
        }
        assert_null(strstr(rest, "keyrotatectl"));
    }
    assert_true(commands >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_unit),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_commands_of_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
