/* What is reported once instead of twice, and valid settings that deserve a warning. */
#include "conf/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_fixture.h"

struct noted {
    struct config_lines lines;
    const char *expected; /* all messages */
};

static void expect_each(const struct noted *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[4096];

        config_fixture_compose(&cases[i].lines, text, sizeof(text));
        config_unref(config_fixture_expect(text, cases[i].expected));
    }
}

#define EXPECT_EACH(cases) expect_each(cases, sizeof(cases) / sizeof(cases[0]))

static void a_typo_in_a_key_is_one_mistake(void **state)
{
    (void)state;
    static const struct noted cases[] = {
        {{.version = "vresion: 1"}, "k.yaml:1:1: vresion: unknown key; did you mean version?\n"},
        {{.identities = "identities: {vm: {tpye: managed_identity}}"},
         "k.yaml:2:19: identities.vm.tpye: unknown key; did you mean type?\n"},
        {{.policies = "policies: {p: {max_key_aeg: 90d}}"},
         "k.yaml:3:16: policies.p.max_key_aeg: unknown key; did you mean max_key_age?\n"},
        {{.policies = "policies: {p: {rotate_evrey: 30d}}"},
         "k.yaml:3:16: policies.p.rotate_evrey: unknown key; did you mean rotate_every?\n"},
        {{.targets = "targets: {f: {typ: file, path: \"/k/{account}\"}}"},
         "k.yaml:4:15: targets.f.typ: unknown key; did you mean type?\n"},
        {{.targets = "targets: {f: {type: file, pth: \"/k/{account}\"}}"},
         "k.yaml:4:27: targets.f.pth: unknown key; did you mean path?\n"},
        {{.accounts = "accounts: [{ids: " ACCOUNT_ID "}]"},
         "k.yaml:5:13: accounts[0].ids: unknown key; did you mean id?\n"},
        {{.accounts = "accounts: [{name: sampleacct, resource_gruop: rg, subscription_id: "
                      "00000000-0000-0000-0000-000000000000}]"},
         "k.yaml:5:31: accounts[0].resource_gruop: unknown key; did you mean resource_group?\n"},
        {{.policies = "policies: {p: {max_key_age: 90d}, q: {max_key_age: 30d}}",
          .accounts = "accounts: [{id: " ACCOUNT_ID ", polciy: p}]"},
         "k.yaml:5:165: accounts[0].polciy: unknown key; did you mean policy?\n"},
        {{.policies = "policies: {p: {max_key_age: 90d}, q: {max_key_age: 30d}}",
          .more = "defaults: {polciy: p}\n"},
         "k.yaml:6:12: defaults.polciy: unknown key; did you mean policy?\n"},
        /* A missing key is reported, unless it was misspelt. */
        {{.policies = "policies: {p: {spaly: 1h}}"},
         "k.yaml:3:15: policies.p.max_key_age: is missing; give max_key_age (such as 90d) or "
         "rotate_every\n"
         "k.yaml:3:16: policies.p.spaly: unknown key; did you mean splay?\n"},
    };

    EXPECT_EACH(cases);
}

static void what_weakens_a_guarantee_is_named_with_it(void **state)
{
    (void)state;
    static const struct noted cases[] = {
        {{.more = "timing: {unknown_wait: 89s, verify_timeout: 1m, settle: 59s}\n"},
         "k.yaml:6:24: timing.unknown_wait: warning: is short; write 1m30s or more, or a "
         "regenerate "
         "whose answer was lost may still kill a key after the daemon took it for failed\n"
         "k.yaml:6:45: timing.verify_timeout: warning: is short; write 5m or more, or a new key "
         "may be delivered before its service has accepted it\n"
         "k.yaml:6:57: timing.settle: warning: is short; write 1m or more, or the look that "
         "confirms a rotation may still see the keys from before it\n"},
        {{.more = "timing: {list_wait: 4m}\n"},
         "k.yaml:6:21: timing.list_wait: warning: is short; write 5m or more, or lists that are "
         "late may hide a key that is then regenerated\n"},
        {{.policies = "policies: {p: {rotate_every: 30d, overlap: 59m}}"},
         "k.yaml:3:44: policies.p.overlap: warning: is short; write 1h or more, or a program that "
         "reads its key less often holds a dead one\n"},
        /* These cause work, but weaken no guarantee. */
        {{.policies = "policies: {p: {max_key_age: 1h, check_every: 1s}}",
          .more = "timing: {retry_initial: 1s, retry_max: 1s}\nlog: {status_every: 1s}\n"},
         ""},
    };

    EXPECT_EACH(cases);
}

