/* The targets `webhook` and `socket` in the configuration: their mistakes, each with its place and
 * whole sentence, and what `--check` says of them. */
#include "conf/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "conf/target_type.h"
#include "config_fixture.h"

#define OTHER_ID                                                                                   \
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/other/providers/"          \
    "Microsoft.Batch/batchAccounts/otheracct"
#define PIN       "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define OTHER_PIN "sha256//BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="

static const struct {
    const char *targets;
    const char *expected; /* all messages */
} mistakes[] = {
    {"targets: {t: {type: webhook}}",
     "k.yaml:4:14: targets.t.url: is missing; give a text, with placeholders such as {account} "
     "where needed\n"
     "k.yaml:4:14: targets.t.secret_file: is missing; give a text, with placeholders such as "
     "{account} where needed\n"},
    {"targets: {t: {type: webhook, url: x, secret_file: s}}",
     "k.yaml:4:35: targets.t.url: is not a URL that can be used; write https://HOST\n"},
    {"targets: {t: {type: webhook, url: 'http://hooks.example', secret_file: s}}",
     "k.yaml:4:35: targets.t.url: would send its messages unencrypted; write https:// "
     "(http:// is accepted for loopback hosts alone)\n"},
    {"targets: {t: {type: webhook, url: 'http://169.254.169.254/x', secret_file: s}}",
     "k.yaml:4:35: targets.t.url: would send its messages unencrypted; write https:// "
     "(http:// is accepted for loopback hosts alone)\n"},
    {"targets: {t: {type: webhook, url: 'https://me:pw@h', secret_file: s}}",
     "k.yaml:4:35: targets.t.url: holds a user name or password; such things do not belong in this "
     "file\n"},
    {"targets: {t: {type: webhook, url: 'https://h/x?code=1', secret_file: s}}",
     "k.yaml:4:35: targets.t.url: holds a query or fragment; end the URL before it\n"},
    {"targets: {t: {type: webhook, url: 'https://h/{acount}', secret_file: s}}",
     "k.yaml:4:35: targets.t.url: unknown placeholder {acount}; did you mean {account}?\n"},
    {"targets: {t: {type: webhook, url: 'https://h', secret_file: []}}",
     "k.yaml:4:61: targets.t.secret_file: holds 0 items; write 1 to 2\n"},
    {"targets: {t: {type: webhook, url: 'https://h', secret_file: [a, b, c]}}",
     "k.yaml:4:61: targets.t.secret_file: holds 3 items; write 1 to 2\n"},
    {"targets: {t: {type: webhook, url: 'https://h', secret_file: ../s}}",
     "k.yaml:4:61: targets.t.secret_file: \"../s\" holds \".\" or \"..\"; write the path without "
     "them\n"},
    {"targets: {t: {type: webhook, url: 'https://h', secret_file: [a, '{location}']}}",
     "k.yaml:4:65: targets.t.secret_file[1]: \"{location}\" holds {location}, which is known too "
     "late; use {account}, {resource_group} or {subscription_id}\n"},
    {"targets: {t: {type: webhook, url: 'https://h', secret_file: s, pin: AAAA}}",
     "k.yaml:4:69: targets.t.pin: is not a pin; write \"sha256//\" and the base64 of the SHA-256 "
     "of "
     "the receiver's public key\n"},
    {"targets: {t: {type: webhook, url: 'https://h', secret_file: s, pin: [" PIN ", " PIN ", " PIN
     "]}}",
     "k.yaml:4:69: targets.t.pin: holds 3 items; write 1 to 2\n"},
    {"targets: {t: {type: webhook, url: 'https://h', secret_file: s, timeout: 11m}}",
     "k.yaml:4:73: targets.t.timeout: is too long; 10m is the most\n"},
    {"targets: {t: {type: webhook, url: 'https://h', secret_file: s, ca_file: ca.pem}}",
     "k.yaml:4:73: targets.t.ca_file: \"ca.pem\" cannot stand here; write an absolute path\n"},
    {"targets: {t: {type: webhook, url: 'https://h', secret_file: s, include_key: yes}}",
     "k.yaml:4:77: targets.t.include_key: \"yes\" cannot stand here; write true or false\n"},
    {"targets: {t: {type: socket, paht: /x}}",
     "k.yaml:4:29: targets.t.paht: unknown key; did you mean path?\n"},
    {"targets: {t: {type: socket, path: x}}",
     "k.yaml:4:35: targets.t.path: \"x\" is not an absolute path; begin it with '/'\n"},
    {"targets: {t: {type: socket, path: /run/x/}}",
     "k.yaml:4:35: targets.t.path: \"/run/x/\" is a directory; add the name of the file\n"},
    {"targets: {t: {type: socket, path: /run/../x}}",
     "k.yaml:4:35: targets.t.path: \"/run/../x\" holds \".\" or \"..\"; write the path without "
     "them\n"},
    {"targets: {t: {type: socket, path: '/run/"
     "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"
     "3"
     "{account}'}}",
     "k.yaml:4:35: targets.t.path: expands to more than the 107 bytes that the path of a socket "
     "can "
     "have; shorten it\n"},
    {"targets: {t: {type: socket, path: /x, owner: 'a b'}}",
     "k.yaml:4:46: targets.t.owner: \"a b\" is no user; write a name or a number\n"},
    {"targets: {t: {type: socket, path: /x, owner: 4294967295}}",
     "k.yaml:4:46: targets.t.owner: \"4294967295\" is no user; write a name or a number\n"},
};

