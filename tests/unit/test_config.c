/* Valid configurations: their values, their defaults, and how several files are merged. */
#include "conf/config.h"
#include "conf/identity.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/target_file.h"
#include "proto/two_key/two_key.h"
#include "config_fixture.h"

extern const struct identity_type identity_managed_identity;

#define SUBSCRIPTION "00000000-0000-0000-0000-000000000000"

static const char minimum[] =
    "version: 1\n"
    "identities: {vm: {type: managed_identity}}\n"
    "policies:   {standard: {max_key_age: 90d}}\n"
    "targets:    {file: {type: file, path: \"/var/lib/keyrotated-keys/{account}\", group: batch, "
    "mode: \"0640\"}}\n"
    "accounts:\n"
    "  - id: " ACCOUNT_ID
    "\n"
    "    adopt_active: primary          # the key that its consumers use today\n";

static void understands_the_minimum(void **state)
{
    (void)state;
    struct config *config = config_fixture_expect(minimum, "");
    const struct account *account = &config->accounts[0];
    const struct destination *destination = &account->destinations[0];
    const struct target_file *settings = target_file_of(destination);

    assert_int_equal(config->account_count, 1);
    assert_string_equal(account->id, ACCOUNT_ID);
    assert_string_equal(account->name, "sampleacct");
    assert_string_equal(account->resource_group, "default-azurebatch-japaneast");
    assert_string_equal(account->subscription_id, SUBSCRIPTION);
    assert_true(account->has_adopt_active);
    assert_int_equal(account->adopt_active, SLOT_PRIMARY);
    assert_string_equal(account->identity->name, "vm");
    assert_ptr_equal(account->identity->type, &identity_managed_identity);
    assert_string_equal(identity_setting(account->identity, "source"), "auto");
    assert_null(identity_setting(account->identity, "endpoint"));
    assert_null(identity_setting(account->identity, "client_id"));
    assert_string_equal(account->policy_name, "standard");
    assert_int_equal(account->destination_count, 1);
    assert_string_equal(destination->place, "/var/lib/keyrotated-keys/sampleacct");
    assert_string_equal(settings->group, "batch");
    assert_int_equal(settings->mode, 0640);
    assert_int_equal(settings->format, FILE_FORMAT_RAW);
    assert_true(destination->required);
    assert_false(destination->needs_location);
    config_unref(config);
}

static void fills_in_the_defaults(void **state)
{
    (void)state;
    struct config *config = config_fixture_expect(minimum, "");
    const struct policy *policy = config->accounts[0].policy;

    assert_string_equal(config->state_dir, "/var/lib/keyrotated");
    assert_string_equal(config->control_socket, "/run/keyrotated/control.sock");
    assert_string_equal(config->control_group, "keyrotated-admin");
    assert_int_equal(config->log_level, LEVEL_INFO);
    assert_int_equal(config->log_format, LOG_FORMAT_AUTO);
    assert_int_equal(config->status_every, MS_HOUR);
    assert_int_equal(config->history_keep, 730 * MS_DAY);
    assert_string_equal(config->cloud.name, "AzureCloud");
    assert_string_equal(config->cloud.resource_manager, "https://management.azure.com");
    assert_string_equal(config_api_version(config, two_key_resource_at(0)), "2024-02-01");
    assert_null(config->ca_file);
    assert_null(config->proxy);
    assert_null(config->no_proxy);
    assert_int_equal(config->limit_requests, 64);
    assert_int_equal(config->limit_per_subscription, 8);
    assert_int_equal(config->timing.retry_initial, 30 * MS_SECOND);
    assert_int_equal(config->timing.retry_max, MS_HOUR);
    assert_int_equal(config->timing.unknown_wait, 90 * MS_SECOND);
    assert_int_equal(config->timing.verify_timeout, 5 * MS_MINUTE);
    assert_int_equal(config->timing.settle, MS_MINUTE);
    assert_int_equal(config->timing.repair_turn, MS_MINUTE);
    assert_int_equal(policy->max_key_age, 90 * MS_DAY);
    assert_int_equal(policy->rotate_every, 40 * MS_DAY);
    assert_int_equal(policy->overlap, 10 * MS_DAY);
    assert_int_equal(policy->splay, 4 * MS_DAY);
    assert_int_equal(policy->check_every, 6 * MS_HOUR);
    assert_int_equal(policy->overdue_after, 4 * MS_DAY);
    assert_int_equal(policy->verify, VERIFY_AUTO);
    assert_int_equal(policy->on_drift, DRIFT_REDELIVER);
    assert_true(policy->rotate);
    assert_int_equal(policy->window_count, 0);
    config_unref(config);
}

