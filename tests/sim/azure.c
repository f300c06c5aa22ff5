/*
 * Azure: io/azure/azure.h over the truth. A request leaves, takes effect at Azure (or not), and is
 * answered (or not); the weather at the moment of its effect decides what the answer says.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "world.h"

enum {
    LATENCY_MIN_MS = 20,
    LATENCY_SPAN_MS = 380,
    SLOW_MS = 50 * 1000,
    LOST_AFTER_MS = 30 * 1000, /* until the daemon gives up on an answer */
    LATE_SPAN_MS = 60 * 1000,  /* how long Azure may work on what was given up */
    PAUSE_MS = 20 * 1000,      /* that a throttled client is asked to wait */
    NEW_KEY_LAG_MS = 60 * 1000,
    DEADLINE_MS = 60 * 1000 /* a process that was stopped sees expired deadlines before answers */
};

static duration_ms latency(struct world *world)
{
    return LATENCY_MIN_MS + world_draw(world, LATENCY_SPAN_MS);
}

/* --- failures --- */

static void fail(struct failure *failure, enum reason reason, int status, const char *text)
{
    *failure = (struct failure){.reason = reason, .http_status = status};
    str_copy(failure->text, sizeof(failure->text), text);
}

static bool is_lost(enum mishap mishap)
{
    return mishap == MISHAP_LOST_BEFORE || mishap == MISHAP_LOST_AFTER ||
           mishap == MISHAP_LOST_LATE;
}

/* What goes wrong before the request is looked at. */
static bool obstructed(const struct operation *operation, struct failure *failure)
{
    const struct world *world = operation->world;
    const struct world_account *account = operation->account;

    if (world->azure_down_until > world->now)
        fail(failure, REASON_NETWORK, 0, "no connection");
    else if (operation->mishap == MISHAP_TOKEN)
        fail(failure, REASON_TOKEN_FAILED, 401, "the token has expired");
    else if (operation->mishap == MISHAP_FAILS)
        fail(failure, REASON_AZURE_ERROR, 500, "internal error");
    else if (operation->mishap == MISHAP_THROTTLED || world->throttled_until > world->now)
        fail(failure, REASON_THROTTLED, 429, "too many requests");
    else if (operation->mishap == MISHAP_DENIED || account->denied_until > world->now)
        fail(failure, REASON_PERMISSION_DENIED, 403, "the principal lacks the permission");
    else if (account->gone_until > world->now)
        fail(failure, REASON_ACCOUNT_NOT_FOUND, 404, "there is no such account");
    else
        return false;
    if (failure->reason == REASON_THROTTLED)
        failure->retry_after = PAUSE_MS;
    return true;
}

/* --- answers --- */

static void take_description(const struct operation *operation)
{
    struct azure_account *subject = operation->subject;

    if (!operation->described)
        return;
    if (!subject->endpoint)
        subject->endpoint = str_dup("account.region.batch.example");
    if (!subject->location)
        subject->location = str_dup("region");
}

static void take_keys(struct operation *operation)
{
    struct azure_account *subject = operation->subject;

    azure_account_forget_keys(subject);
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        subject->keys[slot] = world_secret(operation->live[slot]);
        subject->fingerprints[slot] = world_fingerprint(operation->live[slot]);
    }
}

/* What it shows of the keys, or where to ask how it goes. */
static void answer_regenerate(const struct operation *operation, struct azure_result *result,
                              char url[WORLD_URL_MAX])
{
    const struct script_pace *pace = slow_pace(operation->world, operation->account);

    if (pace->takes > 0) {
        result->under_way = true;
        result->poll_after = pace->asks;
        slow_url(operation->number, url);
        result->operation_url = operation->mishap == MISHAP_UNNAMED ? NULL : url;
        return;
    }
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        result->shown[slot] = operation->shows[slot];
}

