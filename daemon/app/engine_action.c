#include "app/engine_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"

#define TARGET_TIMEOUT_SLACK (5 * MS_SECOND)

static void forget_seen_keys(struct engine_account *account)
{
    struct list *link;

    while ((link = list_pop(&account->seen_keys))) {
        struct seen_key *seen = container_of(link, struct seen_key, link);

        secret_free(seen->key);
        free(seen);
    }
}

void engine_action_forget_keys(struct engine_account *account)
{
    azure_account_forget_keys(&account->azure);
    forget_seen_keys(account);
}

/* What stands in a target. `key`: NULL where it holds none, or several. */
static void remember_holding(struct engine_account *account, size_t target, enum holding holding,
                             const struct fingerprint *key)
{
    account->holdings[target] = holding;
    memset(account->held_marks[target], 0, HELD_MARK_LENGTH);
    if (key)
        memcpy(account->held_marks[target], key->bytes, HELD_MARK_LENGTH);
}

/* What stands in the targets, as far as this action has shown it. */
static void remember_holdings(struct engine_account *account, const struct transaction *transaction)
{
    const struct look *look = transaction->event.look;

    for (size_t i = 0; i < account->account->destination_count && i < TARGETS_MAX; i++) {
        const struct target_id *id = &account->targets[i].id;
        const struct sighting *sighting = look ? judge_sighting(look, id) : NULL;

        if (look)
            remember_holding(account, i, judge_holding(look, id),
                             sighting && sighting->key_count == 1 ? &sighting->keys[0] : NULL);
        else if (transaction->event.kind == EVENT_DELIVERED && !transaction->event.failure &&
                 target_id_equal(&transaction->event.target, id))
            remember_holding(account, i, judge_holding_of(account->record.delivering),
                             record_delivering_key(&account->record));
    }
}

/*
 * When a look was complete: it may queue behind a journal that is stalled, and be an old look by
 * then. Reading the targets takes TARGET_TIMEOUT at most; where it took longer this process was
 * stopped in between, and the keys are as old as Azure's answer.
 */
static time_ms look_taken_at(const struct engine_account *account)
{
    time_ms now = loop_now(account->engine->parts.loop);
    duration_ms since = now - account->keys_seen_at;

    return since >= 0 && since <= TARGET_TIMEOUT + TARGET_TIMEOUT_SLACK ? now
                                                                        : account->keys_seen_at;
}

/* Abandons the action because the daemon stops: its result would be incomplete. */
static void abandon(struct engine_account *account)
{
    transaction_free(account->acting);
    account->acting = NULL;
    account->draining = true;
    engine_account_make_ready(account); /* it may be quiet now */
}

/* True when the account is draining and this result would start new work. The next start looks
 * again. */
static bool would_begin_something(const struct engine_account *account)
{
    const enum event_kind kind = account->acting->event.kind;

    return account->draining && (kind == EVENT_LOOKED || kind == EVENT_PREFLIGHT_DONE);
}

static void finish(struct engine_account *account)
{
    struct transaction *transaction = account->acting;

    if (would_begin_something(account)) {
        abandon(account);
        return;
    }
    transaction->result->look.began_at = account->acting_since;
    transaction->result->look.taken_at = look_taken_at(account);
    remember_holdings(account, transaction);
    account->acting = NULL;
    engine_account_post_transaction(account, transaction);
}

/* The first part is our own, so that the action cannot end while its parts are started. */
static void begin_parts(struct engine_account *account)
{
    account->first_failure = SIZE_MAX;
    account->parts_pending = 1;
    account->parts_canceled = false;
}

static struct engine_part *add_part(struct engine_account *account, size_t destination)
{
    struct engine_part *part = &account->parts[account->part_count++];

    *part = (struct engine_part){
        .account = account,
        .id = account->targets[destination].id,
        .required = account->targets[destination].required,
    };
    account->parts_pending++;
    return part;
}