/* Every key, none with its default. */
static const char full[] =
    "version: 1\n"
    "state_dir: /srv//state/\n"
    "control_socket: /srv/control.sock\n"
    "log: {level: debug, format: json, status_every: 10m}\n"
    "history: {keep: 90d}\n"
    "cloud: {resource_manager: \"http://127.0.0.1:8080/\", login: \"http://sim.localhost:1\"}\n"
    "ca_file: /etc/ssl/certs/ca-certificates.crt\n"
    "proxy: http://proxy.example:3128/\n"
    "no_proxy: [.example.org, 10.0.0.1]\n"
    "limits: {requests: 10, per_subscription: 2}\n"
    "identities:\n"
    "  ops: {type: client_secret, tenant_id: contoso.onmicrosoft.com, client_id: " SUBSCRIPTION
    ", client_secret_file: ops-secret}\n"
    "  vm: {type: managed_identity, client_id: " SUBSCRIPTION
    ", source: imds, endpoint: \"http://[::1]:99/\"}\n"
    "policies:\n"
    "  nightly:\n"
    "    max_key_age: 90d\n"
    "    rotate_every: 30d\n"
    "    overlap: 14d\n"
    "    splay: 1h30m\n"
    "    overdue_after: 0s\n"
    "    verify: required\n"
    "    on_drift: alert\n"
    "    window:\n"
    "    - {days: [sat, SUN], from: 22:00, to: \"04:00\", time_zone: Europe/Berlin}\n"
    "    - {days: wednesday, from: 12:00}\n"
    "  watch: {rotate_every: 30d, rotate: false}\n"
    "targets:\n"
    "  env: {type: file, path: \"/k/{location}/{resource_group}/{account}.env\", format: env}\n"
    "  json: {type: file, path: \"/k/{subscription_id}-{account}.json\", format: json, group: "
    "\"g-{account}\"}\n"
    "defaults: {identity: ops, policy: nightly, deliver_to: [env, {target: json, required: "
    "false}], rotate: true}\n"
    "accounts:\n"
    "- {name: ZetaAcct, resource_group: RG.One_(x), subscription_id: " SUBSCRIPTION
    ", adopt_active: Secondary}\n"
    "- {id: " ACCOUNT_ID
    ", identity: vm, policy: watch, deliver_to: json, rotate: false}\n"
    "- {id: " ACCOUNT_ID "2, policy: watch, deliver_to: json}\n";

static const char zeta_id[] = "/SUBSCRIPTIONS/" SUBSCRIPTION
                              "/resourcegroups/rg.one_(X)/providers/microsoft.batch/"
                              "batchaccounts/zetaacct";

static void understands_the_service(void **state)
{
    (void)state;
    struct config *config = config_fixture_expect(full, "");

    assert_string_equal(config->state_dir, "/srv/state");
    assert_int_equal(config->log_level, LEVEL_DEBUG);
    assert_int_equal(config->log_format, LOG_FORMAT_JSON);
    assert_string_equal(config->cloud.name, "custom");
    assert_string_equal(config->cloud.resource_manager, "http://127.0.0.1:8080");
    assert_string_equal(config->cloud.audience, "http://127.0.0.1:8080/");
    assert_string_equal(config->proxy, "http://proxy.example:3128");
    assert_string_equal(config->no_proxy, ".example.org,10.0.0.1");
    assert_int_equal(config->limit_per_subscription, 2);
    assert_string_equal(identity_setting(&config->identities[1], "endpoint"), "http://[::1]:99");
    config_unref(config);
}