static void finds_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        const struct config_lines lines = {.targets = mistakes[i].targets};
        char text[8192];

        config_fixture_compose(&lines, text, sizeof(text));
        config_unref(config_fixture_expect(text, mistakes[i].expected));
    }
}

static struct config *load(const char *targets, const char *more, const char *messages)
{
    const struct config_lines lines = {
        .targets = targets,
        .accounts = "accounts: [{id: " ACCOUNT_ID "}, {id: " OTHER_ID "}]",
        .more = more,
    };
    char text[8192];

    config_fixture_compose(&lines, text, sizeof(text));
    return config_fixture_expect(text, messages);
}

static void expect_words(const struct destination *destination, const char *words, const char *keys)
{
    struct buf out;

    buf_init(&out, 4096);
    destination->type->describe(destination, &out);
    assert_string_equal(buf_str(&out), words);
    buf_clear(&out);
    destination->type->write(destination, &out);
    assert_string_equal(buf_str(&out), keys);
    buf_done(&out);
}

/* Both accounts use one URL and one socket. */
static void accounts_share_a_receiver(void **state)
{
    struct config *config = load(
        "targets: {h: {type: webhook, url: 'https://h/x', secret_file: s}, "
        "k: {type: socket, path: /run//hook}}",
        "defaults: {deliver_to: [h, k]}\n", "");

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct account *account = &config->accounts[i];

        assert_int_equal(account->destination_count, 2);
        expect_words(&account->destinations[0],
                     "webhook https://h/x (without the key, signed with s)",
                     "\"url\":\"https://h/x\",\"secret_file\":[\"s\"],\"include_key\":false,"
                     "\"ca_file\":null,\"pin\":null,\"timeout\":\"30s\"");
        expect_words(&account->destinations[1], "socket /run/hook (of user root)",
                     "\"path\":\"/run/hook\",\"owner\":\"root\",\"timeout\":\"1m\"");
    }
    config_unref(config);
}

