/*
 * conf/ when memory runs out: see allocation.h. A configuration is complete, or refused with the
 * cause; a list of mistakes is complete, or says that it is not.
 */
#include "allocation_hooks.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/tz.h"
#include "conf/discovery.h"
#include "conf/config.h"
#include "proto/two_key/two_key.h"
#include "conf/identity.h"
#include "conf/origin.h"
#include "conf/notifier.h"
#include "conf/target_file.h"
#include "config_fixture.h"
#include "core/schedule.h"

enum { FRAGMENTS_MAX = 6, EXPLANATION_MAX = 1024 * 1024 };

struct file {
    const char *path;
    const char *text;
};

/* A configuration: k.yaml and what lies in conf.d. */
struct files {
    const char *main; /* NULL: it is missing */
    struct file more[FRAGMENTS_MAX];
};

/* --- what was read, all of it --- */

#define FOUND_ID(group, name)                                                                      \
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/" group                    \
    "/providers/Microsoft.Batch/batchAccounts/" name

static void add_service(struct result *result, const struct config *config)
{
    const struct cloud *cloud = &config->cloud;
    const struct timing *timing = &config->timing;

    result_add_text(result, "path", config->path);
    result_add_text(result, "state_dir", config->state_dir);
    result_add_text(result, "control_socket", config->control_socket);
    result_add_text(result, "control_group", config->control_group);
    result_add(result, "log %d %d %" PRId64 " %" PRId64 "\n", config->log_level, config->log_format,
               config->status_every, config->history_keep);
    result_add_text(result, "cloud", cloud->name);
    result_add_text(result, "resource_manager", cloud->resource_manager);
    result_add_text(result, "login", cloud->login);
    result_add_text(result, "audience", cloud->audience);
    result_add_text(result, "key_vault_audience", cloud->key_vault_audience);
    result_add_text(result, "api_version", config_api_version(config, two_key_resource_at(0)));
    result_add_text(result, "ca_file", config->ca_file);
    result_add_text(result, "proxy", config->proxy);
    result_add_text(result, "no_proxy", config->no_proxy);
    result_add(result, "limits %u %u\n", config->limit_requests, config->limit_per_subscription);
    result_add(result,
               "timing %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
               timing->retry_initial, timing->retry_max, timing->unknown_wait,
               timing->verify_timeout, timing->settle, timing->repair_turn);
}

static void add_identity(struct result *result, const struct identity *identity)
{
    result_add_text(result, "identity", identity->name);
    result_add_text(result, "type", identity->type->variant.name);
    for (size_t i = 0; i < IDENTITY_SETTINGS_MAX; i++)
        result_add_text(result, "setting", identity->settings[i]);
}

static void add_policy(struct result *result, const char *name, const struct policy *policy)
{
    result_add_text(result, "policy", name);
    result_add(result, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
               policy->max_key_age, policy->rotate_every, policy->overlap, policy->splay,
               policy->check_every, policy->overdue_after);
    result_add(result, "%d %d %d\n", policy->verify, policy->on_drift, policy->rotate);
    for (size_t i = 0; i < policy->window_count; i++) {
        const struct window *window = &policy->windows[i];

        result_add(result, "window %u %d %d %s\n", window->days, window->from_minute,
                   window->to_minute, tz_name(window->tz));
    }
    for (size_t i = 0; i < policy->freeze_count; i++) {
        result_add(result, "freeze %" PRId64 " %" PRId64 "\n", policy->freezes[i].from,
                   policy->freezes[i].to);
        result_add_text(result, "reason", policy->freezes[i].reason);
    }
}

static void add_file(struct result *result, const struct target_file *settings)
{
    result_add(result, "%o %d\n", settings->mode, settings->format);
    result_add_text(result, "owner", settings->owner);
    result_add_text(result, "group", settings->group);
    result_add_text(result, "template", settings->content);
}

/* As `--check --json` shows it. */
static void add_other(struct result *result, const struct destination *destination)
{
    struct buf keys;

    allocation_suspend();
    buf_init(&keys, EXPLANATION_MAX);
    destination->type->write(destination, &keys);
    result_add(result, "%s\n", buf_str(&keys));
    buf_done(&keys);
    allocation_resume();
}

