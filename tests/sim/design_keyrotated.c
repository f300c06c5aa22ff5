/*
 * keyrotated itself, as a process of the simulated world: the engine, and discovery where there are
 * rules, as daemon/app drives them.
 */
#include <stdlib.h>
#include <string.h>

#include "app/discovery.h"
#include "app/engine_private.h"
#include "app/engine.h"
#include "core/key_time.h"
#include "design.h"
#include "world.h"

struct process {
    struct engine *engine;
    struct discovery_client *discovery; /* NULL: the world has no rules */
    struct world *world;
    bool stops;
};

/* The engine is never called back from inside a call to it. */
static void begin_call(const struct process *process)
{
    process->world->calls_daemon = true;
}

static void end_call(const struct process *process)
{
    process->world->calls_daemon = false;
}

/* --- accounts that rules find --- */

static struct config *expand(const struct process *process, struct config *config)
{
    struct err err = {0};

    if (!process->discovery)
        return config_ref(config);
    config = discovery_expand(process->discovery, config, &err);
    if (!config)
        abort();
    return config;
}

static void apply_found(void *context, struct config *config,
                        const struct engine_farewell *farewells, size_t count)
{
    struct process *process = context;

    if (process->stops)
        return;
    world_in_force(process->world, config, FORCE_FOUND);
    engine_expect_farewells(process->engine, farewells, count);
    engine_configure(process->engine, config, NULL);
}

static struct discovery_client *find_accounts(struct process *process,
                                              const struct design_parts *parts)
{
    const struct discovery_client_parts client_parts = {
        .get = {.loop = parts->loop},
        .log = parts->log,
        .store = parts->store,
        .apply = apply_found,
        .context = process,
    };
    struct discovery_client *client = discovery_new(&client_parts);
    struct err err = {0};

    if (discovery_load(client, &err) != 0)
        abort();
    return client;
}

/* --- its life --- */

static void take_config(struct process *process, struct config *config)
{
    engine_configure(process->engine, config, NULL);
    if (process->discovery)
        discovery_configure(process->discovery, config);
}

static void *start(const struct design_parts *parts)
{
    struct engine_parts engine_parts = {
        .loop = parts->loop,
        .log = parts->log,
        .store = parts->store,
        .azure = parts->azure,
        .faulted = parts->faulted,
        .context = parts->context,
    };
    struct process *process = calloc(1, sizeof(*process));
    struct config *config;
    struct err err = {0};

    if (!process)
        abort();
    process->world = loop_world(parts->loop);
    process->engine = engine_new(&engine_parts);
    if (engine_load(process->engine, &err) != 0)
        abort();
    if (world_has_rules(process->world))
        process->discovery = find_accounts(process, parts);
    config = expand(process, parts->config);
    begin_call(process);
    take_config(process, config);
    end_call(process);
    config_unref(config);
    return process;
}

static void configure(void *daemon, struct config *config)
{
    struct process *process = daemon;
    struct config *expanded = expand(process, config);

    if (process->discovery)
        world_in_force(process->world, expanded, FORCE_RELOAD);
    begin_call(process);
    take_config(process, expanded);
    end_call(process);
    config_unref(expanded);
}

static void clock_jumped(void *daemon, duration_ms jump)
{
    struct process *process = daemon;

    begin_call(process);
    engine_clock_jumped(process->engine, jump);
    if (process->discovery)
        discovery_clock_jumped(process->discovery, jump);
    end_call(process);
}

static void command(void *daemon, const struct control_command *command,
                    struct control_request *request)
{
    struct process *process = daemon;

    begin_call(process);
    engine_command(process->engine, command, request);
    end_call(process);
}

/* An engine that found a fault stops; the real daemon then exits without freeing it. */
static void revive(struct engine *engine)
{
    if (!engine->faulted)
        return;
    engine->faulted = false;
    for (size_t i = 0; i < engine->account_count; i++)
        engine_account_make_ready(engine->accounts[i]);
}