static void answer(struct operation *operation, bool canceled)
{
    /* With the longest pause that the daemon takes from a server. */
    static const struct failure no_description = {.reason = REASON_AZURE_ERROR,
                                                  .http_status = 503,
                                                  .retry_after = MS_DAY,
                                                  .text = "the account's description is missing"};
    struct world *world = operation->world;
    char url[WORLD_URL_MAX];
    struct azure_result result = {
        .failure = operation->failed ? &operation->failure : NULL,
        .described = operation->described,
        .canceled = canceled,
        .clock_skew = -world->wall_offset,
        .duration = world->now - operation->began,
    };

    for (int slot = 0; slot < SLOT_COUNT && !operation->failed; slot++)
        if (operation->effect != EFFECT_REGENERATE || operation->shows[slot])
            result.live[slot] = world_fingerprint(operation->live[slot]);
    for (int slot = 0; slot < SLOT_COUNT && !operation->failed; slot++)
        result.made[slot] = key_time_shown(operation, (enum slot)slot);
    if (operation->effect == EFFECT_REGENERATE && !operation->failed)
        answer_regenerate(operation, &result, url);
    if (operation->effect == EFFECT_POLL) {
        result.operation_state = operation->state;
        result.poll_after = slow_pace(world, operation->account)->asks;
    }
    if (!operation->failed && operation->describes && !operation->described)
        result.description = &no_description;
    if (!canceled || (operation->canceled && operation->effect == EFFECT_POLL))
        oracle_operation_ends(world, operation, operation->failed,
                              operation->failure.outcome_unknown);
    operation->call.azure(operation->context, &result);
}

static bool shows_keys(const struct operation *operation)
{
    const struct script_pace *pace = slow_pace(operation->world, operation->account);

    return operation->effect == EFFECT_LOOK ||
           (operation->effect == EFFECT_REGENERATE && pace->takes == 0 &&
            pace->answer == PACE_ANSWERS_BOTH);
}

static void complete(struct operation *operation, bool canceled)
{
    bool too_late = operation->world->now - operation->began > DEADLINE_MS;

    if (canceled || is_lost(operation->mishap) || too_late) {
        operation->failed = true;
        fail(&operation->failure, REASON_NETWORK, 0,
             canceled ? "canceled" : "the connection broke before the answer arrived");
        operation->failure.outcome_unknown = operation->effect == EFFECT_REGENERATE;
    }
    operation->described = operation->described && !operation->failed;
    if (!operation->failed && shows_keys(operation))
        take_keys(operation);
    take_description(operation);
    answer(operation, canceled);
}

static struct operation *begin(struct azure *azure, struct azure_account *subject,
                               enum effect effect, azure_done *done, void *context)
{
    struct world *world = (struct world *)(void *)azure;
    struct operation *operation =
        operation_begin(world, world_account_of(world, subject->account->name), effect);

    operation->call.azure = done;
    operation->done = (void *)operation;
    operation->context = context;
    operation->subject = subject;
    operation->complete = complete;
    return operation;
}

static struct azure_call *run(struct operation *operation)
{
    struct world *world = operation->world;
    duration_ms until_effect = latency(world);
    duration_ms until_answer = until_effect + latency(world);

    switch (operation->mishap) {
    case MISHAP_SLOW:
        until_answer += SLOW_MS;
        break;
    case MISHAP_LOST_BEFORE:
        until_effect = -1;
        until_answer = LOST_AFTER_MS;
        break;
    case MISHAP_LOST_AFTER:
        until_answer = LOST_AFTER_MS;
        break;
    case MISHAP_LOST_LATE:
        until_answer = LOST_AFTER_MS;
        until_effect = LOST_AFTER_MS + world_draw(world, LATE_SPAN_MS);
        break;
    default:
        break;
    }
    operation_run(operation, until_effect, until_answer);
    return (struct azure_call *)(void *)operation;
}

/* --- look --- */

static void show(struct operation *operation, time_ms at)
{
    if (operation->effect == EFFECT_LOOK)
        at -= slow_pace(operation->world, operation->account)->lag;
    world_live_at(operation->account, at, operation->live);
}

/* Did the daemon itself replace that slot's key last, so that its journal knows the old one as
 * dead? */
