#include "proto/control_protocol.h"
#include "base/json_writer.h"

static void write_daemon(struct buf *out, const struct daemon_snapshot *daemon)
{
    json_write_open(out, "daemon", '{');
    json_write_text(out, "version", daemon->version);
    json_write_time(out, "now", daemon->now);
    json_write_time(out, "started_at", daemon->started_at);
    json_write_time(out, "config_loaded_at", daemon->config_loaded_at);
    json_write_text(out, "config_error", daemon->config_error);
    json_write_number(out, "accounts", daemon->accounts);
    json_write_open(out, "states", '{');
    for (size_t i = 0; i < daemon->state_count; i++)
        json_write_number(out, daemon->states[i].state, daemon->states[i].count);
    json_write_close(out, '}');
    json_write_number(out, "overdue", daemon->overdue);
    json_write_number(out, "consumers_at_risk", daemon->consumers_at_risk);
    json_write_time(out, "oldest_key_born", daemon->oldest_key_born);
    json_write_age(out, "oldest_key_age_s", daemon->oldest_key_born, daemon->now);
    json_write_text(out, "oldest_key_account", daemon->oldest_key_account);
    json_write_time(out, "next_at", daemon->next_at);
    json_write_text(out, "next_account", daemon->next_account);
    json_write_time(out, "journal_failing_since", daemon->journal_failing_since);
    json_write_text(out, "journal_error", daemon->journal_error);
    json_write_close(out, '}');
}

void control_status_start(struct buf *out, const struct daemon_snapshot *daemon)
{
    json_write_open(out, NULL, '{');
    write_daemon(out, daemon);
    json_write_open(out, "accounts", '[');
}

void control_status_end(struct buf *out)
{
    json_write_close(out, ']');
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

static void write_key(struct buf *out, const char *name, const struct key_snapshot *key,
                      time_ms now)
{
    json_write_open(out, name, '{');
    json_write_text(out, "fingerprint", key->fingerprint);
    json_write_time(out, "born", key->born);
    json_write_bool(out, "older", key->older);
    json_write_age(out, "age_s", key->born, now);
    json_write_close(out, '}');
}

static void write_failure(struct buf *out, const struct failure_snapshot *failure)
{
    if (failure->at <= 0 || failure->at == TIME_NEVER) {
        json_write_null(out, "failure");
        return;
    }
    json_write_open(out, "failure", '{');
    json_write_time(out, "at", failure->at);
    json_write_text(out, "text", failure->text);
    json_write_number(out, "http_status",
                      failure->http_status > 0 ? (uint64_t)failure->http_status : 0);
    json_write_text(out, "error_code", failure->error_code);
    json_write_text(out, "request_id", failure->request_id);
    json_write_text(out, "correlation_id", failure->correlation_id);
    json_write_text(out, "client_request_id", failure->client_request_id);
    json_write_close(out, '}');
}

static void write_target(struct buf *out, const struct target_snapshot *target)
{
    json_write_open(out, NULL, '{');
    json_write_text(out, "name", target->name);
    json_write_text(out, "destination", target->destination);
    json_write_bool(out, "required", target->required);
    json_write_bool(out, "satisfied", target->satisfied);
    json_write_text(out, "holds", target->holds);
    json_write_text(out, "holds_fingerprint", target->holds_fingerprint);
    json_write_time(out, "delivered_at", target->delivered_at);
    json_write_text(out, "reason", target->reason);
    json_write_time(out, "failing_since", target->failing_since);
    json_write_time(out, "retry_at", target->retry_at);
    json_write_time(out, "dead_since", target->dead_since);
    json_write_text(out, "form", target->form);
    json_write_close(out, '}');
}

static void write_holds(struct buf *out, const struct account_snapshot *account)
{
    control_hold_write(out, "hold", account->hold_count > 0 ? &account->holds[0] : NULL);
    control_hold_list_write(out, account->holds, account->hold_count);
}

static void write_condition(struct buf *out, const struct account_snapshot *account)
{
    json_write_text(out, "state", account->state);
    json_write_text(out, "reason", account->reason);
    json_write_text(out, "meaning", account->meaning);
    json_write_text(out, "do", account->remedy);
    json_write_bool(out, "overdue", account->overdue);
    json_write_bool(out, "consumers_at_risk", account->consumers_at_risk);
    json_write_time(out, "since", account->since);
    json_write_time(out, "next_at", account->next_at);
    json_write_time(out, "retry_at", account->retry_at);
    json_write_time(out, "due_since", account->due_since);
    json_write_text(out, "waits", account->waits);
    json_write_text(out, "phase", account->phase);
    json_write_bool(out, "rotating", account->rotating);
    json_write_bool(out, "rotation_requested", account->rotation_requested);
    json_write_number(out, "cycle", account->cycle);
    json_write_time(out, "started_at", account->started_at);
    json_write_time(out, "completed_at", account->completed_at);
}

void control_status_account(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    json_write_open(out, NULL, '{');
    json_write_text(out, "id", account->id);
    json_write_text(out, "name", account->name);
    json_write_text(out, "resource_group", account->resource_group);
    json_write_text(out, "subscription_id", account->subscription_id);
    json_write_text(out, "location", account->location);
    json_write_text(out, "identity", account->identity);
    json_write_text(out, "policy", account->policy);
    json_write_text(out, "active", account->active);
    json_write_open(out, "keys", '{');
    write_key(out, "primary", &account->keys[0], now);
    write_key(out, "secondary", &account->keys[1], now);
    json_write_close(out, '}');
    write_condition(out, account);
    write_holds(out, account);
    write_failure(out, &account->failure);
    json_write_open(out, "targets", '[');
    for (size_t i = 0; i < account->target_count; i++)
        write_target(out, &account->targets[i]);
    json_write_close(out, ']');
    json_write_open(out, "abandoned", '[');
    for (size_t i = 0; i < account->abandoned_count; i++) {
        json_write_open(out, NULL, '{');
        json_write_text(out, "destination", account->abandoned[i].destination);
        json_write_time(out, "since", account->abandoned[i].since);
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
    json_write_close(out, '}');
}