/* One of the parts of an action has ended; the last one ends the action. */
static void end_part(struct engine_account *account, bool canceled)
{
    if (canceled)
        account->parts_canceled = true;
    if (--account->parts_pending > 0)
        return;
    if (account->parts_canceled)
        abandon(account);
    else
        finish(account);
}

static void begin_call(struct engine_account *account, struct azure_call *call)
{
    account->call = call;
    list_append(&account->engine->counts.calling, &account->calling_link);
}

static void end_call(struct engine_account *account)
{
    account->call = NULL;
    list_remove(&account->calling_link);
}

/* Of the kinds of failure that are about no target. */
static const struct target_id no_target;

/* `failure`: NULL where it has worked. */
static void remember_outcome(struct engine_account *account, enum failed_kind kind,
                             const struct target_id *target, const struct failure *failure)
{
    if (failure) {
        account->last_failure = *failure;
        account->last_failure_at = loop_now(account->engine->parts.loop);
        account->failed_kind = kind;
        account->failed_target = *target;
    } else if (account->failed_kind == kind && target_id_equal(&account->failed_target, target)) {
        account->last_failure_at = TIME_NEVER;
    }
}

static void take_result(struct engine_account *account, enum failed_kind kind,
                        const struct azure_result *result)
{
    struct transaction *transaction = account->acting;

    transaction->event.clock_skew = result->clock_skew;
    transaction->result->duration = result->duration;
    str_copy(transaction->result->request_id, sizeof(transaction->result->request_id),
             result->request_id);
    str_copy(transaction->result->correlation_id, sizeof(transaction->result->correlation_id),
             result->correlation_id);
    str_copy(transaction->result->client_request_id, sizeof(transaction->result->client_request_id),
             result->client_request_id);
    if (result->failure)
        transaction_fail(transaction, result->failure);
    remember_outcome(account, kind, &no_target, result->failure);
}

/* --- look: Azure first, then every target --- */

static void take_seen_keys(struct engine_account *account, struct target_result *result)
{
    for (size_t i = 0; i < SIGHTING_KEYS_MAX; i++) {
        struct seen_key *seen;

        if (!result->keys[i] || i >= result->sighting.key_count)
            continue;
        seen = must_alloc(sizeof(*seen));
        seen->fingerprint = result->sighting.keys[i];
        seen->key = result->keys[i];
        result->keys[i] = NULL;
        list_init(&seen->link);
        list_append(&account->seen_keys, &seen->link);
    }
}

/* Why the first of the required targets that the look misses could not be read. */
static void note_unread(struct engine_account *account, const struct target_result *result)
{
    const struct account *subject = account->account;
    struct transaction *transaction = account->acting;

    for (size_t i = 0; i < subject->destination_count && i < account->first_failure; i++) {
        if (!account->targets[i].required ||
            !target_id_equal(&account->targets[i].id, &result->sighting.target))
            continue;
        account->first_failure = i;
        transaction->result->failure = *result->failure;
        transaction->event.read_failure = &transaction->result->failure;
        transaction->event.target = account->targets[i].id;
        remember_outcome(account, FAILED_READ, &account->targets[i].id, result->failure);
    }
}

static void on_target_read(void *context, struct target_result *result)
{
    struct engine_part *part = context;
    struct engine_account *account = part->account;
    struct look *look = &account->acting->result->look;

    part->job = NULL;
    if (result->failure)
        note_unread(account, result);
    else if (!result->canceled)
        remember_outcome(account, FAILED_READ, &result->sighting.target, NULL);
    if (!result->canceled)
        engine_form_take(account, result);
    /* A target that cannot be read shows nothing: that is a fact, not a failure of the look. */
    if (!result->failure && !result->canceled && look->target_count < TARGETS_MAX) {
        look->targets[look->target_count++] = result->sighting;
        take_seen_keys(account, result);
    }
    end_part(account, result->canceled);
}

