/*
 * keyrotated itself, as a process of the simulated world: the engine, as daemon/app/daemon.c drives
 * it.
 */
#include <string.h>

#include "app/engine.h"
#include "app/engine_account.h"
#include "app/engine_command.h"
#include "design.h"

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
    struct engine *engine = engine_new(&engine_parts);
    struct err err = {0};

    if (!engine || engine_load(engine, &err) != 0)
        return NULL;
    engine_configure(engine, parts->config, NULL);
    return engine;
}

static void configure(void *daemon, struct config *config)
{
    engine_configure(daemon, config, NULL);
}

static void clock_jumped(void *daemon, duration_ms jump)
{
    engine_clock_jumped(daemon, jump);
}

static void command(void *daemon, const struct control_command *command,
                    struct control_request *request)
{
    engine_command(daemon, command, request);
}

/* An engine that found a fault stands still; the real daemon leaves then, without taking it apart.
 */
static void revive(struct engine *engine)
{
    if (!engine->faulted)
        return;
    engine->faulted = false;
    for (size_t i = 0; i < engine->account_count; i++)
        engine_account_make_ready(engine->accounts[i]);
}

static void stop(void *daemon, void (*stopped)(void *context), void *context)
{
    engine_stop(daemon, stopped, context);
    revive(daemon);
}

static void free_engine(void *daemon)
{
    engine_free(daemon);
}

static const struct engine_account *find(const struct engine *engine, const char *name)
{
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

const struct design design_keyrotated = {
    .name = "keyrotated",
    .summary = "looks first, one slot at a time, and keeps the other for the overlap",
    .start = start,
    .configure = configure,
    .clock_jumped = clock_jumped,
    .command = command,
    .stop = stop,
    .free = free_engine,
    .holds_key = holds_key,
    .rests = rests,
};