static bool is_known_to_be_past(const struct world_account *account)
{
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        struct fingerprint before = world_fingerprint(account->past[0].live[slot]);

        if (account->past[0].live[slot] != account->live[slot] && account->in_journal &&
            record_is_replaced(&account->journal, &before))
            return true;
    }
    return false;
}

/* The state before the last change. Answers are out of date by a minute at most: nobody could tell
 * an older one from the truth, unless it shows a key that the journal knows as replaced. */
static void show_the_past(struct operation *operation)
{
    const struct world_account *account = operation->account;
    time_ms now = operation->world->now;
    time_ms at = now;

    if (account->past_count > 0 &&
        (now - account->past[0].until < LATE_SPAN_MS || is_known_to_be_past(account)))
        at = account->past[0].until - 1;
    show(operation, at);
}

static void apply_look(struct operation *operation)
{
    struct world *world = operation->world;

    operation->failed = obstructed(operation, &operation->failure);
    if (!operation->failed && operation->account->keys_off_until > world->now) {
        operation->failed = true;
        fail(&operation->failure, REASON_SHARED_KEY_DISABLED, 200,
             "shared keys are switched off for this account");
    }
    operation->described = operation->describes && operation->mishap != MISHAP_UNDESCRIBED &&
                           operation->account->undescribed_until <= world->now;
    show(operation, world->now);
    /* Lists that lag show the past anyway. */
    if (operation->mishap == MISHAP_PAST && slow_pace(world, operation->account)->lag > 0)
        operation->mishap = MISHAP_NONE;
    if (operation->mishap == MISHAP_PAST)
        show_the_past(operation);
}

struct azure_call *azure_look(struct azure *azure, struct azure_account *account,
                              const struct azure_look_wish *wish, azure_done *done, void *context)
{
    struct operation *operation = begin(azure, account, EFFECT_LOOK, done, context);

    operation->describes = wish->describe || !account->endpoint;
    operation->apply = apply_look;
    operation_mishap(operation);
    return run(operation);
}

/* --- regenerate --- */

static void on_second_effect(struct happening *happening)
{
    struct operation *operation = container_of(happening, struct operation, takes_effect);

    /* Nobody asked for this one: to the daemon it is somebody else's. */
    world_regenerate(operation->world, operation->account, operation->slot, false);
    operation_release(operation);
}

static void apply_regenerate(struct operation *operation)
{
    struct world *world = operation->world;
    const struct script_pace *pace = slow_pace(world, operation->account);

    operation->failed = obstructed(operation, &operation->failure);
    if (operation->failed)
        return;
    if (slow_runs(world, operation->account)) {
        operation->failed = true;
        fail(&operation->failure, REASON_AZURE_ERROR, 409, "another operation is under way");
        return;
    }
    if (pace->takes > 0) {
        slow_begin(world, operation->account, operation);
        return;
    }
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        operation->shows[slot] =
            pace->answer == PACE_ANSWERS_BOTH ||
            (pace->answer == PACE_ANSWERS_ONE && (enum slot)slot == operation->slot);
    world_regenerate(world, operation->account, operation->slot, true);
    show(operation, world->now);
    if (operation->mishap == MISHAP_PAST)
        show_the_past(operation);
    if (operation->mishap == MISHAP_TWICE) {
        operation->takes_effect.happen = on_second_effect;
        clock_set(world, &operation->takes_effect, world->now + world_draw(world, LATE_SPAN_MS));
    }
}

struct azure_call *azure_regenerate(struct azure *azure, struct azure_account *account,
                                    enum slot slot, const char *correlation_id, azure_done *done,
                                    void *context)
{
    struct operation *operation = begin(azure, account, EFFECT_REGENERATE, done, context);

    (void)correlation_id;
    operation->slot = slot;
    operation->apply = apply_regenerate;
    operation_mishap(operation);
    trace_tell(operation->world, operation->account, "daemon", "asks azure to regenerate %s%s%s",
               slot_name(slot), operation->mishap != MISHAP_NONE ? ": " : "",
               operation->mishap != MISHAP_NONE ? mishap_name(operation->mishap) : "");
    return run(operation);
}

