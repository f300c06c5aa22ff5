#include "ctl/status_text.h"

#include <string.h>

#include "base/date.h"
#include "base/str.h"
#include "proto/remedy.h"

enum { LABEL_WIDTH = 15 };

/* --- pieces --- */

void ctl_write_plain(struct buf *out, const char *text)
{
    if (!text)
        text = "-";
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        const bool is_c1 = c == 0xc2 && (unsigned char)text[1] < 0xa0; /* U+0080 to U+009F */

        (void)buf_append_char(out, c < 0x20 || c == 0x7f || is_c1 ? '?' : *text);
        if (is_c1 && text[1] != '\0')
            text++;
    }
}

void ctl_write_words(struct buf *out, duration_ms duration)
{
    char words[DURATION_TEXT_MAX];

    if (duration < MS_SECOND)
        duration = MS_SECOND;
    (void)buf_append_str(out, duration_to_words(duration - duration % MS_SECOND, words));
}

void ctl_write_distance(struct buf *out, time_ms at, time_ms now)
{
    if (at >= now)
        (void)buf_append_str(out, "in ");
    ctl_write_words(out, at >= now ? time_between(now, at) : time_between(at, now));
    if (at < now)
        (void)buf_append_str(out, " ago");
}

void ctl_write_instant(struct buf *out, time_ms at, time_ms now)
{
    char text[DATE_TEXT_MAX];

    (void)buf_append_str(out, date_to_rfc3339(at == TIME_NEVER ? at : at - at % MS_SECOND, text));
    if (at == TIME_NEVER)
        return;
    (void)buf_append_str(out, " (");
    ctl_write_distance(out, at, now);
    (void)buf_append_char(out, ')');
}

/* Unambiguous within a subscription, and accepted as ACCOUNT. */
void ctl_write_name(struct buf *out, const struct account_snapshot *account)
{
    if (account->resource_group) {
        ctl_write_plain(out, account->resource_group);
        (void)buf_append_char(out, '/');
    }
    ctl_write_plain(out, account->name);
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
    if (account->consumers_at_risk)
        (void)buf_append_str(out, "CONSUMERS AT RISK, ");
    if (str_equal(account->state, "held") && str_equal(account->reason, "config")) {
        (void)buf_append_str(out, "watched only (rotate: false)");
    } else {
        ctl_write_plain(out, account->state);
    }
    if (account->reason && !str_equal(account->reason, "config")) {
        (void)buf_append_str(out, ": ");
        ctl_write_plain(out, account->reason);
    }
    if (account->overdue)
        (void)buf_append_str(out, ", overdue");
}

/* --- summary --- */

static void write_counts(struct buf *out, const struct daemon_snapshot *daemon)
{
    const char *separator = ": ";

    (void)buf_append_format(out, "%zu account%s", daemon->accounts,
                            daemon->accounts == 1 ? "" : "s");
    for (size_t i = 0; i < daemon->state_count; i++) {
        size_t count = daemon->states[i].count;

        if (str_equal(daemon->states[i].state, "held"))
            count -= daemon->watched < count ? daemon->watched : count;
        if (count == 0)
            continue;
        (void)buf_append_format(out, "%s%zu ", separator, count);
        ctl_write_plain(out, daemon->states[i].state);
        separator = ", ";
    }
    if (daemon->watched > 0)
        (void)buf_append_format(out, "%s%zu watched only", separator, daemon->watched);
    if (daemon->overdue > 0)
        (void)buf_append_format(out, "; %zu overdue", daemon->overdue);
    if (daemon->consumers_at_risk > 0)
        (void)buf_append_format(out, "; %zu with CONSUMERS AT RISK", daemon->consumers_at_risk);
}

static void write_refused_reload(struct buf *out, const char *error, const char *socket)
{
    const struct remedy_words words = {.socket = socket};
    char remedy[REMEDY_MAX];

    (void)buf_append_str(out,
                         "The last reload was refused, the configuration before it is in force: ");
    ctl_write_plain(out, error);
    remedy_expand("correct it, then: `keyrotatectl reload`", &words, remedy, sizeof(remedy));
    (void)buf_append_format(out, "\n    do: %s\n", remedy);
}

