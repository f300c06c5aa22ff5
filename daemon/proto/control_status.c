#include "proto/control_protocol.h"

#include <errno.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "proto/snapshot.h"

/* --- the members, in the order in which the document has them --- */

static const struct snapshot_member daemon_members[] = {
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, version, "version"),
    SNAPSHOT_MEMBER(daemon_snapshot, TIME, now, "now"),
    SNAPSHOT_MEMBER(daemon_snapshot, TIME, started_at, "started_at"),
    SNAPSHOT_MEMBER(daemon_snapshot, TIME, config_loaded_at, "config_loaded_at"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, config_error, "config_error"),
    SNAPSHOT_MEMBER(daemon_snapshot, NUMBER, accounts, "accounts"),
};
static const struct snapshot_table daemon_table = SNAPSHOT_TABLE(daemon_snapshot, daemon_members);

/* Behind the states. */
static const struct snapshot_member daemon_totals_members[] = {
    SNAPSHOT_MEMBER(daemon_snapshot, NUMBER, overdue, "overdue"),
    SNAPSHOT_MEMBER(daemon_snapshot, NUMBER, consumers_at_risk, "consumers_at_risk"),
    SNAPSHOT_MEMBER(daemon_snapshot, NUMBER, selected, "selected"),
    SNAPSHOT_MEMBER(daemon_snapshot, NUMBER, watched, "watched"),
    SNAPSHOT_MEMBER(daemon_snapshot, NUMBER, frozen, "frozen"),
    SNAPSHOT_MEMBER(daemon_snapshot, TIME, oldest_key_born, "oldest_key_born"),
    SNAPSHOT_MEMBER(daemon_snapshot, AGE, oldest_key_born, "oldest_key_age_s"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, oldest_key_account, "oldest_key_account"),
    SNAPSHOT_MEMBER(daemon_snapshot, TIME, next_at, "next_at"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, next_account, "next_account"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, credential_identity, "credential_identity"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, credential, "credential"),
    SNAPSHOT_MEMBER(daemon_snapshot, TIME, credential_expires_at, "credential_expires_at"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, credential_problem, "credential_problem"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, credential_remedy, "credential_remedy"),
    SNAPSHOT_MEMBER(daemon_snapshot, TIME, journal_failing_since, "journal_failing_since"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, journal_error, "journal_error"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, log_level, "log_level"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, log_level_configured, "log_level_configured"),
    SNAPSHOT_MEMBER(daemon_snapshot, TIME, log_level_until, "log_level_until"),
    SNAPSHOT_MEMBER(daemon_snapshot, TEXT, log_level_actor, "log_level_actor"),
};
static const struct snapshot_table daemon_totals_table =
    SNAPSHOT_TABLE(daemon_snapshot, daemon_totals_members);

static const struct snapshot_member rule_members[] = {
    SNAPSHOT_MEMBER(rule_snapshot, TEXT, name, "rule"),
    SNAPSHOT_MEMBER(rule_snapshot, NUMBER, accounts, "accounts"),
    SNAPSHOT_MEMBER(rule_snapshot, NUMBER, waiting, "waiting"),
    SNAPSHOT_MEMBER(rule_snapshot, BOOL, dry_run, "dry_run"),
    SNAPSHOT_MEMBER(rule_snapshot, TIME, listed_at, "listed_at"),
    SNAPSHOT_MEMBER(rule_snapshot, TIME, next_at, "next_at"),
    SNAPSHOT_MEMBER(rule_snapshot, TEXT, error, "error"),
};
static const struct snapshot_table rule_table = SNAPSHOT_TABLE(rule_snapshot, rule_members);