/* --- poll --- */

static void apply_poll(struct operation *operation)
{
    operation->failed = obstructed(operation, &operation->failure);
    operation->state = operation->mishap == MISHAP_FORGOTTEN
                           ? OPERATION_FORGOTTEN
                           : slow_state(operation->world, operation->account, operation->number);
}

static void complete_poll(struct operation *operation, bool canceled)
{
    static const struct failure ended_badly = {.reason = REASON_AZURE_ERROR,
                                               .text = "Azure says that the regenerate failed"};

    if (canceled || is_lost(operation->mishap) || operation->failed)
        operation->state = OPERATION_RUNNING;
    if (operation->state == OPERATION_FAILED) {
        operation->failed = true;
        operation->failure = ended_badly;
        answer(operation, canceled);
        return;
    }
    complete(operation, canceled);
}

struct azure_call *azure_poll(struct azure *azure, struct azure_account *account, const char *url,
                              const char *correlation_id, azure_done *done, void *context)
{
    struct operation *operation = begin(azure, account, EFFECT_POLL, done, context);

    (void)correlation_id;
    operation->number = slow_number(url);
    operation->apply = apply_poll;
    operation->complete = complete_poll;
    operation_mishap(operation);
    return run(operation);
}

void azure_cancel(struct azure_call *call)
{
    struct operation *operation = (struct operation *)(void *)call;

    operation->canceled = true;
    clock_set(operation->world, &operation->completes, operation->world->now);
}

/* --- verify --- */

static void apply_verify(struct operation *operation)
{
    const struct world *world = operation->world;
    const struct world_account *account = operation->account;
    bool accepted = false;

    for (int slot = 0; slot < SLOT_COUNT; slot++)
        if (account->live[slot] == operation->key)
            accepted = world->lag_until <= world->now ||
                       world->now - account->live_since[slot] >= NEW_KEY_LAG_MS;
    operation->failed = true;
    if (world->azure_down_until > world->now || world->data_down_until > world->now ||
        operation->mishap == MISHAP_FAILS)
        fail(&operation->failure, REASON_NETWORK, 0, "the data plane cannot be reached");
    else if (account->keys_off_until > world->now)
        fail(&operation->failure, REASON_SHARED_KEY_DISABLED, 403, "shared keys are switched off");
    else if (!accepted || operation->mishap == MISHAP_REFUSED)
        fail(&operation->failure, REASON_KEY_REFUSED, 403, "the key is not accepted");
    else
        operation->failed = false;
}

struct azure_call *azure_verify(struct azure *azure, struct azure_account *account,
                                const struct secret *key, azure_done *done, void *context)
{
    struct operation *operation = begin(azure, account, EFFECT_VERIFY, done, context);

    operation->key = world_key_of_secret(key);
    operation->apply = apply_verify;
    operation_mishap(operation);
    return run(operation);
}

/* --- the rest of io/azure/azure.h --- */

bool azure_is_throttled(struct azure *azure, const struct azure_account *account,
                        struct azure_pause *ret_pause)
{
    (void)azure;
    (void)account;
    *ret_pause = (struct azure_pause){0};
    return false;
}

bool azure_call_is_throttled(const struct azure_call *call, duration_ms *ret_wait)
{
    (void)call;
    (void)ret_wait;
    return false; /* a throttled request is answered here, and waits for nothing */
}

void azure_account_recall(struct azure_account *account, const char *endpoint, const char *location)
{
    if (!account->endpoint && endpoint[0])
        account->endpoint = str_dup(endpoint);
    if (!account->location && location[0])
        account->location = str_dup(location);
}

void azure_account_forget_keys(struct azure_account *account)
{
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        secret_clear(&account->keys[slot]);
}

void azure_account_done(struct azure_account *account)
{
    azure_account_forget_keys(account);
    free(account->endpoint);
    free(account->location);
    account->endpoint = NULL;
    account->location = NULL;
}
