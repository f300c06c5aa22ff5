/* Mistakes in targets and accounts and between them, each once, with its place and whole sentence.
 */
#include "conf/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config_fixture.h"
#include "zone_file.h"

struct mistake {
    struct config_lines lines;
    const char *expected; /* all messages */
};

#define OTHER_ID                                                                                   \
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/other/providers/"          \
    "Microsoft.Batch/batchAccounts/otheracct"

static const struct mistake target_mistakes[] = {
    {{.targets = "targets: {t: {type: file, mode: '0600'}}"},
     "k.yaml:4:14: targets.t.path: is missing; give a text, with placeholders such as {account} "
     "where needed\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{account}\", mode: 0640}}"},
     "k.yaml:4:55: targets.t.mode: is not in quotes, and YAML readers disagree about such numbers; "
     "write \"0640\"\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{account}\", mode: '640x'}}"},
     "k.yaml:4:55: targets.t.mode: \"640x\" cannot stand here; write an octal mode in quotes such "
     "as \"0640\"\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{account}\", mode: '0240'}}"},
     "k.yaml:4:55: targets.t.mode: the daemon could not read the file that it has delivered, and "
     "would stop rotating; write \"0640\"\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{account}\", mode: '0644'}}"},
     "k.yaml:4:55: targets.t.mode: warning: every user of this machine can read the key; use "
     "\"0640\" and a group\n"},
    {{.targets = "targets: {t: {type: file, path: keys}}"},
     "k.yaml:4:33: targets.t.path: \"keys\" is not an absolute path; begin it with '/'\n"},
    {{.targets = "targets: {t: {type: file, path: /keys/}}"},
     "k.yaml:4:33: targets.t.path: \"/keys/\" is a directory; add the name of the file\n"},
    {{.targets = "targets: {t: {type: file, path: /keys/../x}}"},
     "k.yaml:4:33: targets.t.path: \"/keys/../x\" holds \".\" or \"..\"; write the path without "
     "them\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{acount}\"}}"},
     "k.yaml:4:33: targets.t.path: unknown placeholder {acount}; did you mean {account}?\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{zzzzzz}\"}}"},
     "k.yaml:4:33: targets.t.path: unknown placeholder {zzzzzz}; known are {account}, "
     "{resource_group}, {subscription_id} and {location}\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{account\"}}"},
     "k.yaml:4:33: targets.t.path: holds a '{' without its partner; braces enclose placeholders "
     "such as {account}\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/account}\"}}"},
     "k.yaml:4:33: targets.t.path: holds a '}' without its partner; braces enclose placeholders "
     "such as {account}\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{account}\", group: \"{location}\"}}"},
     "k.yaml:4:56: targets.t.group: {location} cannot stand in a group; use {account}, "
     "{resource_group} or {subscription_id}\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{account}\", format: yaml}}"},
     "k.yaml:4:57: targets.t.format: unknown value \"yaml\"; write raw, env, json, "
     "template or env_connection_string\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{account}\", format: "
                 "env_connection_string}}"},
     "k.yaml:4:57: targets.t.format: tools of a Batch account read no connection string from the "
     "environment; write env\n"},
    {{.targets = "targets: {t: {type: file, path: \"/var/lib//keyrotated/{account}\"}}"},
     "k.yaml:4:33: targets.t.path: lies in state_dir /var/lib/keyrotated, which belongs to the "
     "journal alone; write a path outside of it\n"},
    {{.targets = "targets: {t: {type: file, path: \"/k/{account}\", modee: '0600'}}"},
     "k.yaml:4:49: targets.t.modee: unknown key; did you mean mode?\n"},
    {{.targets = "targets: {t: {type: key_vault, vault: 'https://{acct}.x'}}"},
     "k.yaml:4:14: targets.t.secret_name: is missing; give a text, with placeholders such as "
     "{account} where needed\n"
     "k.yaml:4:39: targets.t.vault: unknown placeholder {acct}; known are {account}, "
     "{resource_group}, {subscription_id} and {location}\n"},
    {{.targets = "targets: {t: {path: /x}}"},
     "k.yaml:4:14: targets.t.type: is missing; write " TARGET_TYPES "\n"},
    {{.targets = "targets: {t: {type: exec, command: /bin/true}}"},
     "k.yaml:4:36: targets.t.command: must be a list; begin each item with \"- \"\n"},
    {{.targets = "targets: {t: {type: exec, command: []}}"},
     "k.yaml:4:36: targets.t.command: holds 0 items; write the path of a program and at most 63 "
     "arguments\n"},
    {{.targets = "targets: {t: {type: exec, command: [tell, '{location}']}}"},
     "k.yaml:4:37: targets.t.command[0]: \"tell\" is not an absolute path; begin it "
     "with '/'\n"
     "k.yaml:4:43: targets.t.command[1]: {location} cannot stand in a command; the program finds "
     "it in $KEYROTATED_LOCATION\n"},
    {{.targets = "targets: {t: {type: systemd_credential, path: /x}}"},
     "k.yaml:4:14: targets.t.name: is missing; give a text, with placeholders such as {account} "
     "where needed\n"},
    {{.targets = "targets: {t: {type: systemd_credential, name: 'a/b', path: x, key: none}}"},
     "k.yaml:4:47: targets.t.name: \"a/b\" is no name of a credential; write one without '/', "
     "':' and blanks, in ASCII, as in the reader's LoadCredentialEncrypted=\n"
     "k.yaml:4:60: targets.t.path: \"x\" is not an absolute path; begin it with '/'\n"
     "k.yaml:4:68: targets.t.key: unknown value \"none\"; write host, tpm2, host+tpm2 or auto\n"},
    {{.targets = "targets: {t: {type: systemd_credential, name: '{location}'}}"},
     "k.yaml:4:47: targets.t.name: \"{location}\" holds {location}, which a credential cannot; "
     "take "
     "it out\n"},
    {{.targets = "targets: {t: {type: systemd_credential, name: k, path: "
                 "'/var/lib/keyrotated/{account}'}}"},
     "k.yaml:4:56: targets.t.path: lies in state_dir /var/lib/keyrotated, which belongs to the "
     "journal alone; write a path outside of it\n"},
    {{.targets = "targets: {t: {type: systemd_credential, name: '{account}', not_after: 30d}}"},
     "k.yaml:4:47: targets.t.name: warning: the credential lies in /etc/credstore.encrypted, which "
     "is root's alone; unless the daemon runs as root, set `path` to a file below "
     "/var/lib/keyrotated-keys\n"
     "k.yaml:4:71: targets.t.not_after: warning: the credential expires while its key is in use, "
     "and its reader does not start then; write 48d or more, or off\n"},
    {{.targets = "targets: {t: {type: systemd_credential, name: k, path: "
                 "/etc/credstore.encrypted/sub/k}}"},
     "k.yaml:4:56: targets.t.path: warning: the credential lies in /etc/credstore.encrypted, which "
     "is root's alone; unless the daemon runs as root, set `path` to a file below "
     "/var/lib/keyrotated-keys\n"},
    {{.targets = "targets: {t: {type: systemd_credential, name: 'batch key', path: /keys/k}}"},
     "k.yaml:4:47: targets.t.name: \"batch key\" is no name of a credential; write one without "
     "'/', ':' and blanks, in ASCII, as in the reader's LoadCredentialEncrypted=\n"},
    {{.targets = "targets: {t: {type: systemd_credential, name: \"k\\u00e9\", path: /keys/k}}"},
     "k.yaml:4:47: targets.t.name: \"k\u00e9\" is no name of a credential; write one without "
     "'/', ':' and blanks, in ASCII, as in the reader's LoadCredentialEncrypted=\n"},
    {{.targets = "targets: {t: {type: file, path: '~/keys/{account}'}}"},
     "k.yaml:4:33: targets.t.path: \"~/keys/{account}\" begins with `~`, which is not expanded; "
     "write an absolute path\n"},
    {{.targets = "targets: {t: {type: systemd_credential, name: k, path: /keys/k, program: "
                 "'~/systemd-creds', host_secret_file: '~/s'}}"},
     "k.yaml:4:74: targets.t.program: \"~/systemd-creds\" begins with `~`, which is not expanded; "
     "write an absolute path\n"
     "k.yaml:4:111: targets.t.host_secret_file: \"~/s\" begins with `~`, which is not expanded; "
     "write an absolute path\n"},
    {{.targets = "targets: {t: {type: systemd_credential, name: k, path: /keys/k, "
                 "host_secret_file: secrets/host}}"},
     "k.yaml:4:83: targets.t.host_secret_file: \"secrets/host\" is relative, and so the name of a "
     "credential of the unit, which holds no '/'; write an absolute path, or the name alone\n"},
    {{.targets = "targets: {t: {type: exec, command: [/bin/true], timeout: 0s}}"},
     "k.yaml:4:58: targets.t.timeout: must be longer than 0s; write a duration "
     "such as 90s or 30d\n"},
};

