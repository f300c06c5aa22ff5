#include "conf/config.h"

#include "base/date.h"
#include "base/str.h"
#include "conf/discovery.h"
#include "conf/explain_type.h"
#include "conf/identity.h"
#include "conf/notifier.h"
#include "conf/schema.h"
#include "conf/target_type.h"
#include "proto/two_key/two_key.h"

static const char *words(duration_ms duration, char out[DURATION_TEXT_MAX])
{
    return duration_to_words(duration, out);
}

/* "3 accounts", "1 account". */
static void append_count(struct buf *out, size_t count, const char *one, const char *many)
{
    (void)buf_append_format(out, "%zu %s", count, str_plural(count, one, many));
}

static void append_events(const struct notifier *notifier, struct buf *out)
{
    const struct schema_choice *choices = schema_key(&schema_notify, "events")->choices;
    const char *separator = " ";

    for (const struct schema_choice *choice = choices; choice->name; choice++) {
        if ((notifier->events & (unsigned)choice->value) == 0)
            continue;
        (void)buf_append_format(out, "%s%s", separator, choice->name);
        separator = ", ";
    }
}

static void append_summary(const struct config *config, struct buf *out)
{
    static const char unless_unit[] = " (unless its unit sets another)";

    (void)buf_append_format(out, "%s: ", config->path);
    append_count(out, config->account_count, "account", "accounts");
    (void)buf_append_str(out, ", ");
    append_count(out, config->identity_count, "identity", "identities");
    (void)buf_append_str(out, ", ");
    append_count(out, config->policy_count, "policy", "policies");
    if (config->rule_count > 0) {
        (void)buf_append_str(out, ", ");
        append_count(out, config->rule_count, "rule", "rules");
    }
    (void)buf_append_format(out, "\n  %-15s%s, resource manager %s, login %s\n", "cloud",
                            config->cloud.name, config->cloud.resource_manager,
                            config->cloud.login[0] != '\0' ? config->cloud.login
                                                           : "(the cloud will be asked)");
    (void)buf_append_format(out, "  %-15s%s/journal.db%s\n", "journal", config->state_dir,
                            config->assumes_state_dir ? unless_unit : "");
    (void)buf_append_format(out, "  %-15s%s%s, for root and the group %s\n", "control socket",
                            config->control_socket, config->assumes_socket ? unless_unit : "",
                            config->control_group);
    for (size_t i = 0; i < config->notifier_count; i++) {
        const struct destination *destination = &config->notifiers[i].destination;

        (void)buf_append_format(out, "  %-15s%s (%s %s), of", "notifies", destination->name,
                                destination->type->variant.name, destination->place);
        append_events(&config->notifiers[i], out);
        (void)buf_append_char(out, '\n');
    }
    if (config->ca_file)
        (void)buf_append_format(out, "  %-15s%s alone\n", "trusts", config->ca_file);
    if (config->proxy)
        (void)buf_append_format(
            out, "  %-15s%s%s%s%s%s\n", "proxy", config->proxy, config->proxy_user ? " as " : "",
            config->proxy_user ? config->proxy_user : "", config->no_proxy ? ", not for " : "",
            config->no_proxy ? config->no_proxy : "");
}

static void append_identity(const struct identity *identity, struct buf *out)
{
    (void)buf_append_format(out, "  %-15s%s: ", "identity", identity->name);
    identity->type->describe(identity, out);
    (void)buf_append_char(out, '\n');
}

/* The policy in one sentence. */
static int explain_policy(const struct policy *policy, struct buf *out)
{
    char age[DURATION_TEXT_MAX];
    char every[DURATION_TEXT_MAX];
    char overlap[DURATION_TEXT_MAX];

    if (!policy->rotate)
        return buf_append_str(out,
                              "no rotation (rotate: false): keys are adopted, delivered and "
                              "watched, never regenerated");
    if (policy->max_key_age != 0)
        (void)buf_append_format(out, "no key older than %s: ", words(policy->max_key_age, age));
    return buf_append_format(out,
                             "one rotation every %s, a replaced key works for at least %s more",
                             words(policy->rotate_every, every), words(policy->overlap, overlap));
}

static void append_window(const struct window *window, struct buf *out)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const char *separator = "";

    if (window->days == 0x7f)
        (void)buf_append_str(out, "every day");
    for (int day = 0; day < 7 && window->days != 0x7f; day++) {
        if ((window->days >> day & 1) == 0)
            continue;
        (void)buf_append_format(out, "%s%s", separator, names[day]);
        separator = ", ";
    }
    (void)buf_append_format(
        out, " from %02d:%02d to %02d:%02d%s, %s", window->from_minute / 60,
        window->from_minute % 60, window->to_minute / 60, window->to_minute % 60,
        window->to_minute <= window->from_minute ? " of the next day" : "", tz_name(window->tz));
}