static void read_targets(struct engine_account *account)
{
    const struct account *subject = account->account;

    begin_parts(account);
    for (size_t i = 0; i < subject->destination_count && i < TARGETS_MAX; i++) {
        struct engine_part *part;

        if (!account->targets[i].readable)
            continue;
        part = add_part(account, i);
        part->job = target_read(&account->engine->targets, &subject->destinations[i],
                                account->azure.location, engine_form_is_kept(account, i),
                                on_target_read, part);
    }
    end_part(account, false);
}

/* The look has the keys; a missing description is reported nevertheless. */
static void take_description(struct engine_account *account, const struct azure_result *result)
{
    struct transaction *transaction = account->acting;

    transaction->result->look.described = result->described;
    transaction->event.endpoint = account->azure.endpoint;
    transaction->event.location = account->azure.location;
    if (transaction->result->look.described)
        remember_outcome(account, FAILED_DESCRIPTION, &no_target, NULL);
    if (!result->description)
        return;
    transaction->result->undescribed = *result->description;
    transaction->event.undescribed = &transaction->result->undescribed;
    remember_outcome(account, FAILED_DESCRIPTION, &no_target, result->description);
}

/* The call has ended. False: so has the action. */
static bool take_answer(struct engine_account *account, enum failed_kind kind,
                        const struct azure_result *result)
{
    end_call(account);
    engine_whole_share(account);
    if (result->canceled) {
        abandon(account);
        return false;
    }
    take_result(account, kind, result);
    if (result->failure)
        finish(account);
    return !result->failure;
}

static void on_azure_looked(void *context, const struct azure_result *result)
{
    struct engine_account *account = context;
    struct transaction *transaction = account->acting;

    if (!take_answer(account, FAILED_LOOK, result))
        return;
    if (account->draining) {
        abandon(account); /* nothing would follow the look */
        return;
    }
    account->keys_seen_at = loop_now(account->engine->parts.loop);
    take_description(account, result);
    transaction->result->look.live[SLOT_PRIMARY] = result->live[SLOT_PRIMARY];
    transaction->result->look.live[SLOT_SECONDARY] = result->live[SLOT_SECONDARY];
    transaction->result->look.made[SLOT_PRIMARY] = result->made[SLOT_PRIMARY];
    transaction->result->look.made[SLOT_SECONDARY] = result->made[SLOT_SECONDARY];
    transaction->result->look.clock_skew = result->clock_skew;
    transaction->event.look = &transaction->result->look;
    read_targets(account);
}

/* --- preflight: every required target --- */

/* A reload may have taken the target away, made it optional, or changed the order. */
static void on_target_probed(void *context, struct target_result *result)
{
    struct engine_part *part = context;
    struct engine_account *account = part->account;
    const size_t index = (size_t)(part - account->parts);
    const struct target_id *id = &part->id;

    part->job = NULL;
    if (!engine_account_requires(account, id)) {
        /* nobody waits for it any more */
    } else if (result->failure && index < account->first_failure) {
        account->first_failure = index;
        transaction_fail(account->acting, result->failure);
        remember_outcome(account, FAILED_TARGET, id, result->failure);
        account->acting->event.target = *id;
    } else if (!result->failure && !result->canceled) {
        remember_outcome(account, FAILED_TARGET, id, NULL);
    }
    end_part(account, result->canceled);
}

static void probe_targets(struct engine_account *account)
{
    const struct account *subject = account->account;

    begin_parts(account);
    for (size_t i = 0; i < subject->destination_count && i < TARGETS_MAX; i++) {
        struct engine_part *part;

        if (!subject->destinations[i].required)
            continue;
        part = add_part(account, i);
        part->job = target_probe(&account->engine->targets, &subject->destinations[i],
                                 account->azure.location, on_target_probed, part);
    }
    end_part(account, false);
}

/* --- regenerate and verify --- */

static void on_regenerated(void *context, const struct azure_result *result)
{
    struct engine_account *account = context;

    if (!take_answer(account, FAILED_REGENERATE, result))
        return;
    account->acting->event.live[SLOT_PRIMARY] = result->live[SLOT_PRIMARY];
    account->acting->event.live[SLOT_SECONDARY] = result->live[SLOT_SECONDARY];
    account->acting->event.shown[SLOT_PRIMARY] = result->shown[SLOT_PRIMARY];
    account->acting->event.shown[SLOT_SECONDARY] = result->shown[SLOT_SECONDARY];
    if (result->under_way)
        engine_operation_take(account, result);
    finish(account);
}

