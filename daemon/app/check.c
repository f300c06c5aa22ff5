#include <stdio.h>

#include "app/reading.h"
#include "base/json_writer.h"
#include "base/must.h"
#include "conf/discovery.h"
#include "conf/explain_type.h"
#include "conf/notifier.h"
#include "conf/schema.h"
#include "conf/target_type.h"
#include "proto/two_key/two_key.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024 };

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
    json_write_text(out, "pair", two_key_resource_find(account->id)->pair);
    json_write_text(out, "name", account->name);
    json_write_text(out, "type", two_key_resource_find(account->id)->short_name);
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

static void write_json(const struct options *options, const struct reading *reading,
                       struct buf *out)
{
    const struct config_messages *messages = &reading->messages;
    const struct config *config = reading->config;

    json_write_open(out, NULL, '{');
    json_write_text(out, "config", options->config_path);
    json_write_bool(out, "ok", !!config);
    json_write_number(out, "errors", messages->error_count);
    json_write_number(out, "warnings", messages->warning_count);
    (void)buf_append_format(out, ",\"messages\":[%s]", buf_str(&messages->json));
    json_write_open(out, "accounts", '[');
    for (size_t i = 0; i < reading->account_count; i++)
        write_account(reading->accounts[i], out);
    json_write_close(out, ']');
    json_write_open(out, "notify", '[');
    for (size_t i = 0; config && i < config->notifier_count; i++)
        write_notifier(&config->notifiers[i], out);
    json_write_close(out, ']');
    json_write_open(out, "discover", '[');
    for (size_t i = 0; config && i < config->rule_count; i++)
        write_rule(&config->rules[i], out);
    json_write_close(out, ']');
    json_write_open(out, "types", '[');
    if (config)
        explain_types(config, options->account_count > 0 ? reading->accounts : NULL,
                      reading->account_count, true, out);
    json_write_close(out, ']');
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

static int print(const struct options *options, const struct reading *reading)
{
    struct buf out;
    bool failed;

    buf_init(&out, OUTPUT_MAX);
    if (options->json)
        write_json(options, reading, &out);
    else if (reading->config && !options->quiet)
        (void)config_explain(reading->config, options->account_count > 0 ? reading->accounts : NULL,
                             reading->account_count, &out);
    failed = out.failed || reading->messages.json.failed;
    if (failed)
        fault_out_of_memory();
    fputs(buf_str(&out), stdout);
    buf_done(&out);
    return STATUS_OK;
}

int check_run(const struct options *options)
{
    struct reading reading;
    int status = reading_open(&reading, options);

    if (status == STATUS_OK)
        status = print(options, &reading);
    if (status == STATUS_OK && !reading.config)
        status = STATUS_CONFIG;
    reading_close(&reading);
    return status;
}