static void append_freezes(const struct policy *policy, struct buf *out)
{
    char from[DATE_TEXT_MAX];
    char to[DATE_TEXT_MAX];

    for (size_t i = 0; i < policy->freeze_count; i++) {
        const struct freeze *freeze = &policy->freezes[i];

        (void)buf_append_format(out, "  %-15sfrom %s to %s%s%s\n", i == 0 ? "freeze" : "and",
                                date_to_rfc3339(freeze->from, from),
                                date_to_rfc3339(freeze->to, to), freeze->reason ? ": " : "",
                                freeze->reason ? freeze->reason : "");
    }
}

/* What it means is said once for all accounts of the type. */
static void append_type(const struct account *account, struct buf *out)
{
    const struct two_key_resource *type = two_key_resource_find(account->id);

    (void)buf_append_format(out, "  %-15s%s (%s)\n", "type", type->short_name, type->type);
    if (type->pair)
        (void)buf_append_format(out, "  %-15s%s; pairs of one resource regenerate one at a time\n",
                                "pair", type->pair);
}

static void append_verify(const struct cloud *cloud, const struct account *account, struct buf *out)
{
    static const char *const verify[] = {
        [VERIFY_AUTO] = "verified at the data plane if it can be reached (verify: auto)",
        [VERIFY_REQUIRED] = "verified at the data plane before it is delivered (verify: required)",
        [VERIFY_OFF] = "delivered without being verified (verify: off)",
    };
    const struct two_key_resource *type = two_key_resource_find(account->id);
    const enum verify_mode mode = account->policy->verify;

    const char *why = cloud_cannot_verify(cloud, type);

    if (why)
        (void)buf_append_format(out, "  %-15sdelivered without being verified: %s\n",
                                "a new key is", why);
    else if (mode == VERIFY_OFF)
        (void)buf_append_format(out, "  %-15s%s\n", "a new key is", verify[mode]);
    else
        (void)buf_append_format(out, "  %-15s%s, by %s\n", "a new key is", verify[mode],
                                type->probe->words);
}

static void append_policy(const struct cloud *cloud, const struct account *account, struct buf *out)
{
    static const char *const drift[] = {
        [DRIFT_REDELIVER] = "repaired by delivering the live key again (on_drift: redeliver)",
        [DRIFT_ALERT] = "reported and left to you (on_drift: alert)",
    };
    const struct policy *policy = account->policy;
    char text[DURATION_TEXT_MAX];

    (void)buf_append_format(out, "  %-15s%s: ", "policy", account->policy_name);
    (void)explain_policy(policy, out);
    (void)buf_append_char(out, '\n');
    if (policy->rotate) {
        for (size_t i = 0; i < policy->window_count; i++) {
            (void)buf_append_format(out, "  %-15s", i == 0 ? "starts only" : "or");
            append_window(&policy->windows[i], out);
            (void)buf_append_char(out, '\n');
        }
        append_freezes(policy, out);
        (void)buf_append_format(out, "  %-15sup to %s after the planned time\n", "spread",
                                words(policy->splay, text));
        (void)buf_append_format(out, "  %-15s%s after the planned time\n", "overdue",
                                words(policy->overdue_after, text));
        append_verify(cloud, account, out);
    }
    (void)buf_append_format(out, "  %-15snoticed within %s (check_every), %s\n", "drift is",
                            words(policy->check_every, text), drift[policy->on_drift]);
}

static void append_destination(const struct destination *destination, bool is_first,
                               struct buf *out)
{
    const char *does = destination->after ? "then tells" : is_first ? "delivers to" : "then to";

    (void)buf_append_format(out, "  %-15s%s: ", does, destination->name);
    destination->type->describe(destination, out);
    if (destination->after)
        (void)buf_append_format(out, ", after %s and without the key", destination->after->name);
    (void)buf_append_format(out, "%s\n", destination->required ? "" : ", not required");
}

/* One that gets the key. */
static bool has_readable_destination(const struct account *account)
{
    for (size_t i = 0; i < account->destination_count; i++) {
        if (!account->destinations[i].after && !account->destinations[i].type->is_unreadable)
            return true;
    }
    return false;
}

static void append_first_start(const struct account *account, struct buf *out)
{
    const struct policy *policy = account->policy;
    const bool is_readable = has_readable_destination(account);
    char earliest[DURATION_TEXT_MAX];
    char latest[DURATION_TEXT_MAX];

    (void)buf_append_format(out, "  %-15sadopts: %s", "first start",
                            is_readable ? "finds the active key by what the destinations hold; "
                                          "where they hold nothing, "
                                        : "no destination can be read, so it ");
    if (account->has_adopt_active)
        (void)buf_append_format(out, "delivers the %s key (adopt_active); rotates nothing\n",
                                slot_name(account->adopt_active));
    else
        (void)buf_append_str(out,
                             "delivers nothing and is blocked until adopt_active says which "
                             "key is in use; rotates nothing\n");
    if (!policy->rotate)
        return;
    (void)buf_append_format(out, "  %-15sbetween %s and %s after that%s\n", "first rotation",
                            words(policy->overlap, earliest), words(policy->rotate_every, latest),
                            policy->window_count > 0 ? ", when a window opens" : "");
}