static void what_no_account_uses_is_noted(void **state)
{
    (void)state;
    static const struct noted cases[] = {
        {{.identities = "identities: {vm: {type: managed_identity}, ops: {type: managed_identity}}",
          .policies = "policies: {p: {max_key_age: 90d}, q: {max_key_age: 30d}}",
          .targets = "targets: {f: {type: file, path: \"/k/{account}\"}, g: {type: file, path: "
                     "\"/g/{account}\"}}",
          .accounts = "accounts: [{id: " ACCOUNT_ID ", identity: vm, policy: q, deliver_to: f}]"},
         "k.yaml:2:44: identities.ops: warning: is used by no account\n"
         "k.yaml:3:12: policies.p: warning: is used by no account\n"
         "k.yaml:4:50: targets.g: warning: is used by no account\n"},
        /* After a mistake the intention is unknown. */
        {{.policies = "policies: {p: {max_key_age: 90d}, q: {max_key_age: 30d}}",
          .accounts = "accounts: [{id: " ACCOUNT_ID ", policy: zzz}]"},
         "k.yaml:5:173: accounts[0].policy: unknown policy \"zzz\"; policies holds: p, q\n"},
    };

    EXPECT_EACH(cases);
}

/* Loads it as the machine with the targets does. */
static void expect_there(const struct config_lines *lines, const char *expected)
{
    const struct config_environment environment = {.now = FIXTURE_NOW, .sees_targets = true};
    struct config_messages messages;
    char text[4096];

    config_fixture_compose(lines, text, sizeof(text));
    config_fixture_write("k.yaml", text);
    config_messages_init(&messages);
    config_unref(config_load("k.yaml", &environment, &messages));
    assert_string_equal(buf_str(&messages.text), expected);
    config_messages_done(&messages);
}

static void a_directory_that_is_missing_is_noted_where_targets_are_seen(void **state)
{
    (void)state;
    static const char path[] = "targets: {f: {type: file, path: \"/no/where/{account}\"}}";
    static const struct config_lines missing = {.targets = path};
    static const struct noted elsewhere = {{.targets = path}, ""};
    static const char another[] =
        "/subscriptions/00000000-0000-0000-0000-000000000000/"
        "resourceGroups/g/providers/Microsoft.Batch/batchAccounts/other";
    char two[1024];

    expect_there(&missing,
                 "k.yaml:4:33: targets.f.path: warning: the directory /no/where does not "
                 "exist here; make it, `install -d -o keyrotated -g GROUP -m 2750 "
                 "/no/where` with the group of the programs that read the key as "
                 "GROUP\n");
    expect_each(&elsewhere, 1);
    /* Once for all accounts; the group is the target's. */
    (void)snprintf(two, sizeof(two), "accounts: [{id: " ACCOUNT_ID "}, {id: %s}]", another);
    expect_there(&(const struct config_lines){.targets = "targets: {f: {type: file, group: daemon, "
                                                         "path: \"/no/where/{account}\"}}",
                                              .accounts = two},
                 "k.yaml:4:48: targets.f.path: warning: the directory /no/where does not exist "
                 "here; make it, `install -d -o keyrotated -g daemon -m 2750 /no/where`\n");
    /* Directories that exist, that a unit makes at its start, and whose name only Azure knows. */
    static const char *const silent[] = {
        "/{account}", "/usr/{account}", "/var/lib/keyrotated-keys/{account}",
        "/var/lib/keyrotated@no-such/keys/{account}", "/no/where/{location}/{account}"};
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        char targets[200];

        (void)snprintf(targets, sizeof(targets), "targets: {f: {type: file, path: \"%s\"}}",
                       silent[i]);
        expect_there(&(const struct config_lines){.targets = targets}, "");
    }
}

static void a_program_that_is_missing_or_exposed_is_noted(void **state)
{
    (void)state;
    static const struct config_lines missing = {
        .targets = "targets: {t: {type: exec, command: [/no/where]}}"};
    static const struct noted elsewhere = {
        {.targets = "targets: {t: {type: exec, command: [/no/where]}}"}, ""};
    static const struct noted others[] = {
        {{.targets = "targets: {t: {type: exec, command: [/etc]}}"},
         "k.yaml:4:37: targets.t.command[0]: warning: /etc is not a file; name a program\n"},
        {{.targets = "targets: {t: {type: exec, command: [/etc/passwd, x]}}"},
         "k.yaml:4:37: targets.t.command[0]: warning: nobody may execute /etc/passwd (mode 0644); "
         "run chmod a+x /etc/passwd\n"},
        {{.targets = "targets: {t: {type: exec, command: [/bin/sh]}}"}, ""},
    };

    expect_there(&missing,
                 "k.yaml:4:37: targets.t.command[0]: warning: there is no /no/where "
                 "here; install it, or correct the path\n");
    expect_each(&elsewhere, 1);
    EXPECT_EACH(others);
}