static void add_destination(struct result *result, const struct destination *destination)
{
    result_add_text(result, "destination", destination->name);
    result_add(result, "%s %d %d\n", destination->type->variant.name, destination->required,
               destination->needs_location);
    result_add_text(result, "path", destination->place);
    result_add_text(result, "after", destination->after ? destination->after->name : NULL);
    if (destination->type == &target_file_type)
        add_file(result, target_file_of(destination));
    else
        add_other(result, destination);
}

static void add_account(struct result *result, const struct account *account)
{
    result_add_text(result, "account", account->id);
    result_add_text(result, "key", account->key);
    result_add_text(result, "name", account->name);
    result_add_text(result, "resource_group", account->resource_group);
    result_add_text(result, "subscription_id", account->subscription_id);
    result_add(result, "adopt_active %d %d\n", account->has_adopt_active, account->adopt_active);
    result_add_text(result, "of identity", account->identity->name);
    add_policy(result, account->policy_name, account->policy);
    for (size_t i = 0; i < account->destination_count; i++)
        add_destination(result, &account->destinations[i]);
}

static void add_notifier(struct result *result, const struct notifier *notifier)
{
    result_add(result, "told of %u, %" PRId64 "\n", notifier->events, notifier->ahead);
    add_destination(result, &notifier->destination);
}

static void add_config(struct result *result, const struct config *config)
{
    add_service(result, config);
    for (size_t i = 0; i < config->identity_count; i++)
        add_identity(result, &config->identities[i]);
    for (size_t i = 0; i < config->policy_count; i++)
        add_policy(result, config->policy_names[i], &config->policies[i]);
    for (size_t i = 0; i < config->account_count; i++)
        add_account(result, &config->accounts[i]);
    for (size_t i = 0; i < config->notifier_count; i++)
        add_notifier(result, &config->notifiers[i]);
}

/* --- the scenarios --- */

static struct config *load(struct config_messages *messages)
{
    static const struct config_environment environment = {
        .state_directory = "/var/lib/keyrotated:/var/lib/other",
        .runtime_directory = "/run/keyrotated",
        .proxy_variables_set = true,
        .now = FIXTURE_NOW,
    };

    config_messages_init(messages);
    return config_load("k.yaml", &environment, messages);
}

static void load_config(struct result *result, const void *context)
{
    struct config_messages messages;
    struct config *config = load(&messages);

    (void)context;
    if (!config)
        result_failed(result, messages.text.failed, buf_str(&messages.text));
    else
        result_add(result, "%s", buf_str(&messages.text));
    result_add(result, "%zu errors, %zu warnings\n", messages.error_count, messages.warning_count);
    if (!config && messages.error_count == 0)
        result_add(result, "but nothing was wrong\n");
    if (config)
        add_config(result, config);
    config_unref(config);
    config_messages_done(&messages);
}

static void add_rule(struct result *result, const struct discovery_rule *rule)
{
    result_add_text(result, "rule", rule->name);
    result_add_text(result, "of policy", rule->policy_name);
    result_add_text(result, "of tag", rule->active_tag);
    result_add(result, "%zu %zu %zu %zu %zu\n", rule->subscription_count, rule->type_count,
               rule->wanted.tag_count, rule->excluded_count, rule->destination_count);
    for (size_t i = 0; i < rule->wanted.names.count; i++)
        result_add_text(result, "named", rule->wanted.names.items[i]);
}

/* With accounts that its rules have found, two of which would meet. */
static void expand(struct result *result, const void *context)
{
    static const struct config_found found[] = {
        {FOUND_ID("one", "alpha"), "all", true, SLOT_SECONDARY},
        {FOUND_ID("one", "beta"), "all", false, SLOT_PRIMARY},
        {FOUND_ID("two", "beta"), "all", false, SLOT_PRIMARY},
    };
    struct config_messages messages;
    struct err err = {.code = 0};
    struct config *config, *expanded;

    (void)context;
    allocation_suspend();
    config = load(&messages);
    allocation_resume();
    expanded = config_expand(config, found, 3, &err);
    if (!expanded)
        result_failed(result, -ENOMEM, err.text);
    for (size_t i = 0; expanded && i < expanded->rule_count; i++)
        add_rule(result, &expanded->rules[i]);
    for (size_t i = 0; expanded && i < expanded->account_count; i++) {
        add_account(result, &expanded->accounts[i]);
        result_add_text(result, "found by", expanded->accounts[i].rule);
        result_add_text(result, "problem", expanded->accounts[i].problem);
    }
    config_unref(expanded);
    config_unref(config);
    config_messages_done(&messages);
}