/* The account with that id, in any case. */
static const struct account *find_account(const struct config *config, const char *id)
{
    const struct account *found = NULL;

    if (config_match_account(config, id, &found) != 1 || !found)
        abort();
    return found;
}

static void understands_accounts_and_destinations(void **state)
{
    (void)state;
    struct config *config = config_fixture_expect(full, "");
    const struct account *zeta = find_account(config, zeta_id);

    assert_string_equal(zeta->name, "ZetaAcct");
    assert_int_equal(zeta->adopt_active, SLOT_SECONDARY);
    assert_string_equal(zeta->identity->name, "ops");
    assert_int_equal(zeta->destination_count, 2);
    assert_string_equal(zeta->destinations[0].place, "/k/{location}/rg.one_(x)/zetaacct.env");
    assert_true(zeta->destinations[0].needs_location);
    assert_string_equal(zeta->destinations[1].place, "/k/" SUBSCRIPTION "-zetaacct.json");
    assert_string_equal(target_file_of(&zeta->destinations[1])->group, "g-zetaacct");
    assert_false(zeta->destinations[1].required);
    config_unref(config);
}

static void understands_windows_and_times(void **state)
{
    (void)state;
    struct config *config = config_fixture_expect(full, "");
    const struct policy *nightly = find_account(config, zeta_id)->policy;

    assert_int_equal(nightly->splay, MS_HOUR + 30 * MS_MINUTE);
    assert_int_equal(nightly->overdue_after, 0);
    assert_int_equal(nightly->window_count, 2);
    assert_int_equal(nightly->windows[0].days, 0x60);
    assert_int_equal(nightly->windows[0].from_minute, 22 * 60);
    assert_int_equal(nightly->windows[0].to_minute, 4 * 60);
    assert_string_equal(tz_name(nightly->windows[0].tz), "Europe/Berlin");
    assert_int_equal(nightly->windows[1].days, 1 << 2);
    assert_int_equal(nightly->windows[1].to_minute, 0);
    config_unref(config);
}

static void prefers_the_account_to_defaults_to_policies(void **state)
{
    (void)state;
    struct config *config = config_fixture_expect(full, "");
    const struct account *none;

    /* The account's own `rotate`, and that of `defaults`, go before the policy's. */
    assert_false(find_account(config, ACCOUNT_ID)->policy->rotate);
    assert_true(find_account(config, ACCOUNT_ID "2")->policy->rotate);
    assert_string_equal(find_account(config, ACCOUNT_ID "2")->policy_name, "watch");
    assert_int_equal(config_match_account(config, ACCOUNT_ID "3", &none), 0);
    config_unref(config);
}

static void adds_fragments_up(void **state)
{
    (void)state;
    struct config_messages messages;
    struct config *config;

    config_fixture_write("k.yaml", minimum);
    config_fixture_write(
        "conf.d/20-late.yaml",
        "accounts: [{name: second, resource_group: g, subscription_id: " SUBSCRIPTION
        ", policy: weekly, deliver_to: file}]\n");
    config_fixture_write("conf.d/10-early.yaml",
                         "policies: {weekly: {rotate_every: 7d}}\n"
                         "log: {level: notice}\n"
                         "defaults: {policy: standard}\n");
    config_fixture_write("conf.d/30-empty.yaml", "# nothing yet\n");
    config_fixture_write("conf.d/.hidden.yaml", "nonsense\n");
    config_fixture_write("conf.d/nearly.yml", "nonsense\n");
    config_fixture_write("conf.d/README", "nonsense\n");
    config = config_fixture_load(&messages);
    assert_string_equal(buf_str(&messages.text),
                        "conf.d/30-empty.yaml:1:1: warning: the file is empty\n"
                        "conf.d/nearly.yml:1:1: warning: is not read; files that count end with "
                        ".yaml\n");
    assert_int_equal(messages.warning_count, 2);
    assert_int_equal(messages.error_count, 0);
    assert_non_null(config);
    assert_int_equal(config->account_count, 2);
    assert_int_equal(config->policy_count, 2);
    assert_int_equal(config->log_level, LEVEL_NOTICE);
    config_messages_done(&messages);
    config_unref(config);
}