/* Wherever it is checked: there is no such program, and its arguments may be meant. */
static void arguments_in_the_item_of_the_program_are_noted(void **state)
{
    (void)state;
    static const char blank[] =
        "k.yaml:4:37: targets.t.command[0]: warning: holds a blank, and no program of that name is "
        "here; there is no shell, so write the program and each argument as an item of its own\n";
    static const struct noted cases[] = {
        {{.targets = "targets: {t: {type: exec, command: ['/bin/true --x']}}"}, blank},
        {{.targets = "targets: {t: {type: exec, command: ['/no/where --x', y]}}"}, blank},
        {{.targets = "targets: {t: {type: exec, command: [/bin/true, 'x y']}}"}, ""},
    };
    char directory[256], targets[512], text[4096];

    EXPECT_EACH(cases);
    expect_there(&cases[1].lines, blank);
    assert_non_null(getcwd(directory, sizeof(directory)));
    config_fixture_write("my program", "#!/bin/sh\n");
    assert_int_equal(chmod("my program", 0755), 0);
    (void)snprintf(targets, sizeof(targets),
                   "targets: {t: {type: exec, command: ['%s/my program']}}", directory);
    config_fixture_compose(&(const struct config_lines){.targets = targets}, text, sizeof(text));
    config_unref(config_fixture_expect(text, ""));
}

static void a_user_group_or_program_that_is_missing_is_noted_where_targets_are_seen(void **state)
{
    (void)state;
    static const struct noted cases[] = {
        {{.targets = "targets: {f: {type: file, owner: no-such, path: \"/{account}\"}}"},
         "k.yaml:4:34: targets.f.owner: warning: there is no user no-such here; create it, "
         "`useradd --system no-such`, or correct the name\n"},
        {{.targets = "targets: {f: {type: file, group: \"no-{account}\", path: \"/{account}\"}}"},
         "k.yaml:4:34: targets.f.group: warning: there is no group no-sampleacct here; create it, "
         "`groupadd --system no-sampleacct`, or correct the name\n"},
        {{.targets = "targets: {f: {type: file, owner: root, group: root, path: \"/{account}\"}}"},
         ""},
        {{.targets = "targets: {s: {type: socket, owner: no-such, path: /run/s}}"},
         "k.yaml:4:36: targets.s.owner: warning: there is no user no-such here; create it, "
         "`useradd --system no-such`, or correct the name\n"},
        {{.targets = "targets: {s: {type: socket, owner: 4000000000, path: /run/s}}"}, ""},
        {{.targets = "targets: {s: {type: socket, path: /run/s}}"}, ""},
        {{.targets = "targets: {c: {type: systemd_credential, name: k, program: /bin/true, path: "
                     "\"/no/where/{account}\"}}"},
         "k.yaml:4:76: targets.c.path: warning: the directory /no/where does not exist here; make "
         "it, `install -d -o keyrotated -g root -m 2750 /no/where`\n"},
        {{.targets = "targets: {c: {type: systemd_credential, name: k, program: /no/creds, path: "
                     "\"/var/lib/keyrotated-keys/{account}\"}}"},
         "k.yaml:4:59: targets.c.program: warning: there is no /no/creds here; install systemd 250 "
         "or later, or write the path of systemd-creds as `program`\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct noted elsewhere = {cases[i].lines, ""};

        expect_there(&cases[i].lines, cases[i].expected);
        expect_each(&elsewhere, 1);
    }
}

static void a_byte_order_mark_is_skipped(void **state)
{
    (void)state;
    char text[4096] = "\xef\xbb\xbf";

    config_fixture_compose(&(struct config_lines){.version = NULL}, text + 3, sizeof(text) - 3);
    config_unref(config_fixture_expect(text, ""));
    config_fixture_compose(&(struct config_lines){.version = "versino: 1"}, text + 3,
                           sizeof(text) - 3);
    config_unref(
        config_fixture_expect(text, "k.yaml:1:1: versino: unknown key; did you mean version?\n"));
}

static void expect_mode(const char *path, mode_t mode, const char *text, const char *expected)
{
    assert_int_equal(chmod(path, mode), 0);
    config_unref(config_fixture_expect(text, expected));
}

static void files_that_every_user_can_write_are_warned_about(void **state)
{
    (void)state;
    char text[4096];

    config_fixture_compose(&(struct config_lines){.version = NULL}, text, sizeof(text));
    config_unref(config_fixture_expect(text, ""));
    expect_mode("k.yaml", 0664, text, "");
    expect_mode(
        "k.yaml", 0646, text,
        "k.yaml:1:1: warning: every user can write to k.yaml (mode 0646) and so decide where "
        "keys go; run chmod o-w k.yaml\n");
    assert_int_equal(chmod("k.yaml", 0644), 0);
    config_fixture_write("conf.d/more.yaml", "timing: {settle: 2m}\n");
    expect_mode(
        "conf.d/more.yaml", 0602, text,
        "conf.d/more.yaml:1:1: warning: every user can write to conf.d/more.yaml (mode 0602) "
        "and so decide where keys go; run chmod o-w conf.d/more.yaml\n");
    assert_int_equal(chmod("conf.d/more.yaml", 0644), 0);
    expect_mode(
        "conf.d", 0703, text,
        "conf.d:1:1: warning: every user can write to conf.d (mode 0703) and so decide where "
        "keys go; run chmod o-w conf.d\n");
    assert_int_equal(chmod("conf.d", 0755), 0);
    expect_mode(".", 01703, text, ""); /* the sticky bit protects what others own */
    expect_mode(
        ".", 0703, text,
        ".:1:1: warning: every user can write to . (mode 0703) and so decide where keys go; "
        "run chmod o-w .\n");
    assert_int_equal(unlink("conf.d/more.yaml"), 0);
    assert_int_equal(rmdir("conf.d"), 0);
    expect_mode(
        ".", 01703, text,
        ".:1:1: warning: every user can make a conf.d in . and so decide where keys go; keep "
        "the configuration in a directory of its own\n");
}

static void secrets_that_every_user_can_read_are_warned_about(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        const char *what; /* NULL: nothing */
    } modes[] = {
        {0600, NULL}, {0640, NULL}, {0644, "read"}, {0602, "write to"}, {0666, "read and write"}};
    char path[256], text[4096], expected[2048];

    assert_non_null(getcwd(path, sizeof(path) - 8));
    strcat(path, "/secret");
    (void)snprintf(
        text, sizeof(text),
        "version: 1\nidentities: {ops: {type: client_secret, tenant_id: contoso.example, "
        "client_id: 00000000-0000-0000-0000-000000000000,\n  client_secret_file: %s}}\n"
        "policies: {p: {max_key_age: 90d}}\n"
        "targets: {f: {type: file, path: \"/k/{account}\"}}\n"
        "accounts: [{id: " ACCOUNT_ID "}]\n",
        path);
    config_unref(config_fixture_expect(text, "")); /* it may come later */
    config_fixture_write("secret", "a secret\n");
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (!modes[i].what)
            expected[0] = '\0';
        else
            (void)snprintf(
                expected, sizeof(expected),
                "k.yaml:3:23: identities.ops.client_secret_file: warning: every user can "
                "%s %s (mode %04o) and so act as this identity, or keep it from acting; "
                "run chmod o-rwx %s, and renew the secret if others could have read it\n",
                modes[i].what, path, (unsigned)modes[i].mode, path);
        expect_mode("secret", modes[i].mode, text, expected);
    }
}