static void add_text(struct result *result, int rc, struct buf *text)
{
    if (rc != 0 || text->failed != 0)
        result_failed(result, rc ? rc : text->failed, NULL);
    else
        result_add(result, "%s", buf_str(text));
    buf_done(text);
}

static void explain(struct result *result, const void *context)
{
    struct config_messages messages;
    struct config *config;
    struct buf out;

    (void)context;
    allocation_suspend();
    config = load(&messages);
    allocation_resume();
    buf_init(&out, EXPLANATION_MAX);
    add_text(result, config_explain(config, NULL, config->account_count, &out), &out);
    config_unref(config);
    config_messages_done(&messages);
}

static void add_origin(void *context, const struct origin *origin)
{
    (void)buf_append_format(context, "%s %s %s:%u %s\n", origin->key, origin->value,
                            origin->file ? origin->file : "-", origin->line, origin->from);
}

static void find_origins(struct result *result, const void *context)
{
    struct config_messages messages;
    struct config *config;
    struct buf out;

    (void)context;
    allocation_suspend();
    config = load(&messages);
    allocation_resume();
    buf_init(&out, EXPLANATION_MAX);
    add_text(result, config_origins(config, &config->accounts[0], add_origin, &out), &out);
    config_unref(config);
    config_messages_done(&messages);
}

static void find_account(struct result *result, const void *context)
{
    struct config_messages messages;
    const struct account *found = NULL;
    struct config *config;

    (void)context;
    allocation_suspend();
    config = load(&messages);
    allocation_resume();
    (void)config_match_account(config, config->accounts[0].id, &found);
    result_add_text(result, "found", found ? found->name : NULL);
    config_unref(config);
    config_messages_done(&messages);
}

/* --- the configurations --- */

static const struct files finding = {
    .main =
        "version: 1\n"
        "identities: {vm: {type: managed_identity}}\n"
        "policies:   {standard: {max_key_age: 90d}}\n"
        "targets:    {file: {type: file, path: \"/keys/{account}\"}}\n"
        "discover:   [{name: all, subscriptions: all, names: ['a*', beta], tags: {env: prod}, "
        "exclude: {locations: westeurope}, active_tag: key}]\n",
};

static const struct files minimal = {
    .main =
        "version: 1\n"
        "identities: {vm: {type: managed_identity}}\n"
        "policies:   {standard: {max_key_age: 90d}}\n"
        "targets:    {file: {type: file, path: \"/keys/{account}\", group: \"g{account}\"}}\n"
        "accounts: [{id: " ACCOUNT_ID ", adopt_active: primary}]\n",
};

#define SUBSCRIPTION "00000000-0000-0000-0000-000000000001"