static void append_account(const struct cloud *cloud, const struct account *account,
                           struct buf *out)
{
    (void)buf_append_format(out, "\naccount %s\n  %-15s%s\n", account->name, "id", account->id);
    append_type(account, out);
    append_identity(account->identity, out);
    append_policy(cloud, account, out);
    for (size_t i = 0; i < account->destination_count; i++)
        append_destination(&account->destinations[i], i == 0, out);
    append_first_start(account, out);
}

static void append_patterns(const char *what, const struct discovery_patterns *patterns,
                            struct buf *out)
{
    const char *separator = " ";

    if (patterns->count == 0)
        return;
    (void)buf_append_format(out, ", %s", what);
    for (size_t i = 0; i < patterns->count; i++) {
        (void)buf_append_format(out, "%s%s", separator, patterns->items[i]);
        separator = " or ";
    }
}

/* ", named batch*, tag env prod" */
static void append_filter(const struct discovery_filter *filter, struct buf *out)
{
    append_patterns("named", &filter->names, out);
    append_patterns("in resource group", &filter->groups, out);
    append_patterns("in", &filter->locations, out);
    for (size_t i = 0; i < filter->tag_count; i++) {
        (void)buf_append_format(out, ", with tag %s", filter->tags[i].name);
        append_patterns("set to", &filter->tags[i].values, out);
    }
}

static void append_rule_start(const struct discovery_rule *rule, struct buf *out)
{
    (void)buf_append_format(out, "  %-15sby what the targets hold", "active key");
    if (rule->active_tag)
        (void)buf_append_format(out, ", else the tag %s", rule->active_tag);
    if (rule->has_adopt_active)
        (void)buf_append_format(out,
                                ", else %s (adopt_active): adopted and delivered, and not rotated "
                                "before `keyrotatectl adopt --rule %s`\n",
                                slot_name(rule->adopt_active), rule->name);
    else
        (void)buf_append_str(out, "; where none says it, the account is blocked and waits\n");
}

static void append_way(const struct discovery_rule *rule, struct buf *out)
{
    static const char *const ways[] = {
        [DISCOVERY_BY_AUTO] =
            "by Resource Manager's lists, or by Azure Resource Graph where these "
            "would be many",
        [DISCOVERY_BY_MANAGER] = "by Resource Manager's lists",
        [DISCOVERY_BY_GRAPH] = "by Azure Resource Graph",
    };
    char every[DURATION_TEXT_MAX];

    (void)buf_append_format(out, "\n  %-15severy %s, with at most %u new ones each time, %s\n",
                            "lists", words(rule->every, every), rule->max_new, ways[rule->by]);
}

/* "file, then vault (not required)": a hook is part of its target. */
static void append_rule_targets(const struct discovery_rule *rule, struct buf *out)
{
    const char *separator = "";

    (void)buf_append_format(out, "  %-15s", "delivers to");
    for (size_t i = 0; i < rule->destination_count; i++) {
        if (rule->destinations[i].after)
            continue;
        (void)buf_append_format(out, "%s%s%s", separator, rule->destinations[i].name,
                                rule->destinations[i].required ? "" : " (not required)");
        separator = ", then ";
    }
    (void)buf_append_char(out, '\n');
}

static void append_rule(const struct discovery_rule *rule, struct buf *out)
{
    (void)buf_append_format(out, "\nrule %s%s\n  %-15s", rule->name,
                            rule->dry_run ? " (dry_run: adds and removes nothing)" : "", "finds");
    for (size_t i = 0; i < rule->type_count; i++)
        (void)buf_append_format(out, "%s%s", i > 0 ? " and " : "", rule->types[i]->type);
    append_filter(&rule->wanted, out);
    (void)buf_append_char(out, '\n');
    for (size_t i = 0; i < rule->excluded_count; i++) {
        (void)buf_append_format(out, "  %-15sall", "but not");
        append_filter(&rule->excluded[i], out);
        (void)buf_append_char(out, '\n');
    }
    (void)buf_append_format(out, "  %-15s", "looks in");
    if (rule->subscription_count == 0)
        (void)buf_append_str(out, "all subscriptions that the identity sees");
    for (size_t i = 0; i < rule->subscription_count; i++)
        (void)buf_append_format(out, "%s%s", i > 0 ? ", " : "", rule->subscriptions[i]);
    append_way(rule, out);
    append_identity(rule->identity, out);
    (void)buf_append_format(out, "  %-15s%s\n", "policy", rule->policy_name);
    append_rule_targets(rule, out);
    append_rule_start(rule, out);
}

int config_explain(const struct config *config, const struct account *const *accounts, size_t count,
                   struct buf *out)
{
    append_summary(config, out);
    for (size_t i = 0; i < count; i++)
        append_account(&config->cloud, accounts ? accounts[i] : &config->accounts[i], out);
    for (size_t i = 0; !accounts && i < config->rule_count; i++)
        append_rule(&config->rules[i], out);
    explain_types(config, accounts, count, false, out);
    /* A failed buffer stays failed and answers every append with its code. */
    return out->failed ? buf_append_str(out, "") : 0;
}