static const struct snapshot_member key_members[] = {
    SNAPSHOT_MEMBER(key_snapshot, TEXT, fingerprint, "fingerprint"),
    SNAPSHOT_MEMBER(key_snapshot, TIME, born, "born"),
    SNAPSHOT_MEMBER(key_snapshot, BOOL, older, "older"),
    SNAPSHOT_MEMBER(key_snapshot, AGE, born, "age_s"),
    SNAPSHOT_MEMBER(key_snapshot, TIME, made, "made"),
};
static const struct snapshot_table key_table = SNAPSHOT_TABLE(key_snapshot, key_members);

static const struct snapshot_member failure_members[] = {
    SNAPSHOT_MEMBER(failure_snapshot, TIME, at, "at"),
    SNAPSHOT_MEMBER(failure_snapshot, TEXT, text, "text"),
    SNAPSHOT_MEMBER(failure_snapshot, NUMBER, http_status, "http_status"),
    SNAPSHOT_MEMBER(failure_snapshot, TEXT, error_code, "error_code"),
    SNAPSHOT_MEMBER(failure_snapshot, TEXT, request_id, "request_id"),
    SNAPSHOT_MEMBER(failure_snapshot, TEXT, correlation_id, "correlation_id"),
    SNAPSHOT_MEMBER(failure_snapshot, TEXT, client_request_id, "client_request_id"),
};
static const struct snapshot_table failure_table =
    SNAPSHOT_TABLE(failure_snapshot, failure_members);

static const struct snapshot_member target_members[] = {
    SNAPSHOT_MEMBER(target_snapshot, TEXT, name, "name"),
    SNAPSHOT_MEMBER(target_snapshot, TEXT, destination, "destination"),
    SNAPSHOT_MEMBER(target_snapshot, BOOL, required, "required"),
    SNAPSHOT_MEMBER(target_snapshot, BOOL, satisfied, "satisfied"),
    SNAPSHOT_MEMBER(target_snapshot, TEXT, holds, "holds"),
    SNAPSHOT_MEMBER(target_snapshot, TEXT, holds_fingerprint, "holds_fingerprint"),
    SNAPSHOT_MEMBER(target_snapshot, TIME, delivered_at, "delivered_at"),
    SNAPSHOT_MEMBER(target_snapshot, TEXT, reason, "reason"),
    SNAPSHOT_MEMBER(target_snapshot, TIME, failing_since, "failing_since"),
    SNAPSHOT_MEMBER(target_snapshot, TIME, retry_at, "retry_at"),
    SNAPSHOT_MEMBER(target_snapshot, TIME, dead_since, "dead_since"),
    SNAPSHOT_MEMBER(target_snapshot, TEXT, form, "form"),
    SNAPSHOT_MEMBER(target_snapshot, TEXT, gets, "gets"),
};
static const struct snapshot_table target_table = SNAPSHOT_TABLE(target_snapshot, target_members);

static const struct snapshot_member abandoned_members[] = {
    SNAPSHOT_MEMBER(abandoned_snapshot, TEXT, destination, "destination"),
    SNAPSHOT_MEMBER(abandoned_snapshot, TIME, since, "since"),
};
static const struct snapshot_table abandoned_table =
    SNAPSHOT_TABLE(abandoned_snapshot, abandoned_members);

static const struct snapshot_member account_members[] = {
    SNAPSHOT_MEMBER(account_snapshot, TEXT, id, "id"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, pair, "pair"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, name, "name"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, resource_group, "resource_group"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, subscription_id, "subscription_id"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, location, "location"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, identity, "identity"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, policy, "policy"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, rule, "rule"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, active, "active"),
    SNAPSHOT_MEMBER(account_snapshot, BOOL, unconfirmed, "unconfirmed"),
};
static const struct snapshot_table account_table =
    SNAPSHOT_TABLE(account_snapshot, account_members);