static void a_ca_file_without_certificates_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"/nonexistent/ca.pem", "cannot open /nonexistent/ca.pem: No such file or directory"},
        {"/dev/null", "/dev/null is not a regular file"},
        {"/etc/passwd", "/etc/passwd holds no certificate that can be read"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char more[128], text[4096], expected[1024];

        (void)snprintf(more, sizeof(more), "ca_file: %s\n", wrong[i][0]);
        (void)snprintf(
            expected, sizeof(expected),
            "k.yaml:6:10: ca_file: %s; name a PEM file of certificates, or leave ca_file "
            "out for those of the system\n",
            wrong[i][1]);
        config_fixture_compose(&(struct config_lines){.more = more}, text, sizeof(text));
        config_unref(config_fixture_expect(text, expected));
    }
}

#define IN_A_DIRECTORY(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(a_typo_in_a_key_is_one_mistake),
        IN_A_DIRECTORY(what_weakens_a_guarantee_is_named_with_it),
        IN_A_DIRECTORY(what_no_account_uses_is_noted),
        IN_A_DIRECTORY(a_directory_that_is_missing_is_noted_where_targets_are_seen),
        IN_A_DIRECTORY(a_program_that_is_missing_or_exposed_is_noted),
        IN_A_DIRECTORY(arguments_in_the_item_of_the_program_are_noted),
        IN_A_DIRECTORY(a_user_group_or_program_that_is_missing_is_noted_where_targets_are_seen),
        IN_A_DIRECTORY(a_byte_order_mark_is_skipped),
        IN_A_DIRECTORY(files_that_every_user_can_write_are_warned_about),
        IN_A_DIRECTORY(secrets_that_every_user_can_read_are_warned_about),
        IN_A_DIRECTORY(a_ca_file_without_certificates_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
