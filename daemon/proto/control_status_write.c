#include "proto/control.h"
#include "proto/control_json.h"

static void write_daemon(struct buf *out, const struct daemon_snapshot *daemon)
{
    write_open(out, "daemon", '{');
    write_text(out, "version", daemon->version);
    write_time(out, "now", daemon->now);
    write_time(out, "started_at", daemon->started_at);
    write_time(out, "config_loaded_at", daemon->config_loaded_at);
    write_text(out, "config_error", daemon->config_error);
    write_number(out, "accounts", daemon->accounts);
    write_open(out, "states", '{');
    for (size_t i = 0; i < daemon->state_count; i++)
        write_number(out, daemon->states[i].state, daemon->states[i].count);
    write_close(out, '}');
    write_number(out, "overdue", daemon->overdue);
    write_number(out, "consumers_at_risk", daemon->consumers_at_risk);
    write_time(out, "oldest_key_born", daemon->oldest_key_born);
    write_age(out, "oldest_key_age_s", daemon->oldest_key_born, daemon->now);
    write_text(out, "oldest_key_account", daemon->oldest_key_account);
    write_time(out, "next_at", daemon->next_at);
    write_text(out, "next_account", daemon->next_account);
    write_time(out, "journal_failing_since", daemon->journal_failing_since);
    write_text(out, "journal_error", daemon->journal_error);
    write_close(out, '}');
}

void control_status_start(struct buf *out, const struct daemon_snapshot *daemon)
{
    write_open(out, NULL, '{');
    write_daemon(out, daemon);
    write_open(out, "accounts", '[');
}

void control_status_end(struct buf *out)
{
    write_close(out, ']');
    write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

static void write_key(struct buf *out, const char *name, const struct key_snapshot *key,
                      time_ms now)
{
    write_open(out, name, '{');
    write_text(out, "fingerprint", key->fingerprint);
    write_time(out, "born", key->born);
    write_bool(out, "older", key->older);
    write_age(out, "age_s", key->born, now);
    write_close(out, '}');
}

static void write_failure(struct buf *out, const struct failure_snapshot *failure)
{
    if (failure->at <= 0 || failure->at == TIME_NEVER) {
        write_null(out, "failure");
        return;
    }
    write_open(out, "failure", '{');
    write_time(out, "at", failure->at);
    write_text(out, "text", failure->text);
    write_number(out, "http_status", failure->http_status > 0 ? (uint64_t)failure->http_status : 0);
    write_text(out, "error_code", failure->error_code);
    write_text(out, "request_id", failure->request_id);
    write_text(out, "correlation_id", failure->correlation_id);
    write_text(out, "client_request_id", failure->client_request_id);
    write_close(out, '}');
}

static void write_target(struct buf *out, const struct target_snapshot *target)
{
    write_open(out, NULL, '{');
    write_text(out, "name", target->name);
    write_text(out, "destination", target->destination);
    write_bool(out, "required", target->required);
    write_bool(out, "satisfied", target->satisfied);
    write_text(out, "holds", target->holds);
    write_time(out, "delivered_at", target->delivered_at);
    write_text(out, "reason", target->reason);
    write_time(out, "failing_since", target->failing_since);
    write_time(out, "retry_at", target->retry_at);
    write_close(out, '}');
}

static void write_hold(struct buf *out, const struct account_snapshot *account)
{
    if (!account->held) {
        write_null(out, "hold");
        return;
    }
    write_open(out, "hold", '{');
    write_time(out, "until", account->held_until);
    write_text(out, "reason", account->hold_reason);
    write_close(out, '}');
}

static void write_condition(struct buf *out, const struct account_snapshot *account)
{
    write_text(out, "state", account->state);
    write_text(out, "reason", account->reason);
    write_text(out, "meaning", account->meaning);
    write_text(out, "do", account->remedy);
    write_bool(out, "overdue", account->overdue);
    write_bool(out, "consumers_at_risk", account->consumers_at_risk);
    write_time(out, "since", account->since);
    write_time(out, "next_at", account->next_at);
    write_time(out, "retry_at", account->retry_at);
    write_text(out, "phase", account->phase);
    write_bool(out, "rotating", account->rotating);
    write_bool(out, "rotation_requested", account->rotation_requested);
    write_number(out, "cycle", account->cycle);
    write_time(out, "started_at", account->started_at);
    write_time(out, "completed_at", account->completed_at);
}

void control_status_account(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    write_open(out, NULL, '{');
    write_text(out, "id", account->id);
    write_text(out, "name", account->name);
    write_text(out, "resource_group", account->resource_group);
    write_text(out, "subscription_id", account->subscription_id);
    write_text(out, "location", account->location);
    write_text(out, "identity", account->identity);
    write_text(out, "policy", account->policy);
    write_text(out, "active", account->active);
    write_open(out, "keys", '{');
    write_key(out, "primary", &account->keys[0], now);
    write_key(out, "secondary", &account->keys[1], now);
    write_close(out, '}');
    write_condition(out, account);
    write_hold(out, account);
    write_failure(out, &account->failure);
    write_open(out, "targets", '[');
    for (size_t i = 0; i < account->target_count; i++)
        write_target(out, &account->targets[i]);
    write_close(out, ']');
    write_close(out, '}');
}