static void names_both_places_of_what_collides(void **state)
{
    (void)state;
    config_fixture_write("conf.d/a.yaml",
                         "version: 1\n"
                         "policies: {standard: {rotate_every: 7d}}\n"
                         "log: {level: info}\n"
                         "accounts: [{id: " ACCOUNT_ID "}]\n");
    config_fixture_write("conf.d/b.yaml",
                         "log: {level: debug}\n"
                         "targets: [x]\n");
    assert_null(config_fixture_expect(
        minimum,
        "conf.d/a.yaml:1:1: version: stands twice, first at k.yaml:1:1; keep one\n"
        "conf.d/a.yaml:2:12: policies.standard: stands twice, first at k.yaml:3:14; keep one\n"
        "conf.d/a.yaml:4:12: accounts[0]: account sampleacct stands twice, first at k.yaml:6:5 "
        "(ids are compared without regard to case); keep one\n"
        "conf.d/b.yaml:1:1: log: stands twice, first at conf.d/a.yaml:3:1; keep one\n"
        "conf.d/b.yaml:2:1: targets: stands twice, first at k.yaml:4:1; keep one\n"));
}

/* Keys in a file that cannot be understood are not reported as missing. */
static void reads_on_after_a_file_that_cannot_be_understood(void **state)
{
    (void)state;
    config_fixture_write("conf.d/a.yaml", "policies: {x\n");
    config_fixture_write("conf.d/b.yaml", "accounts: [{id: " ACCOUNT_ID ", polcy: x}]\n");
    assert_null(config_fixture_expect(
        "version: 1\n",
        "conf.d/a.yaml:1:11: policies: this '{' is never closed; add '}', or the ',' that is "
        "missing inside\n"
        "conf.d/b.yaml:1:165: accounts[0].polcy: unknown key; did you mean policy?\n"));
}

static void tells_what_cannot_be_read(void **state)
{
    (void)state;
    struct config_messages messages;

    assert_null(config_fixture_load(&messages));
    assert_non_null(
        strstr(buf_str(&messages.text),
               "k.yaml:1:1: cannot open k.yaml: No such file or directory; begin with a "
               "copy of /"));
    assert_non_null(strstr(buf_str(&messages.text), "/examples/keyrotated.yaml there"));
    config_messages_done(&messages);
    assert_null(config_fixture_expect(
        "# empty\n", "k.yaml:1:1: the file is empty; begin it with \"version: 1\"\n"));
}

static void bounds_the_number_of_messages(void **state)
{
    (void)state;
    struct config_messages messages;
    size_t length = 0;
    char text[8192];

    for (int i = 0; i < 300; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "wrong%d: 1\n", i);
    config_fixture_write("k.yaml", text);
    assert_null(config_fixture_load(&messages));
    assert_int_equal(messages.error_count, 305); /* five sections are missing, too */
    assert_non_null(strstr(buf_str(&messages.text), "\nand 105 more errors\n"));
    config_messages_done(&messages);
}

static void follows_the_environment(void **state)
{
    (void)state;
    const struct config_environment environment = {
        .state_directory = "/run/s:/run/keys",
        .runtime_directory = "/run/r",
        .proxy_variables_set = true,
        .now = FIXTURE_NOW,
    };
    struct config_messages messages;
    struct config *config;
    struct buf text;

    config_fixture_write("k.yaml", minimum);
    config_messages_init(&messages);
    config = config_load("k.yaml", &environment, &messages);
    assert_non_null(config);
    buf_init(&text, 65536);
    assert_int_equal(config_explain(config, NULL, 0, &text), 0);
    assert_non_null(strstr(buf_str(&text),
                           "  journal        /run/s/journal.db\n"
                           "  control socket /run/r/control.sock, for root"));
    buf_done(&text);
    assert_string_equal(config->state_dir, "/run/s");
    assert_string_equal(config->control_socket, "/run/r/control.sock");
    assert_string_equal(buf_str(&messages.text),
                        "k.yaml:1:1: proxy: warning: the environment sets proxy variables, which "
                        "are not consulted; write the proxy here where one is needed\n");
    config_messages_done(&messages);
    assert_ptr_equal(config_ref(config), config);
    config_unref(config);
    assert_int_equal(config->account_count, 1); /* the other reference keeps it */
    config_unref(config);
}