static const struct files full = {
    .main =
        "version: 1\n"
        "state_dir: /srv//state/\n"
        "log: {level: debug, format: json, status_every: 2h}\nhistory: {keep: 1w}\n"
        "cloud:\n"
        "  resource_manager: https://arm.example.org/\n"
        "  login: https://login.example.org/\n"
        "  key_vault_audience: https://vault.example.org\n"
        "  batch_audience: https://batch.example.org/\n"
        "  api_version: 2024-07-01\n"
        "# ca_file: OpenSSL takes a lack of memory for a file without certificates\n"
        "proxy: http://proxy.example.org:3128/\n"
        "no_proxy: [.example.org, .example.net, localhost]\n"
        "limits: {requests: 10, per_subscription: 2}\n"
        "timing: {retry_initial: 10s, retry_max: 2h, unknown_wait: 2m, settle: 30s}\n"
        "identities:\n"
        "  ops: {type: client_secret, tenant_id: contoso.example, client_id: " SUBSCRIPTION
        ", client_secret_file: ops-secret}\n"
        "  vm: {type: managed_identity, client_id: " SUBSCRIPTION
        ", endpoint: \"http://127.0.0.1:8080/\"}\n"
        "policies:\n"
        "  nightly:\n"
        "    max_key_age: 90d\n"
        "    overlap: 14d\n"
        "    window:\n"
        "      - {days: [Sat, sunday], from: \"22:00\", to: \"04:00\", time_zone: Europe/Berlin}\n"
        "      - {from: \"12:00\", to: \"24:00\", time_zone: America/New_York}\n"
        "  weekly: {rotate_every: 1w, splay: 1h, verify: required, on_drift: alert}\n"
        "targets:\n"
        "  file: {type: file, path: \"/keys/{resource_group}/{account}\", group: \"g-{account}\"}\n"
        "  env: {type: file, path: \"/keys//env/{location}-{account}\", mode: \"0640\", format: "
        "env}\n"
        "  template: {type: file, path: \"/keys/{account}.ini\", owner: \"u-{account}\", format: "
        "template, template: \"key = {key}\"}\n"
        "  vault: {type: key_vault, vault: \"https://V-{location}.vault.example.org/\", "
        "secret_name: "
        "\"{account}-key\", identity: vm, content_type: \"t-{account}\", expires: 30d}\n"
        "freeze: [{from: 2026-12-20, to: 2026-12-21, time_zone: Europe/Berlin, reason: audit, "
        "policies: [nightly]}, {from: 2027-02-01, to: 2027-02-01}]\n"
        "defaults: {identity: ops, policy: nightly, deliver_to: file}\n"
        "notify: [{target: told}, {target: page, events: [completed, upcoming], ahead: 2d}]\n",
    .more =
        {
            {"conf.d/10-accounts.yaml",
             "accounts:\n"
             "  - id: " ACCOUNT_ID "\n"
             "    adopt_active: primary\n"
             "    deliver_to: [file, template, vault, {target: env, required: false}]\n"
             "  - {name: Second, resource_group: RG, subscription_id: " SUBSCRIPTION
             ", rotate: false}\n"},
            {"conf.d/20-more.yaml",
             "targets: {third: {type: file, path: \"/keys/third-{account}\", format: json}}\n"
             "accounts:\n"
             "  - {name: third, resource_group: rg, subscription_id: " SUBSCRIPTION
             ", policy: weekly, identity: vm, deliver_to: third}\n"},
            {"conf.d/30-empty.yaml", "# nothing\n"},
            {"conf.d/40-other.yml", "accounts: []\n"},
            {"conf.d/50-hooks.yaml",
             "targets:\n"
             "  hook: {type: webhook, url: \"https://hooks.example/{location}/{account}\",\n"
             "    secret_file: [hook-new, \"/hooks/{account}\"], include_key: true, ca_file: /ca,\n"
             "    pin: [sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,\n"
             "      sha256//BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=]}\n"
             "  sock: {type: socket, path: \"/run//{account}.sock\", owner: hooks, timeout: 5s,\n"
             "    after: [{unit: \"reader@{account}.service\"}, {target: told}]}\n"
             "  told: {type: exec, command: [/bin/tell, it], timeout: 5s}\n"
             "  page: {type: webhook, url: \"https://pager/\", secret_file: page}\n"
             "accounts:\n"
             "  - {name: fourth, resource_group: rg, subscription_id: " SUBSCRIPTION
             ", deliver_to: [hook, sock]}\n"},
            {"conf.d/60-kubernetes.yaml",
             "targets:\n"
             "  cluster: {type: kubernetes_secret, namespace: \"n-{location}\",\n"
             "    secret_name: \"s-{account}\", keys: {a.b: \"{name} {key}\", c: d},\n"
             "    labels: {x/y: \"l-{account}\"}, annotations: {z: \"a-{account}\"},\n"
             "    kubeconfig: config, context: here}\n"
             "  pod: {type: kubernetes_secret, namespace: n, secret_name: \"p-{account}\",\n"
             "    server: \"https://k:6443/\", ca_file: /ca, token_file: token}\n"
             "accounts:\n"
             "  - {name: fifth, resource_group: rg, subscription_id: " SUBSCRIPTION
             ", deliver_to: [cluster, pod]}\n"},
        },
};

#define ACCOUNT(name)                                                                              \
    "  - {name: " name ", resource_group: group, subscription_id: " SUBSCRIPTION "}\n"

