/*
 * The targets: io/target/target.h over the truth. A destination's place names its account:
 * "/a3/t1". Targets whose index is odd name the cycle of what they hold, as some formats do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "world.h"

enum {
    LATENCY_MIN_MS = 2,
    LATENCY_SPAN_MS = 300,
    SLOW_MS = 50 * 1000,
    LOST_AFTER_MS = 30 * 1000,
    LATE_SPAN_MS = 60 * 1000,
    DEADLINE_MS = 60 * 1000,
    HANGS_MS = 24 * 60 * 60 * 1000, /* the longest `timeout` */
    THROTTLED_MS = 5 * 60 * 1000
};

static void locate(const struct destination *destination, unsigned *ret_account,
                   unsigned *ret_target)
{
    char *rest;

    *ret_account = (unsigned)strtoul(destination->place + 2, &rest, 10) - 1;
    *ret_target = (unsigned)strtoul(rest + 2, NULL, 10);
}

struct target_id world_target_id(unsigned account, unsigned target)
{
    struct target_id id = {{0}};

    memcpy(id.bytes, "target", 6);
    id.bytes[6] = (uint8_t)(account + 1);
    id.bytes[7] = (uint8_t)(target + 1);
    return id;
}

struct target_id target_identify(const struct destination *destination)
{
    unsigned account, target;

    locate(destination, &account, &target);
    return world_target_id(account, target);
}

void target_describe(const struct destination *destination, const char *location, char *out,
                     size_t size)
{
    (void)location;
    str_copy(out, size, destination->name);
}

static const struct script_target *settings_of(const struct destination *destination)
{
    return destination->settings;
}

bool target_is_readable(const struct destination *destination)
{
    return settings_of(destination)->readable;
}

bool target_settles_at_once(const struct destination *destination)
{
    return settings_of(destination)->settles_at_once;
}

/* --- operations --- */

static struct world_target *place_of(const struct operation *operation)
{
    return &operation->account->targets[operation->target];
}

static void fail(struct operation *operation, enum reason reason, const char *text)
{
    operation->failed = true;
    operation->failure = (struct failure){.reason = reason};
    str_copy(operation->failure.text, sizeof(operation->failure.text), text);
}

static void sight(const struct operation *operation, struct target_result *result)
{
    const struct world_target *place = place_of(operation);
    struct sighting *sighting = &result->sighting;

    sighting->target = place->id;
    if (operation->key == KEY_NONE) {
        sighting->kind = SIGHTING_EMPTY;
        return;
    }
    if (operation->key == KEY_GIBBERISH) {
        sighting->kind = SIGHTING_FOREIGN;
        return;
    }
    sighting->kind = SIGHTING_KEYS;
    sighting->keys[0] = world_fingerprint(operation->key);
    sighting->key_count = 1;
    sighting->cycle = operation->cycle;
    result->keys[0] = world_secret(operation->key);
}

static void complete(struct operation *operation, bool canceled)
{
    struct target_result result = {.canceled = canceled, .changed = operation->changed};

    /* A process that was stopped sees expired deadlines before answers. */
    if (canceled ||
        (!operation->given_up && operation->world->now - operation->began > DEADLINE_MS)) {
        fail(operation, REASON_TARGET_FAILED, canceled ? "canceled" : "it takes too long");
        operation->failure.outcome_unknown = operation->effect == EFFECT_DELIVER;
    }
    if (operation->failed)
        result.failure = &operation->failure;
    else if (operation->effect == EFFECT_READ)
        sight(operation, &result);
    if (!canceled)
        oracle_operation_ends(operation->world, operation, operation->failed,
                              operation->failure.outcome_unknown);
    operation->call.target(operation->context, &result);
    for (size_t i = 0; i < SIGHTING_KEYS_MAX; i++)
        secret_free(result.keys[i]);
}

static struct operation *begin(struct target_world *target_world,
                               const struct destination *destination, enum effect effect,
                               target_done *done, void *context)
{
    struct world *world = loop_world(target_world->loop);
    struct operation *operation;
    unsigned account, target;

    locate(destination, &account, &target);
    operation = operation_begin(world, &world->accounts[account], effect);
    operation->target = target;
    operation->call.target = done;
    operation->done = (void *)operation;
    operation->context = context;
    operation->complete = complete;
    operation_mishap(operation);
    return operation;
}

static duration_ms latency(struct world *world)
{
    return LATENCY_MIN_MS + world_draw(world, LATENCY_SPAN_MS);
}

static bool is_out_of_order(const struct operation *operation)
{
    return place_of(operation)->fails_until > operation->world->now ||
           operation->mishap == MISHAP_FAILS;
}

/* Does the server behind the target refuse the operation? Then it has no effect. */
static bool is_refused(struct operation *operation)
{
    if (operation->mishap == MISHAP_DENIED) {
        fail(operation, REASON_TARGET_DENIED, "permission denied");
    } else if (operation->mishap == MISHAP_THROTTLED) {
        fail(operation, REASON_TARGET_FAILED, "too many requests");
        operation->failure.retry_after = THROTTLED_MS;
    }
    return operation->failed;
}

static void apply_probe(struct operation *operation)
{
    if (!is_refused(operation) && is_out_of_order(operation))
        fail(operation, REASON_TARGET_FAILED, "it cannot be written");
}

static void apply_read(struct operation *operation)
{
    const struct world_target *place = place_of(operation);

    operation->key = place->past[0].key;
    operation->cycle = operation->target % 2 == 1 ? place->cycle : 0;
    if (!is_refused(operation) && is_out_of_order(operation))
        fail(operation, REASON_TARGET_FAILED, "it cannot be read");
}

