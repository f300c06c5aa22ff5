#include "app/engine_private.h"

#include <stdio.h>

#include "base/date.h"
#include "base/str.h"
#include "core/key_time.h"
#include "core/schedule.h"
#include "proto/two_key/two_key.h"

static time_ms or_never(time_ms at)
{
    return at == 0 ? TIME_NEVER : at;
}

static bool holds_one_key(const struct engine_account *account, size_t target)
{
    static const uint8_t none[HELD_MARK_LENGTH];

    return memcmp(account->held_marks[target], none, HELD_MARK_LENGTH) != 0;
}

/* What status and its readers know it by. */
static const char *what_it_gets(const struct destination *destination)
{
    if (destination->without_key)
        return "notice";
    return target_is_readable(destination) ? "key" : "key_unread";
}

static size_t snapshot_targets(const struct engine_account *account, struct snapshot_texts *texts)
{
    const struct record *record = &account->record;
    const struct account *subject = account->account;
    size_t count = 0;

    for (size_t i = 0; i < subject->destination_count && i < TARGETS_MAX; i++) {
        const struct destination *destination = &subject->destinations[i];
        const struct target_record *target = record_target_const(record, &account->targets[i].id);
        struct target_snapshot *snapshot = &texts->targets[count];

        target_describe(destination, account->azure.location, texts->destinations[count],
                        sizeof(texts->destinations[count]));
        *snapshot = (struct target_snapshot){
            .name = destination->name,
            .destination = texts->destinations[count],
            .required = destination->required,
            .holds = destination->without_key ? NULL : engine_words_holding(account->holdings[i]),
            .form = engine_form_problem(account, &account->targets[i].id),
            .gets = what_it_gets(destination),
            .delivered_at = TIME_NEVER,
            .failing_since = TIME_NEVER,
            .retry_at = TIME_NEVER,
            .dead_since = TIME_NEVER,
        };
        if (!destination->without_key && holds_one_key(account, i)) {
            hex_encode(account->held_marks[i], HELD_MARK_LENGTH, texts->held_marks[count]);
            snapshot->holds_fingerprint = texts->held_marks[count];
        }
        count++;
        if (!target)
            continue;
        snapshot->satisfied = record->adopted && record_target_satisfied(record, target);
        snapshot->delivered_at = target->acknowledged ? target->acknowledged_at : TIME_NEVER;
        snapshot->failing_since = or_never(target->failing_since);
        snapshot->retry_at = or_never(target->retry_at);
        snapshot->dead_since = or_never(target->dead_since);
        if (target->reason != REASON_NONE)
            snapshot->reason = reason_describe(target->reason)->name;
    }
    return count;
}

static size_t collect_holds(const struct engine_account *account,
                            const struct hold *holds[HOLDS_SHOWN_MAX])
{
    return hold_list_collect(&account->engine->holds, account->key,
                             loop_now(account->engine->parts.loop), holds, HOLDS_SHOWN_MAX);
}

static size_t snapshot_holds(const struct engine_account *account, struct snapshot_texts *texts)
{
    const struct hold *holds[HOLDS_SHOWN_MAX];
    size_t count = collect_holds(account, holds);

    for (size_t i = 0; i < count; i++)
        engine_hold_snapshot(account->engine, holds[i], &texts->holds[i]);
    return count;
}

/* The keys as the journal has them; before the adoption, as the last look showed them. */
static void snapshot_keys(const struct engine_account *account, struct account_snapshot *snapshot,
                          struct snapshot_texts *texts)
{
    const struct record *record = &account->record;

    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        const struct fingerprint *key =
            record->adopted ? &record->live[slot] : &account->azure.fingerprints[slot];

        snapshot->keys[slot] = (struct key_snapshot){.born = TIME_NEVER, .made = TIME_NEVER};
        if (fingerprint_is_none(key))
            continue;
        hex_encode(key->bytes, FINGERPRINT_LENGTH, texts->fingerprints[slot]);
        snapshot->keys[slot].fingerprint = texts->fingerprints[slot];
        if (!record->adopted)
            continue;
        snapshot->keys[slot].born =
            or_never(key_time_born(record, (enum slot)slot, &snapshot->keys[slot].older));
        snapshot->keys[slot].made = or_never(record->made[slot]);
    }
    if (record->adopted)
        snapshot->active = slot_name(record->active);
}

/* Has the last look shown that everything is as it should be? */
static bool is_as_recorded(const struct engine_account *account)
{
    const struct record *record = &account->record;

    if (!record->adopted || record->looked_at == 0 || record->unconfirmed.pending ||
        record->blocked != REASON_NONE || record->retry_reason != REASON_NONE)
        return false;
    for (size_t i = 0; i < record->target_count; i++)
        if (!record_target_satisfied(record, &record->targets[i]) ||
            record->targets[i].dead_since != 0)
            return false;
    return true;
}

/* A lost answer is settled by looking: the rotation it belonged to may be complete without another
 * attempt. And a target may be gone from the configuration. */
static bool failure_stands(const struct engine_account *account)
{
    switch (account->failed_kind) {
    case FAILED_REGENERATE:
    case FAILED_VERIFY:
        return account->last_failure_at != TIME_NEVER &&
               account->last_failure_at > account->record.completed_at;
    case FAILED_READ:
    case FAILED_TARGET:
        return account->last_failure_at != TIME_NEVER &&
               engine_account_destination(account, &account->failed_target);
    default:
        return account->last_failure_at != TIME_NEVER;
    }
}

static void snapshot_failure(const struct engine_account *account,
                             struct failure_snapshot *snapshot)
{
    const struct failure *failure = &account->last_failure;