void ctl_write_summary(struct buf *out, const struct daemon_snapshot *daemon, const char *socket)
{
    write_counts(out, daemon);
    if (daemon->oldest_key_born != TIME_NEVER) {
        (void)buf_append_str(out, "; oldest key ");
        ctl_write_words(out, time_between(daemon->oldest_key_born, daemon->now));
    }
    if (daemon->next_at != TIME_NEVER) {
        (void)buf_append_str(out, "; next rotation ");
        if (daemon->next_at <= daemon->now)
            (void)buf_append_str(out, "now");
        else
            ctl_write_distance(out, daemon->next_at, daemon->now);
        (void)buf_append_str(out, " (");
        ctl_write_plain(out, daemon->next_account);
        (void)buf_append_char(out, ')');
    }
    (void)buf_append_char(out, '\n');
    if (daemon->journal_failing_since != TIME_NEVER) {
        (void)buf_append_str(out, "THE JOURNAL CANNOT BE WRITTEN since ");
        ctl_write_instant(out, daemon->journal_failing_since, daemon->now);
        (void)buf_append_str(out, ": ");
        ctl_write_plain(out, daemon->journal_error);
        (void)buf_append_char(out, '\n');
    }
    if (daemon->config_error)
        write_refused_reload(out, daemon->config_error, socket);
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
    if (!group || !name || name < group) {
        ctl_write_plain(out, id);
        return;
    }
    for (const char *c = group; *c != '/'; c++)
        (void)buf_append_char(out, (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c);
    ctl_write_plain(out, name);
}

static void write_until(struct buf *out, const struct hold_snapshot *hold, time_ms now)
{
    if (hold->until == TIME_NEVER) {
        (void)buf_append_str(out, "until resumed");
    } else {
        (void)buf_append_str(out, "until ");
        ctl_write_instant(out, hold->until, now);
    }
    (void)buf_append_str(out, ": ");
    ctl_write_plain(out, hold->reason ? hold->reason : "no reason was given");
}

void ctl_write_hold(struct buf *out, const struct hold_snapshot *hold, time_ms now)
{
    (void)buf_append_format(out, "hold %llu of ", (unsigned long long)hold->id);
    if (hold->account)
        write_short_id(out, hold->account);
    else
        (void)buf_append_str(out, "all accounts");
    if (!hold->configured && hold->account)
        (void)buf_append_str(out, " (not configured)");
    (void)buf_append_str(out, ", by ");
    ctl_write_plain(out, hold->actor ? hold->actor : "somebody unknown");
    if (hold->since != TIME_NEVER) {
        (void)buf_append_str(out, " since ");
        ctl_write_instant(out, hold->since, now);
    }
    (void)buf_append_str(out, ", ");
    write_until(out, hold, now);
}

/* In the status of the account that it binds. */
static void write_hold_line(struct buf *out, const struct hold_snapshot *hold, time_ms now)
{
    write_until(out, hold, now);
    (void)buf_append_format(out, " (hold %llu%s, by ", (unsigned long long)hold->id,
                            hold->account ? "" : " of all accounts");
    ctl_write_plain(out, hold->actor ? hold->actor : "somebody unknown");
    (void)buf_append_str(out, ")\n");
}

/* "due since 2026-11-22T09:00:00Z (3h ago); waits: the account is held" */
static void write_next(struct buf *out, const struct account_snapshot *account, const char *waits,
                       time_ms now)
{
    const bool is_late = account->due_since != TIME_NEVER || account->rotation_requested;

    if (account->rotating) {
        (void)buf_append_str(out, "under way since ");
        ctl_write_instant(out, account->started_at, now);
    } else if (account->due_since != TIME_NEVER) {
        (void)buf_append_str(out, "due since ");
        ctl_write_instant(out, account->due_since, now);
    } else if (account->rotation_requested) {
        (void)buf_append_str(out, "asked for");
    } else {
        ctl_write_instant(out, account->next_at, now);
    }
    if (waits && !account->rotating) {
        (void)buf_append_str(out, "; waits: ");
        ctl_write_plain(out, waits);
    }
    if (!account->rotating && is_late && account->next_at != TIME_NEVER && account->next_at > now) {
        (void)buf_append_str(out, "; starts ");
        ctl_write_instant(out, account->next_at, now);
    }
    (void)buf_append_char(out, '\n');
}

/* Targets that hold a dead key; printed before all other trouble. */
static void write_dead_keys(struct buf *out, const struct account_snapshot *account, int indent,
                            time_ms now)
{
    for (size_t i = 0; i < account->target_count; i++) {
        const struct target_snapshot *target = &account->targets[i];

        if (target->dead_since == TIME_NEVER)
            continue;
        (void)buf_append_format(out, "%*s", indent, "");
        ctl_write_plain(out, target->destination);
        (void)buf_append_str(
            out, target->holds
                     ? " holds a dead key: programs that use it fail, for "
                     : " cannot be read, and the last key known to be there is dead, for ");
        ctl_write_words(out, now - target->dead_since);
        (void)buf_append_char(out, '\n');
    }
}

void ctl_write_trouble(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    (void)buf_append_str(out, ": ");
    ctl_write_state(out, account);
    if (account->since != TIME_NEVER) {
        (void)buf_append_str(out, ", for ");
        ctl_write_words(out, time_between(account->since, now));
    }
    (void)buf_append_char(out, '\n');
    write_dead_keys(out, account, 4, now);
    if (account->meaning) {
        (void)buf_append_str(out, "    ");
        ctl_write_plain(out, account->meaning);
        (void)buf_append_char(out, '\n');
    }
    for (size_t i = 0; i < account->hold_count; i++) {
        (void)buf_append_str(out, "    held ");
        write_hold_line(out, &account->holds[i], now);
    }
    if (account->failure.at != TIME_NEVER && account->reason && account->failure.text) {
        (void)buf_append_str(out, "    last failure, ");
        ctl_write_distance(out, account->failure.at, now);
        (void)buf_append_str(out, ": ");
        ctl_write_plain(out, account->failure.text);
        (void)buf_append_char(out, '\n');
    }
    if (account->overdue && account->due_since != TIME_NEVER) {
        (void)buf_append_str(out, "    rotation ");
        write_next(out, account,
                   str_equal(account->waits, account->meaning) ? NULL : account->waits, now);
    }
    if (account->retry_at != TIME_NEVER) {
        (void)buf_append_str(out, "    next try ");
        ctl_write_distance(out, account->retry_at, now);
        (void)buf_append_char(out, '\n');
    }
    if (account->remedy) {
        (void)buf_append_str(out, "    do: ");
        ctl_write_plain(out, account->remedy);
        (void)buf_append_char(out, '\n');
    }
}

void ctl_write_problem(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    ctl_write_name(out, account);
    ctl_write_trouble(out, account, now);
}

/* --- everything about one --- */

static void write_label(struct buf *out, const char *label)
{
    (void)buf_append_format(out, "  %-*s", LABEL_WIDTH, label);
}

static void write_line(struct buf *out, const char *label, const char *text)
{
    if (!text)
        return;
    write_label(out, label);
    ctl_write_plain(out, text);
    (void)buf_append_char(out, '\n');
}

static void write_instant_line(struct buf *out, const char *label, time_ms at, time_ms now)
{
    if (at == TIME_NEVER)
        return;
    write_label(out, label);
    ctl_write_instant(out, at, now);
    (void)buf_append_char(out, '\n');
}

static void write_key(struct buf *out, const char *label, const struct key_snapshot *key,
                      time_ms now)
{
    write_label(out, label);
    if (key->born != TIME_NEVER) {
        if (key->older)
            (void)buf_append_str(out, "at least ");
        ctl_write_words(out, time_between(key->born, now));
        (void)buf_append_str(out, " old, ");
    }
    if (key->fingerprint) {
        (void)buf_append_str(out, "fingerprint ");
        ctl_write_plain(out, key->fingerprint);
    } else {
        (void)buf_append_str(out, "not known");
    }
    (void)buf_append_char(out, '\n');
}

static void write_failure(struct buf *out, const struct failure_snapshot *failure, time_ms now)
{
    if (failure->at == TIME_NEVER)
        return;
    write_instant_line(out, "last failure", failure->at, now);
    write_line(out, "", failure->text);
    if (failure->http_status != 0) {
        write_label(out, "");
        (void)buf_append_format(out, "HTTP %d ", failure->http_status);
        ctl_write_plain(out, failure->error_code ? failure->error_code : "");
        (void)buf_append_char(out, '\n');
    }
    write_line(out, "  request", failure->request_id);
    write_line(out, "  correlation", failure->correlation_id);
    write_line(out, "  our request", failure->client_request_id);
}

static void write_target(struct buf *out, const struct target_snapshot *target, time_ms now)
{
    write_label(out, "target");
    ctl_write_plain(out, target->name);
    (void)buf_append_str(out, target->required ? ", required: " : ", not required: ");
    ctl_write_plain(out, target->destination);
    (void)buf_append_char(out, '\n');
    write_label(out, "");
    (void)buf_append_str(out, target->satisfied ? "has the key" : "LACKS THE KEY");
    if (target->delivered_at != TIME_NEVER) {
        (void)buf_append_str(out, target->satisfied ? " since " : "; last delivery ");
        ctl_write_instant(out, target->delivered_at, now);
    }
    if (target->holds) {
        (void)buf_append_str(out, "; holds ");
        ctl_write_plain(out, target->holds);
    }
    if (target->holds_fingerprint) {
        (void)buf_append_str(out, ", fingerprint ");
        ctl_write_plain(out, target->holds_fingerprint);
    }
    (void)buf_append_char(out, '\n');
    if (target->form) {
        write_label(out, "");
        ctl_write_plain(out, target->form);
        (void)buf_append_char(out, '\n');
    }
    if (!target->reason)
        return;
    write_label(out, "");
    ctl_write_plain(out, target->reason);
    if (target->failing_since != TIME_NEVER) {
        (void)buf_append_str(out, " for ");
        ctl_write_words(out, time_between(target->failing_since, now));
    }
    if (target->retry_at != TIME_NEVER) {
        (void)buf_append_str(out, ", next try ");
        ctl_write_distance(out, target->retry_at, now);
    }
    (void)buf_append_char(out, '\n');
}

static void write_rotation(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    if (account->rotating || account->rotation_requested || account->next_at != TIME_NEVER ||
        account->due_since != TIME_NEVER) {
        write_label(out, "next rotation");
        write_next(out, account, account->waits, now);
    }
    write_instant_line(out, "next try", account->retry_at, now);
    write_label(out, "cycle");
    (void)buf_append_format(out, "%llu", (unsigned long long)account->cycle);
    if (account->rotating || account->rotation_requested) {
        (void)buf_append_str(out, account->rotating ? ", under way: " : ", asked for: ");
        ctl_write_plain(out, account->phase);
    }
    (void)buf_append_char(out, '\n');
    write_instant_line(out, "completed", account->completed_at, now);
    for (size_t i = 0; i < account->hold_count; i++) {
        write_label(out, i == 0 ? "held" : "");
        write_hold_line(out, &account->holds[i], now);
    }
}

static void write_look(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    if (account->looked_at == TIME_NEVER)
        return;
    write_label(out, "last look");
    ctl_write_instant(out, account->looked_at, now);
    (void)buf_append_str(out, account->as_recorded ? ": everything as expected\n" : "\n");
}

void ctl_write_account(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    ctl_write_name(out, account);
    (void)buf_append_char(out, '\n');
    write_label(out, "state");
    ctl_write_state(out, account);
    (void)buf_append_char(out, '\n');
    write_dead_keys(out, account, LABEL_WIDTH + 2, now);
    write_line(out, "", account->meaning);
    write_line(out, "do:", account->remedy);
    write_instant_line(out, "since", account->since, now);
    write_look(out, account, now);
    write_line(out, "active slot", account->active ? account->active : "not known yet");
    write_key(out, "primary key", &account->keys[0], now);
    write_key(out, "secondary key", &account->keys[1], now);
    write_rotation(out, account, now);
    for (size_t i = 0; i < account->target_count; i++)
        write_target(out, &account->targets[i], now);
    for (size_t i = 0; i < account->abandoned_count; i++) {
        write_label(out, "abandoned");
        ctl_write_plain(out, account->abandoned[i].destination);
        (void)buf_append_str(out, ", since ");
        ctl_write_instant(out, account->abandoned[i].since, now);
        (void)buf_append_str(out, ": its readers will find a dead key\n");
    }
    write_failure(out, &account->failure, now);
    write_line(out, "identity", account->identity);
    write_line(out, "policy", account->policy);
    write_line(out, "location", account->location);
    write_line(out, "resource", account->id);
}