static void run_briefly(struct operation *operation)
{
    duration_ms until_effect = latency(operation->world);

    operation_run(operation, until_effect, until_effect + 1);
}

/* What is under way at the daemon. */
static struct target_job *job_of(struct operation *operation)
{
    return (struct target_job *)operation;
}

struct target_job *target_probe(struct target_world *world, const struct destination *destination,
                                const char *location, target_done *done, void *context)
{
    struct operation *operation = begin(world, destination, EFFECT_PROBE, done, context);

    (void)location;
    operation->apply = apply_probe;
    run_briefly(operation);
    return job_of(operation);
}

struct target_job *target_read(struct target_world *world, const struct destination *destination,
                               const char *location, bool set_form, target_done *done,
                               void *context)
{
    struct operation *operation = begin(world, destination, EFFECT_READ, done, context);

    (void)location;
    (void)set_form;
    operation->apply = apply_read;
    run_briefly(operation);
    return job_of(operation);
}

/* --- deliver --- */

static void apply_deliver(struct operation *operation)
{
    struct world *world = operation->world;
    struct world_target *place = place_of(operation);

    if (is_refused(operation))
        return;
    if (operation->mishap == MISHAP_NOT_YET) {
        fail(operation, REASON_NOT_YET, "not yet");
    } else if (is_out_of_order(operation)) {
        fail(operation, REASON_TARGET_FAILED, "it cannot be written");
    } else {
        operation->changed = place->past[0].key != operation->key;
        if (place->lies_until <= world->now)
            world_write_target(world, operation->account, operation->target, operation->key,
                               operation->cycle, true);
        if (operation->mishap == MISHAP_CONFLICT)
            fail(operation, REASON_TARGET_FAILED, "it has changed meanwhile");
    }
}

static void lose_answer(struct operation *operation)
{
    fail(operation, REASON_TARGET_FAILED, "the outcome is unknown");
    operation->failure.outcome_unknown = true;
}

/* The effect comes without an answer; the daemon was told before that the outcome is unknown. */
static void apply_unanswered(struct operation *operation)
{
    struct world_target *place = place_of(operation);

    if (place->fails_until <= operation->world->now)
        world_write_target(operation->world, operation->account, operation->target, operation->key,
                           operation->cycle, true);
}

/* Nobody is notified in these worlds. */
void target_tell(struct target_world *world, const struct destination *destination,
                 const struct target_news *news, target_done *done, void *context)
{
    (void)world;
    (void)destination;
    (void)news;
    (void)done;
    (void)context;
    abort();
}

struct target_job *target_deliver(struct target_world *target_world,
                                  const struct destination *destination,
                                  const struct delivery *delivery, target_done *done, void *context)
{
    struct operation *operation = begin(target_world, destination, EFFECT_DELIVER, done, context);
    struct world *world = operation->world;
    duration_ms until_effect = latency(world);
    duration_ms until_answer = until_effect + latency(world);

    operation->key = world_key_of_secret(delivery->key);
    operation->cycle = delivery->cycle;
    operation->slot = delivery->slot;
    operation->apply = apply_deliver;
    switch (operation->mishap) {
    case MISHAP_SLOW:
        until_answer += SLOW_MS;
        break;
    case MISHAP_LOST_BEFORE:
        lose_answer(operation);
        until_effect = -1;
        until_answer = LOST_AFTER_MS;
        break;
    case MISHAP_LOST_LATE:
    case MISHAP_LOST_AFTER:
        lose_answer(operation);
        operation->apply = apply_unanswered;
        until_answer = LOST_AFTER_MS;
        if (operation->mishap == MISHAP_LOST_LATE && !place_of(operation)->settings.settles_at_once)
            until_effect = LOST_AFTER_MS + world_draw(world, LATE_SPAN_MS);
        break;
    case MISHAP_HANGS:
        lose_answer(operation);
        until_effect = -1;
        until_answer = HANGS_MS;
        break;
    default:
        break;
    }
    operation_run(operation, until_effect, until_answer);
    return job_of(operation);
}

/* What was to change the target may do so a little later, unless it ends with the daemon's part. */
static void cut_short(struct operation *operation)
{
    struct world *world = operation->world;
    const bool settles = place_of(operation)->settings.settles_at_once;
    duration_ms late;

    if (operation->effect != EFFECT_DELIVER || settles) {
        clock_cancel(world, &operation->takes_effect);
        return;
    }
    operation->apply = apply_unanswered;
    if (operation->mishap != MISHAP_HANGS)
        return;
    late = world_draw(world, 2 * LATE_SPAN_MS);
    if (late < LATE_SPAN_MS)
        clock_set(world, &operation->takes_effect, world->now + 1 + late);
}

void target_give_up(struct target_job *job, const char *why)
{
    struct operation *operation = (struct operation *)job;
    struct world *world = operation->world;

    if (operation->given_up || world->dying)
        return;
    operation->given_up = true;
    cut_short(operation);
    fail(operation, REASON_TARGET_FAILED, why);
    operation->failure.outcome_unknown = operation->effect == EFFECT_DELIVER;
    clock_set(world, &operation->completes, world->now);
}

/* --- the rest of io/target/target.h --- */

void target_cancel_all(struct target_world *world)
{
    (void)world;
}

bool target_is_busy(const struct target_world *world)
{
    (void)world;
    return false;
}

void target_world_done(struct target_world *world)
{
    (void)world;
}
