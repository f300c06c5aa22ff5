#include "ctl/status_text.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/remedy.h"

enum { LABEL_WIDTH = 15 };

/* --- pieces --- */

/* In place, from `start` on. */
static void remove_controls(struct buf *text, size_t start, size_t end)
{
    char *to = text->data + start;

    for (const char *from = to; from < text->data + end; from++) {
        const unsigned char c = (unsigned char)*from, next = (unsigned char)from[1];
        const bool is_c1 = c == 0xc2 && next < 0xa0; /* U+0080 to U+009F */

        *to++ = c < 0x20 || c == 0x7f || is_c1 ? '?' : *from;
        from += is_c1 && next >= 0x80;
    }
    memmove(to, text->data + end, text->length - end + 1);
    buf_truncate(text, (size_t)(to - text->data) + text->length - end);
}

void ctl_write(struct buf *out, const char *format, ...)
{
    const size_t start = out->length;
    const size_t line_end = str_ends_with(format, "\n") ? 1 : 0;
    va_list arguments;

    va_start(arguments, format);
    if (buf_append_vformat(out, format, arguments) == 0 && out->length > start)
        remove_controls(out, start, out->length - line_end);
    va_end(arguments);
}

const char *ctl_shown(const char *text)
{
    return text ? text : "-";
}

const char *ctl_words(duration_ms duration, char out[CTL_TIME_MAX])
{
    if (duration < MS_SECOND)
        duration = MS_SECOND;
    return duration_to_words(duration - duration % MS_SECOND, out);
}

const char *ctl_distance(time_ms at, time_ms now, char out[CTL_TIME_MAX])
{
    char words[CTL_TIME_MAX];

    if (at >= now)
        (void)snprintf(out, CTL_TIME_MAX, "in %s", ctl_words(time_between(now, at), words));
    else
        (void)snprintf(out, CTL_TIME_MAX, "%s ago", ctl_words(time_between(at, now), words));
    return out;
}

const char *ctl_next_try(time_ms at, time_ms now, char out[CTL_TIME_MAX])
{
    if (at > now)
        return ctl_distance(at, now, out);
    (void)snprintf(out, CTL_TIME_MAX, "now");
    return out;
}

const char *ctl_instant(time_ms at, time_ms now, char out[CTL_TIME_MAX])
{
    char date[DATE_TEXT_MAX], distance[CTL_TIME_MAX];

    if (at == TIME_NEVER)
        return date_to_rfc3339(at, out);
    (void)snprintf(out, CTL_TIME_MAX, "%s (%s)", date_to_rfc3339(at - at % MS_SECOND, date),
                   ctl_distance(at, now, distance));
    return out;
}

/* Unambiguous within a subscription, and accepted as ACCOUNT. */
void ctl_write_name(struct buf *out, const struct account_snapshot *account)
{
    if (account->resource_group)
        ctl_write(out, "%s/", account->resource_group);
    ctl_write(out, "%s", ctl_shown(account->name));
}

static bool is_in_state(const struct account_snapshot *account, const char *state)
{
    return str_equal(account->state, state);
}

enum ctl_exit ctl_account_severity(const struct account_snapshot *account)
{
    if (account->overdue || account->consumers_at_risk || is_in_state(account, "blocked"))
        return CTL_REFUSED;
    return control_account_is_well(account) ? CTL_DONE : CTL_NOT_DONE;
}

enum ctl_exit ctl_status_severity(const struct control_status *status)
{
    enum ctl_exit worst =
        status->daemon.journal_failing_since != TIME_NEVER ? CTL_NOT_DONE : CTL_DONE;

    for (size_t i = 0; i < status->account_count; i++) {
        const enum ctl_exit severity = ctl_account_severity(&status->accounts[i]);

        worst = severity > worst ? severity : worst;
    }
    return worst;
}

void ctl_write_state(struct buf *out, const struct account_snapshot *account)
{
    const bool by_config = str_equal(account->reason, "config");

    if (account->consumers_at_risk)
        ctl_write(out, "CONSUMERS AT RISK, ");
    ctl_write(out, "%s",
              by_config && is_in_state(account, "held") ? "watched only (rotate: false)"
                                                        : ctl_shown(account->state));
    if (account->reason && !by_config)
        ctl_write(out, ": %s", account->reason);
    if (account->overdue)
        ctl_write(out, ", overdue");
}

/* --- summary --- */