/* Sorting them takes more room than the C library has on its stack. */
static const struct files many_accounts = {
    .main =
        "version: 1\n"
        "identities: {vm: {type: managed_identity}}\n"
        "policies: {standard: {max_key_age: 90d}}\n"
        "targets:\n"
        "  one: {type: file, path: \"/one/{account}\"}\n"
        "  two: {type: file, path: \"/two/{account}\"}\n"
        "defaults: {deliver_to: [one, two]}\n"
        "accounts:\n" ACCOUNT("november") ACCOUNT("mike") ACCOUNT("lima") ACCOUNT("kilo")
            ACCOUNT("juliett") ACCOUNT("india") ACCOUNT("hotel") ACCOUNT("golf") ACCOUNT("foxtrot")
                ACCOUNT("echo") ACCOUNT("delta") ACCOUNT("charlie"),
};

static const struct files mistakes = {
    .main =
        "version: 2\n"
        "log: {level: chatty, frmat: json}\n"
        "proxy: http://user:password@proxy\n"
        "no_proxy: [\"no suffix\"]\n"
        "metrics: {listen: \"localhost:9877\"}\n"
        "timing: {retry_initial: 2h, retry_max: 1h, settle: soon, xyz: 1}\n"
        "identities:\n"
        "  ops: {type: client_secret, tenant_id: 7, client_id: nobody}\n"
        "  vm: {type: managed_identity, client_id: " SUBSCRIPTION ", object_id: " SUBSCRIPTION
        "}\n"
        "  zz: {type: managed_idenity}\n"
        "  yy: {type: something_else}\n"
        "policies:\n"
        "  quick: {max_key_age: 90}\n"
        "  slow: {max_key_age: 30d, rotate_every: 20d}\n"
        "  odd: {rotate_every: 10d, overlap: 11d, splay: 12d, window: {from: \"25:00\", "
        "to: \"04:00\", time_zone: Europe/Nowhere, days: []}}\n"
        "targets:\n"
        "  file: {type: file, path: \"keys/{account}\", mode: 640}\n"
        "  twin: {type: file, path: \"/keys/same\"}\n"
        "  state: {type: file, path: \"/var/lib/keyrotated/{account}\"}\n"
        "  braces: {type: file, path: \"/keys/{acount}\"}\n"
        "  vault: {type: key_vault, vault: \"https://v.vault.azure.net\", secret_name: key}\n"
        "  hook: {type: webhook, url: http://x, secret_file: [], pin: x}\n"
        "  cluster: {type: kubernetes_secret, namespace: N_, secret_name: x, labels: {-: x},\n"
        "    context: x, server: \"https://k\", keys: {/: \"{key}\"}}\n"
        "  upper: {type: kubernetes_secret, namespace: N, secret_name: x, labels: {a: \"b c\"}}\n"
        "  sock: {type: socket, path: /x/../y, owner: \"a b\"}\n"
        "defaults: {identity: opps, policy: none, deliver_to: [file, file, nowhere]}\n"
        "accounts:\n"
        "  - {name: alpha, resource_group: rg, subscription_id: " SUBSCRIPTION
        ", policy: slwo, deliver_to: twin}\n"
        "  - {name: ALPHA, resource_group: rg, subscription_id: " SUBSCRIPTION
        ", deliver_to: twin}\n"
        "  - {name: beta, resource_group: rg, subscription_id: " SUBSCRIPTION
        ", deliver_to: [twin, state, upper], identity: vm, policy: slow}\n"
        "  - {id: " ACCOUNT_ID
        ", name: sampleacct, deliver_to: [{target: twin, required: "
        "false}]}\n"
        "  - {adopt_active: tertiary}\n"
        "  - {name: gamma}\n",
    .more = {{"conf.d/10-again.yaml", "version: 1\npolicies: {slow: {max_key_age: 60d}}\n"}},
};

/* What YAML has and a configuration may not, apart from what ends the reading of a file. */
static const struct files forbidden = {
    .main =
        "version: &anchor 1\n"
        "version: 1\n"
        "log: !tag {level: info}\n"
        "<<: {level: info}\n"
        "\"\": empty\n"
        "state_dir: *anchor\n"
        "ca_file: \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Nj"
        "c4OTo7PD0+Pw==\"\n"
        "proxy: \"a\\nb\"\n",
    .more = {{"conf.d/10-list.yaml", "- a list\n"},
             {"conf.d/20-tab.yaml", "log:\n\tlevel: info\n"},
             {"conf.d/30-quote.yaml", "state_dir: \"never closed\n"},
             {"conf.d/40-character.yaml", "log: {level: @info}\n"}},
};