/* A rotation would be complete before anybody has the key. Each cause is reported once. */
static void somebody_gets_the_key(void **state)
{
    static const char remedy[] =
        "h is only told of it; set `include_key: true` in it, or add a target that gets the key, "
        "such as a file, to `deliver_to`\n";
    static const char hook[] = "targets: {h: {type: webhook, url: 'https://h/x', secret_file: s}";
    char targets[512], expected[512];

    (void)state;
    (void)snprintf(targets, sizeof(targets), "%s}", hook);
    (void)snprintf(expected, sizeof(expected),
                   "k.yaml:4:14: targets.h: no required target gets the key: %s", remedy);
    assert_null(load(targets, NULL, expected));
    (void)snprintf(targets, sizeof(targets), "%s, f: {type: file, path: '/k/{account}'}}", hook);
    (void)snprintf(expected, sizeof(expected),
                   "k.yaml:6:24: defaults.deliver_to: no required target gets the key: %s", remedy);
    assert_null(
        load(targets, "defaults: {deliver_to: [h, {target: f, required: false}]}\n", expected));
    config_unref(load(targets, "defaults: {deliver_to: [h, f]}\n", ""));
    config_unref(load(targets, "defaults: {deliver_to: [{target: h, required: false}, f]}\n", ""));
}

/* `--check` does not promise to read what cannot be read. */
static void first_start_without_a_destination_that_can_be_read(void **state)
{
    struct config *config =
        load("targets: {h: {type: webhook, url: 'https://h/x', secret_file: s, include_key: true}}",
             NULL, "");
    struct buf out;

    (void)state;
    buf_init(&out, 64 * 1024);
    assert_int_equal(config_explain(config, NULL, 1, &out), 0);
    assert_non_null(strstr(buf_str(&out),
                           "first start    adopts: no destination can be read, so it delivers "
                           "nothing and is blocked until adopt_active says which key is in use"));
    buf_done(&out);
    config_unref(config);
}

static void all_keys(void **state)
{
    struct config *config = load(
        "targets: {h: {type: webhook, url: 'https://{location}.h/{account}', secret_file: ['/s/"
        "{account}', old], include_key: true, ca_file: /ca.pem, pin: [" PIN ", " OTHER_PIN
        "], timeout: 5s}, k: {type: socket, path: '/run/{account}', owner: 1000, timeout: 2m}}",
        "defaults: {deliver_to: [h, k]}\n", "");
    const struct account *account = &config->accounts[1];

    (void)state;
    assert_string_equal(account->name, "otheracct");
    assert_true(account->destinations[0].needs_location);
    expect_words(
        &account->destinations[0],
        "webhook https://{location}.h/otheracct (with the key, signed with /s/otheracct and "
        "old, trusts /ca.pem alone, pinned)",
        "\"url\":\"https://{location}.h/otheracct\",\"secret_file\":[\"/s/otheracct\","
        "\"old\"],\"include_key\":true,\"ca_file\":\"/ca.pem\",\"pin\":\"" PIN ";" OTHER_PIN
        "\",\"timeout\":\"5s\"");
    expect_words(&account->destinations[1], "socket /run/otheracct (of user 1000)",
                 "\"path\":\"/run/otheracct\",\"owner\":\"1000\",\"timeout\":\"2m\"");
    config_unref(config);
}

/* Two targets of one account are one destination by mistake, whichever account it is. */
static void one_account_names_a_receiver_once(void **state)
{
    const struct config_lines lines = {
        .targets =
            "targets: {a: {type: webhook, url: 'https://h/x', secret_file: s, include_key: "
            "true}, b: {type: webhook, url: 'https://h/x', secret_file: s}}",
        .accounts = "accounts: [{id: " ACCOUNT_ID ", deliver_to: a}, {id: " OTHER_ID "}]",
        .more = "defaults: {deliver_to: [a, b]}\n",
    };
    char text[8192];

    (void)state;
    config_fixture_compose(&lines, text, sizeof(text));
    assert_null(config_fixture_expect(
        text,
        "k.yaml:5:181: accounts[1]: targets a and b both write https://h/x; give each a url "
        "of its own\n"));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        TEST(finds_mistakes),
        TEST(accounts_share_a_receiver),
        TEST(somebody_gets_the_key),
        TEST(first_start_without_a_destination_that_can_be_read),
        TEST(all_keys),
        TEST(one_account_names_a_receiver_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