/* --- a regenerate that goes on --- */

static void on_polled(void *context, const struct azure_result *result)
{
    struct engine_account *account = context;

    account->acting->event.operation_state = result->operation_state;
    account->acting->event.poll_after = result->poll_after;
    if (take_answer(account, FAILED_REGENERATE, result))
        finish(account);
}

/* A URL that the journal has lost cannot be asked. */
static void poll(struct engine_account *account, const char *correlation_id)
{
    if (account->operation_url) {
        begin_call(account, azure_poll(account->engine->parts.azure, &account->azure,
                                       account->operation_url, correlation_id, on_polled, account));
        return;
    }
    account->acting->event.operation_state = OPERATION_FORGOTTEN;
    finish(account);
}

static void on_verified(void *context, const struct azure_result *result)
{
    struct engine_account *account = context;

    if (take_answer(account, FAILED_VERIFY, result))
        finish(account);
}

/* The live key with that fingerprint in that slot, as the last look or regenerate brought it. */
static const struct secret *live_key(const struct engine_account *account, enum slot slot,
                                     const struct fingerprint *fingerprint)
{
    if (!account->azure.keys[slot] ||
        !fingerprint_equal(&account->azure.fingerprints[slot], fingerprint))
        return NULL;
    return account->azure.keys[slot];
}

static const struct secret *seen_key(struct engine_account *account,
                                     const struct fingerprint *fingerprint)
{
    list_for_each_entry (seen, &account->seen_keys, struct seen_key, link) {
        if (fingerprint_equal(&seen->fingerprint, fingerprint))
            return seen->key;
    }
    return NULL;
}

static void finish_without_key(struct engine_account *account)
{
    struct failure failure = {.reason = REASON_OUTCOME_UNKNOWN};

    str_copy(failure.text, sizeof(failure.text),
             "the key is no longer in memory: it has to be listed again");
    transaction_fail(account->acting, &failure);
    finish(account);
}

static void verify(struct engine_account *account, const struct secret *key)
{
    if (key)
        begin_call(account, azure_verify(account->engine->parts.azure, &account->azure, key,
                                         on_verified, account));
    else
        finish_without_key(account);
}

/* --- deliver --- */

/* A delivery leaves a target that can be read again, in the form that is configured. */
static void note_delivered(struct engine_account *account, const struct target_id *target)
{
    remember_outcome(account, FAILED_READ, target, NULL);
    engine_form_delivered(account, target);
}

static void on_delivered(void *context, struct target_result *result)
{
    struct engine_part *part = context;
    struct engine_account *account = part->account;

    part->job = NULL;
    if (result->canceled) {
        abandon(account);
        return;
    }
    engine_output_log(account, &account->acting->event.target, result->output);
    account->acting->event.changed = result->changed;
    if (result->failure)
        transaction_fail(account->acting, result->failure);
    else
        note_delivered(account, &account->acting->event.target);
    remember_outcome(account, FAILED_TARGET, &account->acting->event.target, result->failure);
    finish(account);
}

static void deliver(struct engine_account *account, const struct action *action)
{
    const struct destination *destination = engine_account_destination(account, &action->target);
    struct delivery delivery = {
        .account = account->account,
        .endpoint = account->azure.endpoint,
        .location = account->azure.location,
        .slot = action->slot,
        .key = live_key(account, action->slot, &action->key),
        .key_id = account->azure.key_ids[action->slot],
        .cycle = account->record.cycle,
        .delivered_at = loop_now(account->engine->parts.loop),
    };
    struct engine_part *part;

    account->acting->event.target = action->target;
    if (!destination || !delivery.key) {
        finish_without_key(account);
        return;
    }
    part = add_part(account, (size_t)(destination - account->account->destinations));
    part->job =
        target_deliver(&account->engine->targets, destination, &delivery, on_delivered, part);
}