static const struct mistake account_mistakes[] = {
    {{.accounts = "# none"},
     "k.yaml:1:1: accounts: is missing; give a list, or let `discover` find "
     "them\n"},
    {{.accounts = "accounts: []"},
     "k.yaml:5:11: accounts: warning: is empty; there is nothing to look after\n"},
    {{.accounts = "accounts: {a: b}"},
     "k.yaml:5:11: accounts: must be a list; begin each item with \"- \"\n"},
    {{.accounts = "accounts: [x]"},
     "k.yaml:5:12: accounts[0]: is a single value; give a mapping of keys (id, type, name, path, "
     "resource_group, subscription_id, pair, adopt_active, identity, policy, deliver_to, rotate) "
     "to "
     "values\n"},
    {{.accounts = "accounts: [{}]"},
     "k.yaml:5:12: accounts[0].id: is missing; give id, or name, resource_group and "
     "subscription_id\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", name: sampleacct}]"},
     "k.yaml:5:165: accounts[0].name: says again what id says; keep id, or name, resource_group "
     "and subscription_id\n"},
    {{.accounts = "accounts: [{name: sampleacct}]"},
     "k.yaml:5:12: accounts[0].resource_group: is missing; without id, all of name, resource_group "
     "and subscription_id are needed\n"
     "k.yaml:5:12: accounts[0].subscription_id: is missing; without id, all of name, "
     "resource_group and subscription_id are needed\n"},
    {{.accounts = "accounts: [{name: sample_acct, resource_group: 'a/b', subscription_id: 1}]"},
     "k.yaml:5:19: accounts[0].name: \"sample_acct\" is not the name of a Batch account; those are "
     "3 to 24 letters and digits\n"
     "k.yaml:5:48: accounts[0].resource_group: \"a/b\" is not the name of a resource group; those "
     "are 1 to 90 letters, digits, '_', '-', '.', '(' and ')', without a '.' at the end\n"
     "k.yaml:5:72: accounts[0].subscription_id: \"1\" is not a GUID; write it as "
     "00000000-0000-0000-0000-000000000000\n"},
    {{.accounts = "accounts: [{id: /subscriptions/x}]"},
     "k.yaml:5:17: accounts[0].id: \"/subscriptions/x\" is not the resource id of a Batch account; "
     "write "
     "/subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Batch/batchAccounts/NAME\n"},
    {{.accounts =
          "accounts: [{id: "
          "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"
          "default-azurebatch-japaneast/providers/Microsoft.Storage/batchAccounts/sampleacct}]"},
     "k.yaml:5:17: accounts[0].id: "
     "\"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"
     "default-azurebatch-japaneast"
     "/providers/Microsoft.Storage/batchAccounts/sampleacct\" is of "
     "a type that is not known to have two keys; known are batch, storage, cognitive_services, "
     "redis, "
     "search, maps, event_grid_domain, event_grid_topic, event_grid_partner_namespace, "
     "container_registry, "
     "fluid_relay, service_bus, service_bus_queue, service_bus_topic, event_hubs, event_hub, "
     "relay, "
     "relay_hybrid_connection, relay_wcf, notification_hubs, notification_hub, automation, "
     "communication, data_factory_runtime, synapse_runtime, data_migration, apim_subscription, "
     "apim_workspace_subscription, apim_tenant, apim_gateway, spring, ml_endpoint, quantum, "
     "app_configuration, bot_channel, cosmos, redis_enterprise, signalr, web_pubsub, "
     "event_grid_namespace, event_grid_namespace_topic, ml_online_endpoint, "
     "ml_serverless_endpoint, iot_hub, device_provisioning; see "
     "keyrotated-resources(7)\n"},
    {{.accounts = "accounts: [{id: "
                  "/subscriptions/1/resourceGroups/default-azurebatch-japaneast/providers/"
                  "Microsoft.Batch/batchAccounts/sampleacct}]"},
     "k.yaml:5:17: accounts[0].id: "
     "\"/subscriptions/1/resourceGroups/default-azurebatch-japaneast"
     "/providers/Microsoft.Batch/batchAccounts/sampleacct\" holds a "
     "subscription that is not a GUID; write "
     "/subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Batch/batchAccounts/NAME\n"},
    {{.accounts = "accounts: [{id: "
                  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"
                  "default-azurebatch-japaneast/providers/Microsoft.Batch/batchAccounts/ab}]"},
     "k.yaml:5:17: accounts[0].id: "
     "\"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"
     "default-azurebatch-japaneast"
     "/providers/Microsoft.Batch/batchAccounts/ab\" holds no "
     "valid account name; those are 3 to 24 letters and digits\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID "/}]"},
     "k.yaml:5:17: accounts[0].id: "
     "\"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"
     "default-azurebatch-japaneast"
     "/providers/Microsoft.Batch/batchAccounts/sampleacct/\" ends "
     "with a slash; write "
     "/subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Batch/batchAccounts/NAME\n"},
    {{.accounts = "accounts: [{id: "
                  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/x./providers/"
                  "Microsoft.Batch/batchAccounts/sampleacct}]"},
     "k.yaml:5:17: accounts[0].id: "
     "\"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/x."
     "/providers/Microsoft.Batch/batchAccounts/sampleacct\" holds no "
     "valid resource group; write "
     "/subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Batch/batchAccounts/NAME\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", adopt_active: first}]"},
     "k.yaml:5:179: accounts[0].adopt_active: unknown value \"first\"; write primary or "
     "secondary\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", adopt_active:}]"},
     "k.yaml:5:177: accounts: put a space after the ':', or quotes around the text\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", adopt_active: ~}]"},
     "k.yaml:5:179: accounts[0].adopt_active: has no value; give primary or secondary\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", identity: vn}]"},
     "k.yaml:5:175: accounts[0].identity: unknown identity \"vn\"; did you mean vm?\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", policy: nightly}]"},
     "k.yaml:5:173: accounts[0].policy: unknown policy \"nightly\"; policies holds: standard\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", deliver_to: fil}]"},
     "k.yaml:5:177: accounts[0].deliver_to: unknown target \"fil\"; did you mean file?\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", deliver_to: [file, file]}]"},
     "k.yaml:5:184: accounts[0].deliver_to[1]: file stands twice, first at k.yaml:5:178; keep "
     "one\n"},
    {{.accounts =
          "accounts: [{id: " ACCOUNT_ID ", deliver_to: [{target: file, required: false}]}]"},
     "k.yaml:5:177: accounts[0].deliver_to: has no required target; remove \"required: false\" "
     "from one of them\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", deliver_to: []}]"},
     "k.yaml:5:177: accounts[0].deliver_to: has no required target; remove \"required: false\" "
     "from one of them\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", deliver_to: [{required: true}]}]"},
     "k.yaml:5:178: accounts[0].deliver_to[0].target: is missing; give a text\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID ", deliver_to: [{target: file, requird: false}]}]"},
     "k.yaml:5:193: accounts[0].deliver_to[0].requird: unknown key; did you mean required?\n"},
    {{.accounts =
          "accounts: [{id: " ACCOUNT_ID "}, {id: "
          "/subscriptions/00000000-0000-0000-0000-000000000000/RESOURCEGROUPS/"
          "DEFAULT-AZUREBATCH-JAPANEAST/PROVIDERS/MICROSOFT.BATCH/BATCHACCOUNTS/SAMPLEACCT}]"},
     "k.yaml:5:166: accounts[1]: account SAMPLEACCT stands twice, first at k.yaml:5:12 (ids are "
     "compared without regard to case); keep one\n"},
    {{.accounts = "accounts: [{id: " ACCOUNT_ID "}, {id: " OTHER_ID "}]",
      .targets = "targets: {file: {type: file, path: /keys/one}}"},
     "k.yaml:5:166: accounts[1]: account otheracct (target file) would write /keys/one, as account "
     "sampleacct at k.yaml:5:12 does; put {account} into the path, or {resource_group} and "
     "{subscription_id} too\n"},
    {{.targets = "targets: {a: {type: file, path: /keys/one}, b: {type: file, path: //keys//one}}",
      .more = "defaults: {deliver_to: [a, b]}\n"},
     "k.yaml:5:12: accounts[0]: targets a and b both write /keys/one; give each a path of its "
     "own\n"},
    {{.targets = "targets: {a: {type: file, path: /keys/one}, "
                 "b: {type: systemd_credential, name: n, path: /keys/one}}",
      .more = "defaults: {deliver_to: [a, b]}\n"},
     "k.yaml:5:12: accounts[0]: targets a and b both write /keys/one; give each a path of its "
     "own\n"},
    {{.targets = "targets: {a: {type: file, path: /keys/one}, b: {type: file, path: /keys/two}}"},
     "k.yaml:5:12: accounts[0].deliver_to: is missing, and targets holds several; write one of a, "
     "b here or in defaults\n"},
    {{.identities = "identities: {a: {type: managed_identity}, b: {type: managed_identity}}"},
     "k.yaml:5:12: accounts[0].identity: is missing, and identities holds several; write one of a, "
     "b here or in defaults\n"},
    {{.policies = "policies: {a: {max_key_age: 90d}, b: {max_key_age: 60d}}"},
     "k.yaml:5:12: accounts[0].policy: is missing, and policies holds several; write one of a, b "
     "here or in defaults\n"},
    {{.more = "defaults: {identity: vmm, policy: x, deliver_to: [fil]}\n"},
     "k.yaml:6:22: defaults.identity: unknown identity \"vmm\"; did you mean vm?\n"
     "k.yaml:6:35: defaults.policy: unknown policy \"x\"; policies holds: standard\n"
     "k.yaml:6:51: defaults.deliver_to[0]: unknown target \"fil\"; did you mean file?\n"},
    {{.more = "defaults: {rotate: no}\n"},
     "k.yaml:6:20: defaults.rotate: \"no\" cannot stand here; write true or false\n"},
    {{.more = "defaults: {deliver_to: {target: file, required: false}}\n"},
     "k.yaml:6:24: defaults.deliver_to: has no required target; remove \"required: false\" "
     "from one of them\n"},
};

