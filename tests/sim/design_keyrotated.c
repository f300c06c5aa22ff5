/*
 * keyrotated itself, as a process of the simulated world: the engine, as daemon/app/daemon.c drives
 * it.
 */
#include <string.h>

#include "app/engine_private.h"
#include "app/engine.h"
#include "design.h"
#include "world.h"

/* The engine is never called back from inside a call to it. */
static void begin_call(const struct engine *engine)
{
    loop_world(engine->parts.loop)->calls_daemon = true;
}

static void end_call(const struct engine *engine)
{
    loop_world(engine->parts.loop)->calls_daemon = false;
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
    struct engine *engine = engine_new(&engine_parts);
    struct err err = {0};

    if (!engine || engine_load(engine, &err) != 0)
        return NULL;
    begin_call(engine);
    engine_configure(engine, parts->config, NULL);
    end_call(engine);
    return engine;
}

static void configure(void *daemon, struct config *config)
{
    begin_call(daemon);
    engine_configure(daemon, config, NULL);
    end_call(daemon);
}

static void clock_jumped(void *daemon, duration_ms jump)
{
    begin_call(daemon);
    engine_clock_jumped(daemon, jump);
    end_call(daemon);
}

static void command(void *daemon, const struct control_command *command,
                    struct control_request *request)
{
    begin_call(daemon);
    engine_command(daemon, command, request);
    end_call(daemon);
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

static void stop(void *daemon, void (*stopped)(void *context), void *context)
{
    begin_call(daemon);
    engine_stop(daemon, stopped, context);
    end_call(daemon);
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

/* Counts accounts one by one. A requested rotation is planned for "now", which has no fixed
 * instant. */
static void recount(const struct engine_account *account, time_ms now, struct engine_totals *totals)
{
    struct rotation_context context;
    struct rotation_view view;

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
    for (int slot = 0; slot < SLOT_COUNT && account->record.adopted; slot++)
        if (account->record.born[slot] != 0)
            totals->oldest_key_born = time_min(totals->oldest_key_born, account->record.born[slot]);
}

static const char *miscounts(const void *daemon)
{
    const struct engine *engine = daemon;
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
    .free = free_engine,
    .holds_key = holds_key,
    .rests = rests,
    .miscounts = miscounts,
};