/* The requests of one rotation share an id in Azure's activity log; any other has one of its own.
 */
static const char *rotation_correlation(const struct engine_account *account)
{
    const struct record *record = &account->record;
    bool rotating =
        record->intent.open || (record->adopted && record->delivering != record->active);

    return rotating ? str_or_null(record->correlation) : NULL;
}

/* The account's destinations belong to another one, too, or cannot be: nothing is looked at for
 * them, regenerated or delivered. A key may be verified, and an operation asked about, which change
 * nothing. */
static bool is_refused(const struct engine_account *account, const struct action *action)
{
    return account->account->problem && action->kind != ACTION_NONE &&
           action->kind != ACTION_POLL && action->kind != ACTION_VERIFY_LIVE &&
           action->kind != ACTION_VERIFY_TARGET;
}

static void refuse(struct engine_account *account, const struct action *action)
{
    const bool is_of_target = action->kind == ACTION_DELIVER || action->kind == ACTION_PREFLIGHT;
    struct failure failure = {.reason =
                                  is_of_target ? REASON_TARGET_FAILED : REASON_DESTINATION_REFUSED};

    snprintf(failure.text, sizeof(failure.text),
             "rule %s gives the account a destination that it cannot have: %s",
             account->account->rule, account->account->problem);
    str_copy(failure.remedy, sizeof(failure.remedy),
             reason_describe(REASON_DESTINATION_REFUSED)->remedy);
    account->acting->event.target =
        action->kind == ACTION_DELIVER ? action->target : account->targets[0].id;
    transaction_fail(account->acting, &failure);
    remember_outcome(account, FAILED_LOOK, &no_target, &failure);
    finish(account);
}

void engine_action_start(struct engine_account *account, const struct action *action)
{
    static const enum event_kind completions[] = {
        [ACTION_NONE] = EVENT_WAKE,
        [ACTION_PREFLIGHT] = EVENT_PREFLIGHT_DONE,
        [ACTION_LOOK] = EVENT_LOOKED,
        [ACTION_REGENERATE] = EVENT_REGENERATED,
        [ACTION_POLL] = EVENT_POLLED,
        [ACTION_VERIFY_LIVE] = EVENT_VERIFIED,
        [ACTION_VERIFY_TARGET] = EVENT_VERIFIED,
        [ACTION_DELIVER] = EVENT_DELIVERED,
    };
    struct azure *azure = account->engine->parts.azure;
    struct azure_look_wish wish = {.correlation_id = rotation_correlation(account)};

    account->acting = transaction_new_completion(completions[action->kind]);
    account->acting_since = loop_now(account->engine->parts.loop);
    account->part_count = 0;
    if (is_refused(account, action)) {
        refuse(account, action);
        return;
    }
    switch (action->kind) {
    case ACTION_NONE:
        break;
    case ACTION_PREFLIGHT:
        probe_targets(account);
        break;
    case ACTION_LOOK:
        forget_seen_keys(account);
        wish.describe = action->describe;
        wish.urgent = action->urgent;
        wish.precedes_regenerate = account->record.position == POSITION_ROTATE_LOOK ||
                                   account->record.position == POSITION_DOUBT_LOOK;
        engine_whole_prepare(account);
        begin_call(account, azure_look(azure, &account->azure, &wish, on_azure_looked, account));
        break;
    case ACTION_REGENERATE:
        engine_whole_prepare(account);
        begin_call(account, azure_regenerate(azure, &account->azure, action->slot,
                                             wish.correlation_id, on_regenerated, account));
        break;
    case ACTION_POLL:
        poll(account, wish.correlation_id);
        break;
    case ACTION_VERIFY_LIVE:
        verify(account, live_key(account, action->slot, &action->key));
        break;
    case ACTION_VERIFY_TARGET:
        verify(account, seen_key(account, &action->key));
        break;
    case ACTION_DELIVER:
        deliver(account, action);
        break;
    }
}