static void write_counts(struct buf *out, const struct daemon_snapshot *daemon)
{
    const size_t apart = daemon->watched + daemon->frozen;
    const char *separator = ": ";

    ctl_write(out, "%zu %s", daemon->accounts, str_plural(daemon->accounts, "account", "accounts"));
    for (size_t i = 0; i < daemon->state_count; i++) {
        size_t count = daemon->states[i].count;

        if (str_equal(daemon->states[i].state, "held"))
            count -= apart < count ? apart : count;
        if (count == 0)
            continue;
        ctl_write(out, "%s%zu %s", separator, count, daemon->states[i].state);
        separator = ", ";
    }
    if (daemon->watched > 0)
        ctl_write(out, "%s%zu watched only", separator, daemon->watched);
    if (daemon->frozen > 0)
        ctl_write(out, "%s%zu in a change freeze", daemon->watched > 0 ? ", " : separator,
                  daemon->frozen);
    if (daemon->overdue > 0)
        ctl_write(out, "; %zu overdue", daemon->overdue);
    if (daemon->consumers_at_risk > 0)
        ctl_write(out, "; %zu with CONSUMERS AT RISK", daemon->consumers_at_risk);
}

static void write_refused_reload(struct buf *out, const char *error, const char *socket)
{
    const struct remedy_words words = {.socket = socket};
    char remedy[REMEDY_MAX];

    remedy_expand("correct it, then: `keyrotatectl reload`", &words, remedy, sizeof(remedy));
    ctl_write(out, "The last reload was refused, the configuration before it is in force: %s",
              error);
    (void)buf_append_format(out, "\n    do: %s\n", remedy);
}

/* How long ahead of its end it is shown. */
#define CREDENTIAL_SHOWN (30 * MS_DAY)

static void write_credential(struct buf *out, const struct daemon_snapshot *daemon)
{
    const duration_ms left = time_between(daemon->now, daemon->credential_expires_at);
    char text[CTL_TIME_MAX];

    if (!daemon->credential_identity || (left > CREDENTIAL_SHOWN && !daemon->credential_problem))
        return;
    ctl_write(out, "identity %s: %s ends %s", daemon->credential_identity,
              ctl_shown(daemon->credential),
              ctl_instant(daemon->credential_expires_at, daemon->now, text));
    if (daemon->credential_problem)
        ctl_write(out, ", and is still used: %s", daemon->credential_problem);
    (void)buf_append_str(out, "\n    do: ");
    ctl_write(out, "%s", ctl_shown(daemon->credential_remedy));
    (void)buf_append_char(out, '\n');
}

/* Only what is not as usual. */
static void write_rule(struct buf *out, const struct rule_snapshot *rule, time_ms now)
{
    char text[CTL_TIME_MAX];

    if (rule->error)
        ctl_write(out, "rule %s was not listed whole: %s; the next try is %s\n",
                  ctl_shown(rule->name), rule->error,
                  rule->next_at <= now ? "now" : ctl_distance(rule->next_at, now, text));
    if (rule->waiting > 0)
        ctl_write(out, "rule %s: %zu more %s %s\n", ctl_shown(rule->name), rule->waiting,
                  str_plural(rule->waiting, "account", "accounts"),
                  rule->dry_run        ? "would be added (dry_run)"
                  : rule->waiting == 1 ? "waits for the next listing (max_new)"
                                       : "wait for the next listing (max_new)");
}

void ctl_write_conditions(struct buf *out, const struct daemon_snapshot *daemon, const char *socket)
{
    char text[CTL_TIME_MAX];

    if (daemon->journal_failing_since != TIME_NEVER)
        ctl_write(out, "THE JOURNAL CANNOT BE WRITTEN since %s: %s\n",
                  ctl_instant(daemon->journal_failing_since, daemon->now, text),
                  ctl_shown(daemon->journal_error));
    if (daemon->log_level_until != TIME_NEVER && daemon->log_level_until != 0)
        ctl_write(out, "log level %s until %s, by %s; then %s\n", ctl_shown(daemon->log_level),
                  ctl_instant(daemon->log_level_until, daemon->now, text),
                  ctl_shown(daemon->log_level_actor), ctl_shown(daemon->log_level_configured));
    for (size_t i = 0; i < daemon->rule_count; i++)
        write_rule(out, &daemon->rules[i], daemon->now);
    if (daemon->config_error)
        write_refused_reload(out, daemon->config_error, socket);
    write_credential(out, daemon);
}

void ctl_write_selection(struct buf *out, const struct daemon_snapshot *daemon, size_t unwell)
{
    ctl_write(out, "%zu of %zu %s: ", daemon->selected, daemon->accounts,
              str_plural(daemon->accounts, "account", "accounts"));
    if (daemon->selected == 0)
        ctl_write(out, "none matches\n");
    else if (unwell == 0)
        ctl_write(out, "%s\n", daemon->selected == 1 ? "it is well" : "all are well");
    else
        ctl_write(out, "%zu not well\n", unwell);
}