static void expect_each(const struct mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[8192];

        config_fixture_compose(&mistakes[i].lines, text, sizeof(text));
        config_unref(config_fixture_expect(text, mistakes[i].expected));
    }
}

#define EXPECT_EACH(table) expect_each(table, sizeof(table) / sizeof((table)[0]))

static void finds_mistakes_in_targets(void **state)
{
    (void)state;
    EXPECT_EACH(target_mistakes);
}

static void finds_mistakes_in_accounts(void **state)
{
    (void)state;
    EXPECT_EACH(account_mistakes);
}

/* One run reports all mistakes, in the order of the file. */
static void finds_ten_mistakes_in_one_run(void **state)
{
    (void)state;
    static const char text[] =
        "version: 1\n"
        "logs: {level: debug}\n"
        "identities:\n"
        "  vm: {type: managed_identity, endpoint: http://10.0.0.1}\n"
        "policies:\n"
        "  standard: {max_key_age: 90 days}\n"
        "  nightly: {rotate_every: 30d, overlap: 31d, window: {time_zone: Europe/Brelin}}\n"
        "targets:\n"
        "  file: {type: file, path: \"/keys/{acount}\", mode: 0640}\n"
        "  vault: {type: key_vault, vault: \"https://v\", secret_name: s}\n"
        "accounts:\n"
        "  - {id: " ACCOUNT_ID
        ", policy: standrad, deliver_to: file}\n"
        "  - {id: " ACCOUNT_ID "/, policy: standard, deliver_to: file}\n";

    config_unref(config_fixture_expect(
        text,
        "k.yaml:2:1: logs: unknown key; did you mean log?\n"
        "k.yaml:4:42: identities.vm.endpoint: \"http://10.0.0.1\" would send tokens unencrypted; "
        "write https:// (http:// is accepted for loopback hosts and 169.254.169.254 alone)\n"
        "k.yaml:6:27: policies.standard.max_key_age: \"90 days\" cannot stand here; write a "
        "duration such as 90s, 12h or 30d\n"
        "k.yaml:7:41: policies.nightly.overlap: is longer than rotate_every; write 30d or less\n"
        "k.yaml:7:66: policies.nightly.window.time_zone: \"Europe/Brelin\" is not a time zone of "
        "this system; write a name of the tz database such as Europe/Berlin or UTC (package "
        "tzdata)\n"
        "k.yaml:9:28: targets.file.path: unknown placeholder {acount}; did you mean {account}?\n"
        "k.yaml:9:52: targets.file.mode: is not in quotes, and YAML readers disagree about such "
        "numbers; write \"0640\"\n"
        "k.yaml:12:166: accounts[0].policy: unknown policy \"standrad\"; did you mean standard?\n"
        "k.yaml:13:10: accounts[1].id: "
        "\"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"
        "default-azurebatch-japaneast"
        "/providers/Microsoft.Batch/batchAccounts/sampleacct/\" ends "
        "with a slash; write "
        "/subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Batch/batchAccounts/NAME\n"));
}