/* A process that is killed while it stops is told to stop once more. */
static void stop(void *daemon, void (*stopped)(void *context), void *context)
{
    struct process *process = daemon;

    begin_call(process);
    if (process->discovery && !process->stops)
        discovery_stop(process->discovery);
    process->stops = true;
    engine_stop(process->engine, stopped, context);
    end_call(process);
    revive(process->engine);
}

static void free_process(void *daemon)
{
    struct process *process = daemon;

    engine_free(process->engine);
    discovery_free(process->discovery);
    free(process);
}

/* --- what oracles ask --- */

static const struct engine_account *find(const void *daemon, const char *name)
{
    const struct engine *engine = ((const struct process *)daemon)->engine;

    for (size_t i = 0; i < engine->account_count; i++)
        if (strcmp(engine->accounts[i]->account->name, name) == 0)
            return engine->accounts[i];
    return NULL;
}

static bool holds_key(const void *daemon, const char *account_name)
{
    const struct engine_account *account = find(daemon, account_name);

    return account && (account->azure.keys[SLOT_PRIMARY] || account->azure.keys[SLOT_SECONDARY] ||
                       !list_empty(&account->seen_keys));
}

static bool rests(const void *daemon, const char *account_name, time_ms *ret_wake_at)
{
    const struct engine_account *account = find(daemon, account_name);

    *ret_wake_at = account ? account->timer.at : TIME_NEVER;
    return account && !account->waits && engine_account_is_quiet(account);
}

/* Counts accounts one by one. A requested rotation is planned for "now", which has no fixed
 * instant. */
static void recount(const struct engine_account *account, time_ms now, struct engine_totals *totals)
{
    struct rotation_context context;
    struct rotation_view view;
    bool older;

    engine_account_context(account, &context);
    rotation_view(&context, &account->record, now, &view);
    totals->by_state[view.state]++;
    totals->overdue += view.overdue;
    totals->at_risk += view.consumers_at_risk;
    if (view.state == STATE_BLOCKED || view.state == STATE_RETRYING || view.overdue ||
        view.consumers_at_risk || (view.state == STATE_HELD && view.reason == REASON_OPERATOR))
        totals->unwell++;
    if (!view.stuck)
        totals->next_at = time_min(totals->next_at, view.next_at > now ? view.next_at : now);
    for (int slot = 0; slot < SLOT_COUNT && account->record.adopted; slot++) {
        const time_ms born = key_time_born(&account->record, (enum slot)slot, &older);

        if (born != 0)
            totals->oldest_key_born = time_min(totals->oldest_key_born, born);
    }
}

static const char *miscounts(const void *daemon)
{
    const struct engine *engine = ((const struct process *)daemon)->engine;
    const time_ms now = loop_now(engine->parts.loop);
    struct engine_totals true_totals = {.oldest_key_born = TIME_NEVER, .next_at = TIME_NEVER};
    struct engine_totals totals;

    engine_totals(engine, &totals);
    for (size_t i = 0; i < engine->account_count; i++)
        recount(engine->accounts[i], now, &true_totals);
    if (memcmp(totals.by_state, true_totals.by_state, sizeof(totals.by_state)) != 0)
        return "accounts in a state";
    if (totals.overdue != true_totals.overdue)
        return "overdue accounts";
    if (totals.at_risk != true_totals.at_risk)
        return "accounts with consumers at risk";
    if (totals.unwell != true_totals.unwell)
        return "accounts that are not well";
    if (totals.oldest_key_born != true_totals.oldest_key_born)
        return "the oldest key";
    if ((totals.next_at > now ? totals.next_at : now) != true_totals.next_at)
        return "the next rotation";
    return NULL;
}

const struct design design_keyrotated = {
    .name = "keyrotated",
    .summary = "looks first, one slot at a time, and keeps the other for the overlap",
    .start = start,
    .configure = configure,
    .clock_jumped = clock_jumped,
    .command = command,
    .stop = stop,
    .free = free_process,
    .finds = true,
    .polls = true,
    .holds_key = holds_key,
    .rests = rests,
    .miscounts = miscounts,
};