void ctl_write_summary(struct buf *out, const struct daemon_snapshot *daemon, const char *socket)
{
    char text[CTL_TIME_MAX];

    write_counts(out, daemon);
    if (daemon->oldest_key_born != TIME_NEVER)
        ctl_write(out, "; oldest key %s",
                  ctl_words(time_between(daemon->oldest_key_born, daemon->now), text));
    if (daemon->next_at != TIME_NEVER)
        ctl_write(out, "; next rotation %s (%s)",
                  daemon->next_at <= daemon->now ? "now"
                                                 : ctl_distance(daemon->next_at, daemon->now, text),
                  ctl_shown(daemon->next_account));
    (void)buf_append_char(out, '\n');
    ctl_write_conditions(out, daemon, socket);
}

/* --- what is not well --- */

/* group/name, out of the resource id: short, and accepted as ACCOUNT. */
static void write_short_id(struct buf *out, const char *id)
{
    static const char before_group[] = "/resourcegroups/";
    const char *name = strrchr(id, '/');
    const char *group = NULL;

    for (const char *at = id; !group && *at != '\0'; at++)
        if (str_starts_with_nocase(at, before_group))
            group = at + sizeof(before_group) - 1;
    if (!group || !name || name < group)
        ctl_write(out, "%s", id);
    else
        ctl_write(out, "%.*s%s", (int)strcspn(group, "/"), group, name);
}

static void write_until(struct buf *out, const struct hold_snapshot *hold, time_ms now)
{
    char until[CTL_TIME_MAX];

    ctl_write(out, "until %s",
              hold->until == TIME_NEVER ? "resumed" : ctl_instant(hold->until, now, until));
    ctl_write(out, ": %s", hold->reason ? hold->reason : "no reason was given");
}

static const char *who_holds(const struct hold_snapshot *hold)
{
    return hold->actor ? hold->actor : "somebody unknown";
}

void ctl_write_hold(struct buf *out, const struct hold_snapshot *hold, time_ms now)
{
    char since[CTL_TIME_MAX];

    ctl_write(out, "hold %llu of ", (unsigned long long)hold->id);
    if (hold->account)
        write_short_id(out, hold->account);
    else
        ctl_write(out, "all accounts");
    if (!hold->configured && hold->account)
        ctl_write(out, " (not configured)");
    ctl_write(out, ", by %s", who_holds(hold));
    if (hold->since != TIME_NEVER)
        ctl_write(out, " since %s", ctl_instant(hold->since, now, since));
    ctl_write(out, ", ");
    write_until(out, hold, now);
    (void)buf_append_char(out, '\n');
}

/* In the status of the account that it binds. */
static void write_hold_line(struct buf *out, const struct hold_snapshot *hold, time_ms now)
{
    write_until(out, hold, now);
    ctl_write(out, " (hold %llu%s, by %s)\n", (unsigned long long)hold->id,
              hold->account ? "" : " of all accounts", who_holds(hold));
}

/* "due since 2026-11-22T09:00:00Z (3h ago); waits: the account is held" */
static void write_next(struct buf *out, const struct account_snapshot *account, const char *waits,
                       time_ms now)
{
    const bool is_late = account->due_since != TIME_NEVER || account->rotation_requested;
    char text[CTL_TIME_MAX];

    if (account->rotating) {
        ctl_write(out, "under way since %s\n", ctl_instant(account->started_at, now, text));
        return;
    }
    if (account->due_since != TIME_NEVER)
        ctl_write(out, "due since %s", ctl_instant(account->due_since, now, text));
    else
        ctl_write(out, "%s",
                  account->rotation_requested ? "asked for"
                                              : ctl_instant(account->next_at, now, text));
    if (waits)
        ctl_write(out, "; waits: %s", waits);
    if (is_late && account->next_at != TIME_NEVER && account->next_at > now)
        ctl_write(out, "; starts %s", ctl_instant(account->next_at, now, text));
    (void)buf_append_char(out, '\n');
}

/* A target, in the words for what it gets. */
struct delivery_words {
    const char *gets, *satisfied, *at, *lacking, *last, *holds, *dead;
};

