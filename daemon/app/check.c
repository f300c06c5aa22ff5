#include "app/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/discovery.h"
#include "conf/notifier.h"
#include "conf/schema.h"
#include "conf/target_type.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024 };

/* The accounts that were asked for, in that order; all of them where none was. */
struct selection {
    const struct account **accounts;
    size_t count;
};

static int select_accounts(const struct config *config, const struct options *options,
                           struct selection *selection)
{
    size_t wanted = options->account_count;

    selection->count = wanted > 0 ? wanted : config->account_count;
    selection->accounts = must_alloc_array(selection->count, sizeof(*selection->accounts));
    for (size_t i = 0; wanted == 0 && i < config->account_count; i++)
        selection->accounts[i] = &config->accounts[i];
    for (size_t i = 0; i < wanted; i++) {
        size_t found = config_match_account(config, options->accounts[i], &selection->accounts[i]);

        if (found == 1)
            continue;
        fprintf(stderr, "keyrotated: %s %s: give %s of %s\n",
                found == 0 ? "no account is called" : "several accounts are called",
                options->accounts[i],
                found == 0 ? "a name, group/name or the resource id"
                           : "group/name or the resource id",
                config->path);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

static void write_destination(const struct destination *destination, struct buf *out)
{
    json_write_open(out, NULL, '{');
    json_write_text(out, "target", destination->name);
    json_write_text(out, "type", destination->type->variant.name);
    destination->type->write(destination, out);
    json_write_bool(out, "required", destination->required);
    if (destination->after)
        json_write_text(out, "after", destination->after->name);
    json_write_close(out, '}');
}

static void write_seconds(struct buf *out, const char *name, duration_ms duration)
{
    json_write_number(out, name, (uint64_t)(duration / MS_SECOND));
}

static void write_freeze(const struct freeze *freeze, struct buf *out)
{
    json_write_open(out, NULL, '{');
    json_write_time(out, "from", freeze->from);
    json_write_time(out, "to", freeze->to);
    json_write_text(out, "reason", freeze->reason);
    json_write_close(out, '}');
}

static void write_account(const struct account *account, struct buf *out)
{
    const struct policy *policy = account->policy;

    json_write_open(out, NULL, '{');
    json_write_text(out, "id", account->id);
    json_write_text(out, "name", account->name);
    json_write_text(out, "resource_group", account->resource_group);
    json_write_text(out, "subscription_id", account->subscription_id);
    json_write_text(out, "adopt_active",
                    account->has_adopt_active ? slot_name(account->adopt_active) : NULL);
    json_write_text(out, "identity", account->identity->name);
    json_write_text(out, "policy", account->policy_name);
    json_write_bool(out, "rotate", policy->rotate);
    if (policy->max_key_age > 0)
        write_seconds(out, "max_key_age_s", policy->max_key_age);
    else
        json_write_null(out, "max_key_age_s");
    write_seconds(out, "rotate_every_s", policy->rotate_every);
    write_seconds(out, "overlap_s", policy->overlap);
    write_seconds(out, "check_every_s", policy->check_every);
    json_write_open(out, "freezes", '[');
    for (size_t i = 0; i < policy->freeze_count; i++)
        write_freeze(&policy->freezes[i], out);
    json_write_close(out, ']');
    json_write_open(out, "destinations", '[');
    for (size_t i = 0; i < account->destination_count; i++)
        write_destination(&account->destinations[i], out);
    json_write_close(out, ']');
    json_write_close(out, '}');
}

static void write_notifier(const struct notifier *notifier, struct buf *out)
{
    const struct schema_choice *choices = schema_key(&schema_notify, "events")->choices;

    json_write_open(out, NULL, '{');
    json_write_text(out, "target", notifier->destination.name);
    json_write_text(out, "type", notifier->destination.type->variant.name);
    json_write_open(out, "events", '[');
    for (const struct schema_choice *choice = choices; choice->name; choice++)
        if ((notifier->events & (unsigned)choice->value) != 0)
            json_write_text(out, NULL, choice->name);
    json_write_close(out, ']');
    write_seconds(out, "ahead_s", notifier->ahead);
    json_write_close(out, '}');
}

static void write_rule(const struct discovery_rule *rule, struct buf *out)
{
    json_write_open(out, NULL, '{');
    json_write_text(out, "rule", rule->name);
    json_write_text(out, "identity", rule->identity->name);
    json_write_text(out, "policy", rule->policy_name);
    json_write_open(out, "subscriptions", '[');
    for (size_t i = 0; i < rule->subscription_count; i++)
        json_write_text(out, NULL, rule->subscriptions[i]);
    json_write_close(out, ']');
    json_write_text(out, "adopt_active",
                    rule->has_adopt_active ? slot_name(rule->adopt_active) : NULL);
    json_write_text(out, "active_tag", rule->active_tag);
    json_write_text(out, "by", discovery_by_name(rule->by));
    write_seconds(out, "every_s", rule->every);
    json_write_number(out, "max_new", rule->max_new);
    json_write_bool(out, "dry_run", rule->dry_run);
    json_write_close(out, '}');
}

static void write_json(const struct options *options, const struct config_messages *messages,
                       const struct selection *selection, const struct config *config,
                       struct buf *out)
{
    json_write_open(out, NULL, '{');
    json_write_text(out, "config", options->config_path);
    json_write_bool(out, "ok", !!config);
    json_write_number(out, "errors", messages->error_count);
    json_write_number(out, "warnings", messages->warning_count);
    (void)buf_append_format(out, ",\"messages\":[%s]", buf_str(&messages->json));
    json_write_open(out, "accounts", '[');
    for (size_t i = 0; i < selection->count; i++)
        write_account(selection->accounts[i], out);
    json_write_close(out, ']');
    json_write_open(out, "notify", '[');
    for (size_t i = 0; config && i < config->notifier_count; i++)
        write_notifier(&config->notifiers[i], out);
    json_write_close(out, ']');
    json_write_open(out, "discover", '[');
    for (size_t i = 0; config && i < config->rule_count; i++)
        write_rule(&config->rules[i], out);
    json_write_close(out, ']');
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

static int print(const struct options *options, const struct config *config,
                 const struct config_messages *messages, const struct selection *selection)
{
    struct buf out;
    bool failed;

    buf_init(&out, OUTPUT_MAX);
    if (options->json)
        write_json(options, messages, selection, config, &out);
    else if (config && !options->quiet)
        (void)config_explain(config, options->account_count > 0 ? selection->accounts : NULL,
                             selection->count, &out);
    failed = out.failed || messages->json.failed;
    if (failed)
        fault_out_of_memory();
    fputs(buf_str(&out), stdout);
    buf_done(&out);
    return STATUS_OK;
}

/* Is it the configuration of a service on this machine? One that is checked elsewhere names
 * directories of another machine. */
static bool is_installed(const char *path)
{
    char *real = realpath(path, NULL);
    const bool installed = real && str_starts_with(real, KEYROTATED_SYSCONFDIR "/keyrotated/");

    free(real);
    return installed;
}

int check_run(const struct options *options)
{
    struct config_environment environment;
    struct config_messages messages;
    struct selection selection = {.count = 0};
    struct config *config;
    int status = STATUS_OK;

    environment_read(&environment);
    environment.sees_targets = geteuid() == 0 && is_installed(options->config_path);
    config_messages_init(&messages);
    messages.wants_json = options->json;
    config = config_load(options->config_path, &environment, &messages);
    if (!options->json)
        fputs(buf_str(&messages.text), stderr);
    if (config)
        status = select_accounts(config, options, &selection);
    if (status == STATUS_OK)
        status = print(options, config, &messages, &selection);
    if (status == STATUS_OK && !config)
        status = STATUS_CONFIG;
    free(selection.accounts);
    config_unref(config);
    config_messages_done(&messages);
    return status;
}