static const struct files unreadable = {
    .main = "version: 1\n%YAML 1.1\n---\nlog: {level: info}\n",
    .more = {{"conf.d/10-second.yaml", "log: {level: info}\n---\nlog: {level: info}\n"},
             {"conf.d/20-deep.yaml", "log: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n"},
             {"conf.d/30-utf8.yaml", "log: {level: \"\xff\"}\n"},
             {"conf.d/40-odd.yaml", "? {a: b}\n: c\n"}},
};

static const struct files missing = {.main = NULL, .more = {{"conf.d/10-directory.yaml", NULL}}};

/* Accounts that meet in one file, apart from all else that could be wrong. */
static const struct files meeting = {
    .main =
        "version: 1\n"
        "identities: {vm: {type: managed_identity}}\n"
        "policies: {standard: {max_key_age: 90d}}\n"
        "targets: {file: {type: file, path: \"/keys/{resource_group}\"}}\n"
        "accounts:\n" ACCOUNT("alpha") ACCOUNT("bravo") ACCOUNT("charlie"),
};

/* --- the tests --- */

/* A value that is too long for its buffer is no missing value. */
static void test_a_group_that_is_too_long_is_no_missing_group(void **state)
{
    static char text[8192];
    struct config *config;
    int length = snprintf(text, sizeof(text),
                          "version: 1\n"
                          "identities: {vm: {type: managed_identity}}\n"
                          "policies: {standard: {max_key_age: 90d}}\n"
                          "accounts: [{name: abcdefghijklmnopqrstuvwx, resource_group: rg, "
                          "subscription_id: " SUBSCRIPTION
                          "}]\n"
                          "targets: {file: {type: file, path: \"/keys/{account}\", group: \"");

    (void)state;
    for (int i = 0; i < 400; i++)
        length += snprintf(text + length, sizeof(text) - (size_t)length, "{account}");
    (void)snprintf(text + length, sizeof(text) - (size_t)length, "\"}}\n");
    config = config_fixture_expect(text,
                                   "k.yaml:5:62: targets.file.group: expands to more than a "
                                   "name can hold; shorten it\n");
    assert_null(config);
}

static int lay_files(void **state)
{
    const struct scenario *scenario = *state;
    const struct files *files = scenario->context;

    if (config_fixture_enter(state) != 0)
        return -1;
    if (files->main)
        config_fixture_write("k.yaml", files->main);
    for (size_t i = 0; i < FRAGMENTS_MAX && files->more[i].path; i++) {
        if (files->more[i].text)
            config_fixture_write(files->more[i].path, files->more[i].text);
        else if (mkdir("conf.d", 0700) != 0 || mkdir(files->more[i].path, 0700) != 0)
            return -1;
    }
    return 0;
}

static int clear_up(void **state)
{
    (void)allocation_teardown(state);
    return config_fixture_leave(state);
}

#define CONFIG_TEST(name, run, files)                                                              \
    {                                                                                              \
        name, allocation_test, lay_files, clear_up, (struct scenario[])                            \
        {                                                                                          \
            {                                                                                      \
                name, run, &(files)                                                                \
            }                                                                                      \
        }                                                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST("minimal", load_config, minimal),
        CONFIG_TEST("full", load_config, full),
        CONFIG_TEST("many_accounts", load_config, many_accounts),
        CONFIG_TEST("mistakes", load_config, mistakes),
        CONFIG_TEST("forbidden", load_config, forbidden),
        CONFIG_TEST("unreadable", load_config, unreadable),
        CONFIG_TEST("missing", load_config, missing),
        CONFIG_TEST("meeting", load_config, meeting),
        CONFIG_TEST("explain", explain, full),
        CONFIG_TEST("origins", find_origins, full),
        CONFIG_TEST("finding", load_config, finding),
        CONFIG_TEST("expand", expand, finding),
        CONFIG_TEST("find_account", find_account, full),
        cmocka_unit_test_setup_teardown(test_a_group_that_is_too_long_is_no_missing_group,
                                        config_fixture_enter, config_fixture_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