static const struct delivery_words *delivery_words(const struct target_snapshot *target)
{
    static const struct delivery_words all[] = {
        {"key", "has the key", " since", "LACKS THE KEY", "last delivery", "holds",
         "holds a dead key: programs that use it fail"},
        {"key_unread", "was given the key", ",", "WAS NOT GIVEN THE KEY", "last delivery", "it was",
         "was given a key that is dead: programs that use it fail"},
        {"notice", "was told of the key", ",", "WAS NOT TOLD OF THE KEY", "last told", "holds",
         "was told of a key that is dead: programs that use it fail"},
    };

    for (size_t i = 1; i < sizeof(all) / sizeof(all[0]); i++)
        if (str_equal(all[i].gets, target->gets))
            return &all[i];
    return &all[0]; /* of an older daemon, too */
}

/* Targets that hold a dead key; printed before all other trouble. */
static void write_dead_keys(struct buf *out, const struct account_snapshot *account, int indent,
                            time_ms now)
{
    for (size_t i = 0; i < account->target_count; i++) {
        const struct target_snapshot *target = &account->targets[i];
        const struct delivery_words *words = delivery_words(target);
        const bool is_unseen = !target->holds && (!target->gets || str_equal(target->gets, "key"));
        char age[CTL_TIME_MAX];

        if (target->dead_since == TIME_NEVER)
            continue;
        ctl_write(out, "%*s%s %s, for %s\n", indent, "", ctl_shown(target->destination),
                  is_unseen ? "cannot be read, and the last key known to be there is dead"
                            : words->dead,
                  ctl_words(now - target->dead_since, age));
    }
}

void ctl_write_trouble(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    char text[CTL_TIME_MAX];

    ctl_write(out, ": ");
    ctl_write_state(out, account);
    if (account->since != TIME_NEVER)
        ctl_write(out, ", for %s", ctl_words(time_between(account->since, now), text));
    (void)buf_append_char(out, '\n');
    write_dead_keys(out, account, 4, now);
    if (account->meaning)
        ctl_write(out, "    %s\n", account->meaning);
    for (size_t i = 0; i < account->hold_count; i++) {
        ctl_write(out, "    held ");
        write_hold_line(out, &account->holds[i], now);
    }
    if (account->failure.at != TIME_NEVER && account->reason && account->failure.text)
        ctl_write(out, "    last failure, %s: %s\n", ctl_distance(account->failure.at, now, text),
                  account->failure.text);
    if (account->overdue && account->due_since != TIME_NEVER) {
        ctl_write(out, "    rotation ");
        write_next(out, account,
                   str_equal(account->waits, account->meaning) ? NULL : account->waits, now);
    }
    if (account->retry_at != TIME_NEVER)
        ctl_write(out, "    next try %s\n", ctl_next_try(account->retry_at, now, text));
    if (account->remedy)
        ctl_write(out, "    do: %s\n", account->remedy);
}

void ctl_write_problem(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    ctl_write_name(out, account);
    ctl_write_trouble(out, account, now);
}

/* --- everything about one --- */

static void write_label(struct buf *out, const char *label)
{
    ctl_write(out, "  %-*s", LABEL_WIDTH, label);
}

static void write_line(struct buf *out, const char *label, const char *text)
{
    if (text)
        ctl_write(out, "  %-*s%s\n", LABEL_WIDTH, label, text);
}

static void write_instant_line(struct buf *out, const char *label, time_ms at, time_ms now)
{
    char text[CTL_TIME_MAX];

    if (at != TIME_NEVER)
        write_line(out, label, ctl_instant(at, now, text));
}

static void write_key(struct buf *out, const char *label, const struct key_snapshot *key,
                      time_ms now)
{
    char age[CTL_TIME_MAX];

    write_label(out, label);
    if (key->born != TIME_NEVER)
        ctl_write(out, "%s%s old, ", key->older ? "at least " : "",
                  ctl_words(time_between(key->born, now), age));
    ctl_write(out, "%s%s\n", key->fingerprint ? "fingerprint " : "not known",
              key->fingerprint ? key->fingerprint : "");
}

static void write_failure(struct buf *out, const struct failure_snapshot *failure, time_ms now)
{
    if (failure->at == TIME_NEVER)
        return;
    write_instant_line(out, "last failure", failure->at, now);
    write_line(out, "", failure->text);
    if (failure->http_status != 0) {
        write_label(out, "");
        ctl_write(out, "HTTP %d%s%s\n", failure->http_status, failure->error_code ? " " : "",
                  failure->error_code ? failure->error_code : "");
    }
    write_line(out, "  request", failure->request_id);
    write_line(out, "  correlation", failure->correlation_id);
    write_line(out, "  our request", failure->client_request_id);
}

/* A retry that is due waits for that of the account. */
static time_ms next_try_of(const struct target_snapshot *target,
                           const struct account_snapshot *account, time_ms now)
{
    if (target->retry_at <= now && account->retry_at != TIME_NEVER)
        return account->retry_at;
    return target->retry_at;
}