/* Behind the keys. */
static const struct snapshot_member condition_members[] = {
    SNAPSHOT_MEMBER(account_snapshot, TEXT, state, "state"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, reason, "reason"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, meaning, "meaning"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, remedy, "do"),
    SNAPSHOT_MEMBER(account_snapshot, BOOL, overdue, "overdue"),
    SNAPSHOT_MEMBER(account_snapshot, BOOL, consumers_at_risk, "consumers_at_risk"),
    SNAPSHOT_MEMBER(account_snapshot, TIME, since, "since"),
    SNAPSHOT_MEMBER(account_snapshot, TIME, next_at, "next_at"),
    SNAPSHOT_MEMBER(account_snapshot, TIME, retry_at, "retry_at"),
    SNAPSHOT_MEMBER(account_snapshot, TIME, due_since, "due_since"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, waits, "waits"),
    SNAPSHOT_MEMBER(account_snapshot, TIME, regenerating_since, "regenerating_since"),
    SNAPSHOT_MEMBER(account_snapshot, TIME, regenerating_until, "regenerating_until"),
    SNAPSHOT_MEMBER(account_snapshot, TEXT, phase, "phase"),
    SNAPSHOT_MEMBER(account_snapshot, BOOL, rotating, "rotating"),
    SNAPSHOT_MEMBER(account_snapshot, BOOL, rotation_requested, "rotation_requested"),
    SNAPSHOT_MEMBER(account_snapshot, NUMBER, cycle, "cycle"),
    SNAPSHOT_MEMBER(account_snapshot, TIME, started_at, "started_at"),
    SNAPSHOT_MEMBER(account_snapshot, TIME, completed_at, "completed_at"),
    SNAPSHOT_MEMBER(account_snapshot, TIME, looked_at, "looked_at"),
    SNAPSHOT_MEMBER(account_snapshot, BOOL, as_recorded, "as_recorded"),
};
static const struct snapshot_table condition_table =
    SNAPSHOT_TABLE(account_snapshot, condition_members);

/* --- writing --- */

void control_status_start(struct buf *out, const struct daemon_snapshot *daemon)
{
    json_write_open(out, NULL, '{');
    json_write_open(out, "daemon", '{');
    snapshot_write(out, &daemon_table, daemon, daemon->now);
    json_write_open(out, "states", '{');
    for (size_t i = 0; i < daemon->state_count; i++)
        json_write_number(out, daemon->states[i].state, daemon->states[i].count);
    json_write_close(out, '}');
    snapshot_write(out, &daemon_totals_table, daemon, daemon->now);
    snapshot_write_list(out, "discover", &rule_table, daemon->rules, daemon->rule_count,
                        daemon->now);
    json_write_close(out, '}');
    json_write_open(out, "accounts", '[');
}