/* Debian 13 has names like US/Pacific in a package of their own, and lists them in tzdata.zi. */
static void former_names_of_time_zones_are_explained(void **state)
{
    (void)state;
    const struct zone_file pacific = {.rule = "PST8PDT,M3.2.0,M11.1.0"};
    char text[2048];

    assert_int_equal(setenv("TZDIR", ".", 1), 0);
    config_fixture_write("tzdata.zi", "L America/Los_Angeles US/Pacific\n");
    config_fixture_write("Torn", "TZif2 and no more");
    assert_int_equal(mkdir("America", 0700), 0);
    zone_file_write(&pacific, "America/Los_Angeles");
    config_fixture_compose(&(struct config_lines){.policies =
                                                      "policies: {p: {rotate_every: 30d, window: "
                                                      "{time_zone: US/Pacific}}}"},
                           text, sizeof(text));
    config_unref(config_fixture_expect(
        text,
        "k.yaml:3:55: policies.p.window.time_zone: \"US/Pacific\" is a former name that this "
        "system lacks; write the current name America/Los_Angeles, or install the "
        "package tzdata-legacy\n"));
    config_fixture_compose(
        &(struct config_lines){.policies =
                                   "policies: {p: {rotate_every: 30d, window: {time_zone: Torn}}}"},
        text, sizeof(text));
    config_unref(config_fixture_expect(
        text,
        "k.yaml:3:55: policies.p.window.time_zone: \"Torn\" is a time zone whose file is "
        "damaged, older than 2006 or counts leap seconds, so that no window can rely on it; "
        "install tzdata anew, or write a name such as Europe/Berlin or UTC\n"));
    assert_int_equal(unsetenv("TZDIR"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_mistakes_in_targets, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(finds_mistakes_in_accounts, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(finds_ten_mistakes_in_one_run, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(former_names_of_time_zones_are_explained,
                                        config_fixture_enter, config_fixture_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