static void write_target(struct buf *out, const struct target_snapshot *target,
                         const struct account_snapshot *account, time_ms now)
{
    const struct delivery_words *words = delivery_words(target);
    char text[CTL_TIME_MAX];

    write_label(out, "target");
    ctl_write(out, "%s, %s: %s\n", ctl_shown(target->name),
              target->required ? "required" : "not required", ctl_shown(target->destination));
    write_label(out, "");
    ctl_write(out, "%s", target->satisfied ? words->satisfied : words->lacking);
    if (target->delivered_at != TIME_NEVER && target->satisfied)
        ctl_write(out, "%s %s", words->at, ctl_instant(target->delivered_at, now, text));
    else if (target->delivered_at != TIME_NEVER)
        ctl_write(out, "; %s %s", words->last, ctl_instant(target->delivered_at, now, text));
    if (target->holds)
        ctl_write(out, "; %s %s", words->holds, target->holds);
    if (target->holds_fingerprint)
        ctl_write(out, ", fingerprint %s", target->holds_fingerprint);
    (void)buf_append_char(out, '\n');
    write_line(out, "", target->form);
    if (!target->reason)
        return;
    write_label(out, "");
    ctl_write(out, "%s", target->reason);
    if (target->failing_since != TIME_NEVER)
        ctl_write(out, " for %s", ctl_words(time_between(target->failing_since, now), text));
    if (target->retry_at != TIME_NEVER)
        ctl_write(out, ", next try %s", ctl_next_try(next_try_of(target, account, now), now, text));
    (void)buf_append_char(out, '\n');
}

static void write_operation(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    if (account->regenerating_since == TIME_NEVER || account->regenerating_since == 0)
        return;
    write_instant_line(out, "regenerating", account->regenerating_since, now);
    write_line(out, "",
               "Azure may carry it out for a while; until its end is known nothing else is "
               "regenerated");
    write_instant_line(out, "at most until", account->regenerating_until, now);
}

static void write_rotation(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    if (account->rotating || account->rotation_requested || account->next_at != TIME_NEVER ||
        account->due_since != TIME_NEVER) {
        write_label(out, "next rotation");
        write_next(out, account, account->waits, now);
    }
    if (account->retry_at <= now)
        write_line(out, "next try", "now");
    else
        write_instant_line(out, "next try", account->retry_at, now);
    write_label(out, "cycle");
    ctl_write(out, "%llu", (unsigned long long)account->cycle);
    if (account->rotating || account->rotation_requested)
        ctl_write(out, ", %s: %s", account->rotating ? "under way" : "asked for",
                  ctl_shown(account->phase));
    (void)buf_append_char(out, '\n');
    write_operation(out, account, now);
    write_instant_line(out, "completed", account->completed_at, now);
    for (size_t i = 0; i < account->hold_count; i++) {
        write_label(out, i == 0 ? "held" : "");
        write_hold_line(out, &account->holds[i], now);
    }
}

void ctl_write_account(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    char text[CTL_TIME_MAX];

    ctl_write_name(out, account);
    (void)buf_append_char(out, '\n');
    write_label(out, "state");
    ctl_write_state(out, account);
    (void)buf_append_char(out, '\n');
    write_dead_keys(out, account, LABEL_WIDTH + 2, now);
    write_line(out, "", account->meaning);
    write_line(out, "do:", account->remedy);
    write_instant_line(out, "since", account->since, now);
    if (account->looked_at != TIME_NEVER) {
        write_label(out, "last look");
        ctl_write(out, "%s%s\n", ctl_instant(account->looked_at, now, text),
                  account->as_recorded ? ": everything as expected" : "");
    }
    write_line(out, "active slot", account->active ? account->active : "not known yet");
    write_key(out, "primary key", &account->keys[0], now);
    write_key(out, "secondary key", &account->keys[1], now);
    write_rotation(out, account, now);
    for (size_t i = 0; i < account->target_count; i++)
        write_target(out, &account->targets[i], account, now);
    for (size_t i = 0; i < account->abandoned_count; i++) {
        write_label(out, "abandoned");
        ctl_write(out, "%s, since %s: its readers will find a dead key\n",
                  ctl_shown(account->abandoned[i].destination),
                  ctl_instant(account->abandoned[i].since, now, text));
    }
    write_failure(out, &account->failure, now);
    write_line(out, "identity", account->identity);
    write_line(out, "policy", account->policy);
    write_line(out, "location", account->location);
    write_line(out, "found by", account->rule);
    write_line(out, "resource", account->id);
    write_line(out, "pair of keys", account->pair);
}