void control_status_end(struct buf *out)
{
    json_write_close(out, ']');
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

void control_status_account(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    const time_ms failed_at = account->failure.at;

    json_write_open(out, NULL, '{');
    snapshot_write(out, &account_table, account, now);
    json_write_open(out, "keys", '{');
    snapshot_write_object(out, "primary", &key_table, &account->keys[0], now);
    snapshot_write_object(out, "secondary", &key_table, &account->keys[1], now);
    json_write_close(out, '}');
    snapshot_write(out, &condition_table, account, now);
    control_hold_write(out, "hold", account->hold_count > 0 ? &account->holds[0] : NULL);
    control_hold_list_write(out, account->holds, account->hold_count);
    if (failed_at > 0 && failed_at != TIME_NEVER)
        snapshot_write_object(out, "failure", &failure_table, &account->failure, now);
    else
        json_write_null(out, "failure");
    snapshot_write_list(out, "targets", &target_table, account->targets, account->target_count,
                        now);
    snapshot_write_list(out, "abandoned", &abandoned_table, account->abandoned,
                        account->abandoned_count, now);
    json_write_close(out, '}');
}

/* --- reading --- */

static void read_states(struct json_object *object, struct daemon_snapshot *daemon)
{
    struct json_object *states = json_member(object, "states");

    if (!json_object_is_type(states, json_type_object))
        return;
    json_object_object_foreach(states, name, count)
    {
        struct state_count *state = &daemon->states[daemon->state_count];
        const int64_t number = json_object_get_int64(count);

        if (daemon->state_count == CONTROL_STATES_MAX || !json_object_is_type(count, json_type_int))
            continue;
        state->state = name;
        state->count = number > 0 ? (size_t)number : 0;
        daemon->state_count++;
    }
}

/* The rest of an account, behind the members of account_table. */
static int read_account(struct json_object *object, struct account_snapshot *account)
{
    struct json_object *keys = json_member(object, "keys");
    struct hold_snapshot *holds;
    void *targets, *abandoned = NULL;
    int rc;

    snapshot_read(json_member(keys, "primary"), &key_table, &account->keys[0]);
    snapshot_read(json_member(keys, "secondary"), &key_table, &account->keys[1]);
    snapshot_read(object, &condition_table, account);
    snapshot_read(json_member(object, "failure"), &failure_table, &account->failure);
    if (!account->id || !account->name || !account->state)
        return -EBADMSG;
    rc = control_hold_list_read(object, &holds, &account->hold_count);
    account->holds = holds;
    if (rc == 0) {
        rc = snapshot_read_list(object, "targets", &target_table, &targets, &account->target_count);
        account->targets = targets;
    }
    if (rc == 0) {
        rc = snapshot_read_list(object, "abandoned", &abandoned_table, &abandoned,
                                &account->abandoned_count);
        account->abandoned = abandoned;
    }
    return rc;
}

static int read_accounts(struct control_status *status)
{
    struct json_object *list = json_member(status->document, "accounts");
    void *accounts;
    int rc = snapshot_read_list(status->document, "accounts", &account_table, &accounts,
                                &status->account_count);

    status->accounts = accounts;
    for (size_t i = 0; rc == 0 && i < status->account_count; i++)
        rc = read_account(json_object_array_get_idx(list, i), &status->accounts[i]);
    return rc;
}

static int read_rules(struct json_object *object, struct daemon_snapshot *daemon)
{
    void *rules = NULL;
    int rc = snapshot_read_list(object, "discover", &rule_table, &rules, &daemon->rule_count);

    daemon->rules = rules;
    return rc;
}

int control_status_parse(const char *text, size_t length, struct control_status *status,
                         struct err *err)
{
    struct json_object *daemon;
    int rc;

    *status = (struct control_status){.document = json_parse(text, length, err)};
    if (!status->document)
        return err_wrap(err, "the daemon's answer") == -ENOMEM ? -ENOMEM : -EBADMSG;
    daemon = json_member(status->document, "daemon");
    snapshot_read(daemon, &daemon_table, &status->daemon);
    snapshot_read(daemon, &daemon_totals_table, &status->daemon);
    read_states(daemon, &status->daemon);
    rc = daemon ? read_accounts(status) : -EBADMSG;
    if (rc == 0)
        rc = read_rules(daemon, &status->daemon);
    if (rc != 0) {
        control_status_done(status);
        return err_set(err, rc,
                       rc == -ENOMEM ? "no memory for the daemon's answer"
                                     : "the daemon's answer is no status document");
    }
    return 0;
}

void control_status_done(struct control_status *status)
{
    for (size_t i = 0; i < status->account_count; i++) {
        free((void *)status->accounts[i].targets);
        free((void *)status->accounts[i].holds);
        free((void *)status->accounts[i].abandoned);
    }
    free(status->accounts);
    free((void *)status->daemon.rules);
    if (status->document)
        json_object_put(status->document);
    *status = (struct control_status){0};
}

bool control_account_is_well(const struct account_snapshot *account)
{
    if (account->overdue || account->consumers_at_risk)
        return false;
    if (str_equal(account->state, "ok") || str_equal(account->state, "rotating"))
        return true;
    if (str_equal(account->state, "held")) /* a hold by the configuration is intended */
        return str_equal(account->reason, "config") || str_equal(account->reason, "freeze");
    return str_equal(account->state, "adopting") && !account->reason;
}
