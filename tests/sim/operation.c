/*
 * What the daemon asked of the world: first under way, then in effect, then answered. Effect and
 * answer are two happenings, so that one can come without the other.
 */
#include <stdlib.h>

#include "world.h"

/* Its outcome: the mishap that the script armed for this effect, if any. */
static enum mishap take_mishap(struct world *world, struct world_account *account,
                               enum effect effect)
{
    enum mishap mishap = account->mishaps[effect].mishap;

    if (account->mishaps[effect].times == 0)
        return MISHAP_NONE;
    account->mishaps[effect].times--;
    world->counts.mishaps++;
    return mishap;
}

static bool is_waited_for(const struct operation *operation)
{
    return !!operation->done;
}

/* A delivery of unknown outcome that may still land keeps its target unsettled. */
static void note_late_write(struct operation *operation, int by)
{
    struct world_target *target = &operation->account->targets[operation->target];

    if (operation->effect == EFFECT_DELIVER)
        target->late_writes = (unsigned)((int)target->late_writes + by);
}

void operation_release(struct operation *operation)
{
    if (is_waited_for(operation) || operation->takes_effect.place != 0)
        return;
    list_remove(&operation->link);
    free(operation);
}

static void on_effect(struct happening *happening)
{
    struct operation *operation = container_of(happening, struct operation, takes_effect);
    struct world *world = operation->world;

    if (!is_waited_for(operation))
        note_late_write(operation, -1);
    operation->apply(operation);
    operation->took_effect = true;
    if (is_waited_for(operation) && !world->dying)
        daemon_trap(world, operation->account, operation->effect, CRASH_DURING);
    operation_release(operation);
}

static void on_answer(struct happening *happening)
{
    struct operation *operation = container_of(happening, struct operation, completes);
    struct world *world = operation->world;
    struct world_account *account = operation->account;
    enum effect effect = operation->effect;

    operation->complete(operation, operation->canceled);
    operation->done = NULL;
    if (operation->takes_effect.place != 0)
        note_late_write(operation, +1);
    operation_release(operation);
    if (world->dying)
        return;
    clock_run_deferred(world); /* the daemon takes the answer in */
    daemon_trap(world, account, effect, CRASH_AFTER);
}

struct operation *operation_begin(struct world *world, struct world_account *account,
                                  enum effect effect)
{
    struct operation *operation = calloc(1, sizeof(*operation));

    if (!operation)
        abort();
    if (world->calls_daemon)
        oracle_convict(world, ORACLE_SOUND, account, "begins something inside a call, not later");
    *operation = (struct operation){
        .world = world,
        .account = account,
        .effect = effect,
        .began = world->now,
        .takes_effect = {.happen = on_effect},
        .completes = {.happen = on_answer, .for_daemon = true},
    };
    list_init(&operation->link);
    list_append(&world->operations, &operation->link);
    return operation;
}

void operation_run(struct operation *operation, duration_ms until_effect, duration_ms until_answer)
{
    struct world *world = operation->world;

    if (!world->dying)
        daemon_trap(world, operation->account, operation->effect, CRASH_BEFORE);
    if (world->dying)
        return; /* operation_cancel_all() completes it */
    oracle_operation_begins(world, operation);
    if (until_effect >= 0)
        clock_set(world, &operation->takes_effect, world->now + until_effect);
    clock_set(world, &operation->completes, world->now + until_answer);
}

enum mishap operation_mishap(struct operation *operation)
{
    struct world *world = operation->world;

    if (!world->dying)
        operation->mishap = take_mishap(world, operation->account, operation->effect);
    return operation->mishap;
}

/* The effects of a dead process: it writes no files, but its requests to other machines arrive. */
static bool dies_with_daemon(const struct operation *operation)
{
    return operation->effect == EFFECT_READ || operation->effect == EFFECT_PROBE ||
           (operation->effect == EFFECT_DELIVER &&
            operation->account->targets[operation->target].settings.settles_at_once);
}

void operation_cancel_all(struct world *world)
{
    struct list taken;
    struct list *link;

    list_init(&taken);
    while ((link = list_pop(&world->operations)))
        list_append(&taken, link);
    while ((link = list_pop(&taken))) {
        struct operation *operation = container_of(link, struct operation, link);

        list_append(&world->operations, &operation->link);
        clock_cancel(world, &operation->completes);
        if (is_waited_for(operation)) {
            operation->complete(operation, true);
            operation->done = NULL;
            if (dies_with_daemon(operation))
                clock_cancel(world, &operation->takes_effect);
            if (operation->takes_effect.place != 0)
                note_late_write(operation, +1);
        }
        operation_release(operation);
    }
}

void operation_end_hanging(struct world *world, duration_ms grace)
{
    list_for_each (link, &world->operations) {
        struct operation *operation = container_of(link, struct operation, link);

        if (!is_waited_for(operation) || operation->mishap != MISHAP_HANGS)
            continue;
        operation->canceled = true;
        clock_set(world, &operation->completes, world->now + grace);
    }
}

void operation_free_all(struct world *world)
{
    struct list *link;

    while ((link = list_pop(&world->operations))) {
        struct operation *operation = container_of(link, struct operation, link);

        clock_cancel(world, &operation->takes_effect);
        clock_cancel(world, &operation->completes);
        free(operation);
    }
}

bool operation_is_waited_for(const struct world *world)
{
    list_for_each (link, &world->operations)
        if (is_waited_for(container_of(link, struct operation, link)))
            return true;
    return false;
}