static void explains_in_words(void **state)
{
    (void)state;
    struct config *config = config_fixture_expect(minimum, "");
    struct buf text;

    buf_init(&text, 65536);
    assert_int_equal(config_explain(config, NULL, config->account_count, &text), 0);
    assert_string_equal(
        buf_str(&text),
        "k.yaml: 1 account, 1 identity, 1 policy\n"
        "  cloud          AzureCloud, resource manager https://management.azure.com, login "
        "https://login.microsoftonline.com\n"
        "  journal        /var/lib/keyrotated/journal.db (unless its unit sets another)\n"
        "  control socket /run/keyrotated/control.sock (unless its unit sets another), for root "
        "and "
        "the group keyrotated-admin\n"
        "\n"
        "account sampleacct\n"
        "  id             " ACCOUNT_ID
        "\n"
        "  type           batch (Microsoft.Batch/batchAccounts)\n"
        "  identity       vm: managed identity of this machine, asked of the metadata service, App "
        "Service or Azure Arc, whichever is there\n"
        "  policy         standard: no key older than 90d: one rotation every 40d, a replaced key "
        "works for at least 10d more\n"
        "  spread         up to 4d after the planned time\n"
        "  overdue        4d after the planned time\n"
        "  a new key is   verified at the data plane if it can be reached (verify: auto), "
        "by a listing of one pool\n"
        "  drift is       noticed within 6h (check_every), repaired by delivering the live key "
        "again "
        "(on_drift: redeliver)\n"
        "  delivers to    file: file /var/lib/keyrotated-keys/sampleacct (the key alone, mode "
        "0640, group batch; in the service with the drop-in key-groups.conf)\n"
        "  first start    adopts: finds the active key by what the destinations hold; where they "
        "hold nothing, delivers the primary key (adopt_active); rotates nothing\n"
        "  first rotation between 10d and 40d after that\n"
        "\n"
        "type batch\n"
        "  is             a Batch account\n"
        "  a key may      do everything with pools, jobs and tasks of the account\n"
        "  verify is      a listing of one pool, which changes nothing\n"
        "  keys are off   where the account's poolAllocationMode is UserSubscription: it has no "
        "usable keys,\n"
        "                 or SharedKey is not among the account's allowedAuthenticationModes\n"
        "  needs\n"
        "    Microsoft.Batch/batchAccounts/read\n"
        "    Microsoft.Batch/batchAccounts/listkeys/action\n"
        "    Microsoft.Batch/batchAccounts/regeneratekeys/action\n");
    buf_done(&text);
    buf_init(&text, 100);
    assert_int_equal(config_explain(config, NULL, config->account_count, &text), -EMSGSIZE);
    buf_done(&text);
    config_unref(config);
}

#define IN_A_DIRECTORY(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(understands_the_minimum),
        IN_A_DIRECTORY(fills_in_the_defaults),
        IN_A_DIRECTORY(understands_the_service),
        IN_A_DIRECTORY(understands_accounts_and_destinations),
        IN_A_DIRECTORY(understands_windows_and_times),
        IN_A_DIRECTORY(prefers_the_account_to_defaults_to_policies),
        IN_A_DIRECTORY(adds_fragments_up),
        IN_A_DIRECTORY(names_both_places_of_what_collides),
        IN_A_DIRECTORY(reads_on_after_a_file_that_cannot_be_understood),
        IN_A_DIRECTORY(tells_what_cannot_be_read),
        IN_A_DIRECTORY(bounds_the_number_of_messages),
        IN_A_DIRECTORY(follows_the_environment),
        IN_A_DIRECTORY(explains_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