    *snapshot = (struct failure_snapshot){.at = TIME_NEVER};
    if (!failure_stands(account))
        return;
    snapshot->at = account->last_failure_at;
    snapshot->text = failure->text;
    snapshot->http_status = failure->http_status;
    snapshot->error_code = str_or_null(failure->error_code);
    snapshot->request_id = str_or_null(failure->request_id);
    snapshot->correlation_id = str_or_null(failure->correlation_id);
    snapshot->client_request_id = str_or_null(failure->client_request_id);
}

/* Before the adoption. A target that is not readable by its kind has no failure. */
static void snapshot_first_wait(const struct engine_account *account,
                                struct account_snapshot *snapshot, struct snapshot_texts *texts)
{
    const struct failure *failure = &account->last_failure;
    const struct reason_description *reason = reason_describe(failure->reason);

    if (account->failed_kind != FAILED_READ || !failure_stands(account)) {
        snapshot->meaning =
            "a required target cannot be read back, as is usual for its type: the key is delivered "
            "when a second look has shown the same keys";
        return;
    }
    engine_remedy_expand(account, NULL, failure->remedy[0] ? failure->remedy : reason->remedy,
                         texts->remedy, sizeof(texts->remedy));
    snapshot->meaning =
        "a required target cannot be read: the key is delivered when a second look has shown the "
        "same keys";
    snapshot->reason = reason->name;
    snapshot->remedy = texts->remedy;
    snapshot->since = account->last_failure_at;
}

static void describe_freeze(const struct engine_account *account, char *out, size_t size)
{
    const struct freeze *freeze =
        schedule_freeze(account->account->policy, loop_now(account->engine->parts.loop));
    char until[DATE_TEXT_MAX];

    (void)str_copy(out, size, reason_describe(REASON_FREEZE)->meaning);
    if (freeze)
        snprintf(out, size, "a change freeze is in force until %s%s%s",
                 date_to_rfc3339(freeze->to, until), freeze->reason ? ": " : "",
                 freeze->reason ? freeze->reason : "");
}

static void snapshot_reason(const struct engine_account *account, const struct rotation_view *view,
                            struct account_snapshot *snapshot, struct snapshot_texts *texts)
{
    const struct reason_description *reason = reason_describe(view->reason);
    const struct failure *failure = &account->last_failure;
    const char *remedy = reason->remedy;
    const struct hold *holds[HOLDS_SHOWN_MAX];
    char of_holds[FAILURE_TEXT_MAX];

    if (view->state == STATE_ADOPTING && account->record.unconfirmed.pending)
        snapshot_first_wait(account, snapshot, texts);
    if (view->reason == REASON_NONE)
        return;
    if (failure_stands(account) && failure->reason == view->reason && failure->remedy[0])
        remedy = failure->remedy;
    if (view->reason == REASON_OPERATOR) {
        engine_hold_remedy(holds, collect_holds(account, holds), of_holds, sizeof(of_holds));
        remedy = of_holds;
    }
    engine_remedy_expand(account, NULL, remedy, texts->remedy, sizeof(texts->remedy));
    snapshot->reason = reason->name;
    snapshot->meaning = reason->meaning;
    if (view->reason == REASON_BEING_CONFIRMED) {
        engine_words_unexpected(account, texts->meaning, sizeof(texts->meaning));
        snapshot->meaning = texts->meaning;
    }
    if (view->reason == REASON_FREEZE) {
        describe_freeze(account, texts->meaning, sizeof(texts->meaning));
        snapshot->meaning = texts->meaning;
    }
    snapshot->remedy = texts->remedy;
    snapshot->since = or_never(view->since);
}

void engine_snapshot_account(const struct engine_account *account,
                             struct account_snapshot *snapshot, struct snapshot_texts *texts)
{
    const struct record *record = &account->record;
    const struct account *subject = account->account;
    const struct two_key_resource *type = two_key_resource_find(subject->id);
    struct rotation_view view;

    engine_account_view_for_people(account, &view);
    *snapshot = (struct account_snapshot){
        .id = subject->id,
        .pair = type ? type->pair : NULL,
        .name = subject->name,
        .resource_group = subject->resource_group,
        .subscription_id = subject->subscription_id,
        .location = account->azure.location,
        .identity = subject->identity->name,
        .policy = subject->policy_name,
        .rule = subject->rule,
        .unconfirmed = record->presumed,
        .state = account_state_name(view.state),
        .overdue = view.overdue,
        .consumers_at_risk = view.consumers_at_risk,
        .since = TIME_NEVER,
        .next_at = view.next_at,
        .retry_at = view.retry_at,
        .due_since = engine_account_due_since(account),
        .regenerating_since = view.regenerating_since,
        .regenerating_until = view.regenerating_until,
        .waits = view.waits,
        .phase = position_name(record->position),
        .rotating = record->intent.open || record->delivering != record->active,
        .rotation_requested = record->requested,
        .cycle = record->cycle,
        .started_at = or_never(record->started_at),
        .completed_at = or_never(record->completed_at),
        .looked_at = or_never(record->looked_at),
        .as_recorded = is_as_recorded(account),
        .targets = texts->targets,
        .holds = texts->holds,
    };
    snapshot->hold_count = snapshot_holds(account, texts);
    snapshot->target_count = snapshot_targets(account, texts);
    snapshot->abandoned = texts->abandoned;
    snapshot->abandoned_count = engine_places_abandoned(account, texts->abandoned, TARGETS_MAX);
    snapshot_keys(account, snapshot, texts);
    snapshot_failure(account, &snapshot->failure);
    snapshot_reason(account, &view, snapshot, texts);
}
