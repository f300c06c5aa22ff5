#include "proto/control_protocol.h"

#include <errno.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/date.h"
#include "base/json.h"
#include "base/str.h"

/* What is missing or of another type counts as not known: a daemon of another version is shown as
 * far as it is understood. */

static time_ms read_time(struct json_object *object, const char *name)
{
    const char *text = json_string(object, name);
    time_ms at;

    return text && date_from_rfc3339(text, &at) ? at : TIME_NEVER;
}

static bool read_bool(struct json_object *object, const char *name)
{
    bool value;

    return json_boolean(object, name, &value) && value;
}

static uint64_t read_number(struct json_object *object, const char *name)
{
    int64_t value;

    return json_int64(object, name, &value) && value > 0 ? (uint64_t)value : 0;
}

static struct json_object *read_list(struct json_object *object, const char *name,
                                     size_t *ret_count)
{
    struct json_object *list = json_member(object, name);

    *ret_count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    return list;
}

static void read_states(struct json_object *object, struct daemon_snapshot *daemon)
{
    struct json_object *states = json_member(object, "states");

    if (!json_object_is_type(states, json_type_object))
        return;
    json_object_object_foreach(states, name, count)
    {
        struct state_count *state = &daemon->states[daemon->state_count];

        if (daemon->state_count == CONTROL_STATES_MAX || !json_object_is_type(count, json_type_int))
            continue;
        state->state = name;
        state->count = (size_t)read_number(states, name);
        daemon->state_count++;
    }
}

static void read_daemon(struct json_object *object, struct daemon_snapshot *daemon)
{
    daemon->version = json_string(object, "version");
    daemon->now = read_time(object, "now");
    daemon->started_at = read_time(object, "started_at");
    daemon->config_loaded_at = read_time(object, "config_loaded_at");
    daemon->config_error = json_string(object, "config_error");
    daemon->accounts = (size_t)read_number(object, "accounts");
    read_states(object, daemon);
    daemon->overdue = (size_t)read_number(object, "overdue");
    daemon->consumers_at_risk = (size_t)read_number(object, "consumers_at_risk");
    daemon->oldest_key_born = read_time(object, "oldest_key_born");
    daemon->oldest_key_account = json_string(object, "oldest_key_account");
    daemon->next_at = read_time(object, "next_at");
    daemon->next_account = json_string(object, "next_account");
    daemon->journal_failing_since = read_time(object, "journal_failing_since");
    daemon->journal_error = json_string(object, "journal_error");
}

static void read_key(struct json_object *keys, const char *name, struct key_snapshot *key)
{
    struct json_object *object = json_member(keys, name);

    key->fingerprint = json_string(object, "fingerprint");
    key->born = read_time(object, "born");
    key->older = read_bool(object, "older");
}

static void read_failure(struct json_object *object, struct failure_snapshot *failure)
{
    failure->at = read_time(object, "at");
    failure->text = json_string(object, "text");
    failure->http_status = (int)(read_number(object, "http_status") % 1000);
    failure->error_code = json_string(object, "error_code");
    failure->request_id = json_string(object, "request_id");
    failure->correlation_id = json_string(object, "correlation_id");
    failure->client_request_id = json_string(object, "client_request_id");
}

static void read_target(struct json_object *object, struct target_snapshot *target)
{
    target->name = json_string(object, "name");
    target->destination = json_string(object, "destination");
    target->required = read_bool(object, "required");
    target->satisfied = read_bool(object, "satisfied");
    target->holds = json_string(object, "holds");
    target->holds_fingerprint = json_string(object, "holds_fingerprint");
    target->delivered_at = read_time(object, "delivered_at");
    target->reason = json_string(object, "reason");
    target->failing_since = read_time(object, "failing_since");
    target->retry_at = read_time(object, "retry_at");
    target->dead_since = read_time(object, "dead_since");
    target->form = json_string(object, "form");
}

static int read_targets(struct json_object *object, struct account_snapshot *account)
{
    size_t count;
    struct json_object *list = read_list(object, "targets", &count);
    struct target_snapshot *targets;

    if (count == 0)
        return 0;
    targets = calloc(count, sizeof(*targets));
    if (!targets)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        read_target(json_object_array_get_idx(list, i), &targets[i]);
    account->targets = targets;
    account->target_count = count;
    return 0;
}

static int read_abandoned(struct json_object *object, struct account_snapshot *account)
{
    size_t count;
    struct json_object *list = read_list(object, "abandoned", &count);
    struct abandoned_snapshot *abandoned;

    if (count == 0)
        return 0;
    abandoned = calloc(count, sizeof(*abandoned));
    if (!abandoned)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);

        abandoned[i].destination = json_string(item, "destination");
        abandoned[i].since = read_time(item, "since");
    }
    account->abandoned = abandoned;
    account->abandoned_count = count;
    return 0;
}

static void read_condition(struct json_object *object, struct account_snapshot *account)
{
    account->state = json_string(object, "state");
    account->reason = json_string(object, "reason");
    account->meaning = json_string(object, "meaning");
    account->remedy = json_string(object, "do");
    account->overdue = read_bool(object, "overdue");
    account->consumers_at_risk = read_bool(object, "consumers_at_risk");
    account->since = read_time(object, "since");
    account->next_at = read_time(object, "next_at");
    account->retry_at = read_time(object, "retry_at");
    account->due_since = read_time(object, "due_since");
    account->waits = json_string(object, "waits");
    account->phase = json_string(object, "phase");
    account->rotating = read_bool(object, "rotating");
    account->rotation_requested = read_bool(object, "rotation_requested");
    account->cycle = read_number(object, "cycle");
    account->started_at = read_time(object, "started_at");
    account->completed_at = read_time(object, "completed_at");
}

static int read_holds(struct json_object *object, struct account_snapshot *account)
{
    struct hold_snapshot *holds;
    int rc = control_hold_list_read(object, &holds, &account->hold_count);

    account->holds = holds;
    return rc;
}

static int read_account(struct json_object *object, struct account_snapshot *account)
{
    struct json_object *keys = json_member(object, "keys");
    int rc;

    account->id = json_string(object, "id");
    account->name = json_string(object, "name");
    account->resource_group = json_string(object, "resource_group");
    account->subscription_id = json_string(object, "subscription_id");
    account->location = json_string(object, "location");
    account->identity = json_string(object, "identity");
    account->policy = json_string(object, "policy");
    account->active = json_string(object, "active");
    read_key(keys, "primary", &account->keys[0]);
    read_key(keys, "secondary", &account->keys[1]);
    read_condition(object, account);
    read_failure(json_member(object, "failure"), &account->failure);
    if (!account->id || !account->name || !account->state)
        return -EBADMSG;
    rc = read_holds(object, account);
    if (rc == 0)
        rc = read_targets(object, account);
    return rc != 0 ? rc : read_abandoned(object, account);
}

static int read_accounts(struct control_status *status)
{
    size_t count;
    struct json_object *list = read_list(status->document, "accounts", &count);
    int rc = 0;

    if (count == 0)
        return 0;
    status->accounts = calloc(count, sizeof(*status->accounts));
    if (!status->accounts)
        return -ENOMEM;
    status->account_count = count;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = read_account(json_object_array_get_idx(list, i), &status->accounts[i]);
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
    read_daemon(daemon, &status->daemon);
    rc = daemon ? read_accounts(status) : -EBADMSG;
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
    if (str_equal(account->state, "held")) /* that the configuration wants it so is no trouble */
        return str_equal(account->reason, "config");
    return str_equal(account->state, "adopting") && !account->reason;
}
