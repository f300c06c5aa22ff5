/*
 * The daemon's process: started, crashed, stopped, reconfigured, spoken to.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/engine_private.h"
#include "conf/arena.h"
#include "design.h"
#include "world.h"

enum { CONFIG_MAX = 64 * 1024, BURIAL_ROUNDS_MAX = 10000 };

static const struct identity identity = {.name = "vm"};

/* --- its configuration --- */

static void add_destinations(struct arena *arena, const struct world *world,
                             const struct world_account *from, struct account *to)
{
    struct destination *destinations =
        arena_alloc_array(arena, WORLD_TARGETS_MAX, sizeof(*destinations));

    to->destinations = destinations;
    const struct destination *owner = NULL;

    for (unsigned i = 0; i < world->script->target_count; i++) {
        const struct world_target *target = &from->targets[i];

        if (!target->settings.hook)
            owner = target->configured ? &destinations[to->destination_count] : NULL;
        if (!target->configured)
            continue;
        destinations[to->destination_count++] = (struct destination){
            .name = target->settings.name,
            .required = target->required,
            .place = arena_format(arena, "/a%u/t%u", from->index + 1, i),
            .settings = &target->settings,
            .after = target->settings.hook ? owner : NULL,
            .without_key = target->settings.hook,
        };
    }
}

static struct config *make_config(const struct world *world)
{
    struct arena *arena = arena_new(CONFIG_MAX);
    struct config *config = arena_alloc(arena, sizeof(*config));
    struct account *accounts = arena_alloc_array(arena, WORLD_ACCOUNTS_MAX, sizeof(*accounts));
    struct policy *policy = arena_alloc(arena, sizeof(*policy));
    struct window *window = arena_alloc(arena, sizeof(*window));
    struct freeze *freeze = arena_alloc(arena, sizeof(*freeze));

    *policy = world->policy;
    *window = world->window;
    if (policy->window_count > 0)
        policy->windows = window;
    *freeze = world->freeze;
    policy->freezes = freeze;
    *config = (struct config){.references = 1,
                              .path = "simulated",
                              .timing = world->timing,
                              .accounts = accounts,
                              .arena = arena};
    for (unsigned i = 0; i < world->account_count; i++) {
        const struct world_account *from = &world->accounts[i];
        struct account *to = &accounts[config->account_count];

        if (!from->configured)
            continue;
        config->account_count++;
        *to = (struct account){
            .id = arena_dup(arena, from->id),
            .key = arena_dup(arena, from->id),
            .name = arena_dup(arena, from->name),
            .resource_group = "group",
            .subscription_id = "subscription",
            .has_adopt_active = world->script->has_adopt_active,
            .adopt_active = world->script->active,
            .rule = world->script->presumed ? "rule" : NULL,
            .presumes_active = world->script->presumed,
            .identity = &identity,
            .policy_name = "simulated",
            .policy = policy,
        };
        add_destinations(arena, world, from, to);
    }
    return config;
}

/* Of conf/config.h: this world has no loader of files. */
struct config *config_ref(struct config *config)
{
    if (config)
        config->references++;
    return config;
}

void config_unref(struct config *config)
{
    if (config && --config->references == 0)
        arena_free(config->arena);
}

static void note_care(struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        for (unsigned j = 0; j < world->script->target_count; j++) {
            struct world_account *account = &world->accounts[i];
            struct world_target *target = &account->targets[j];
            bool cared = account->configured && target->configured && target->required;

            if (!cared)
                target->cared_since = TIME_NEVER;
            else if (target->cared_since == TIME_NEVER)
                target->cared_since = world->now;
        }
    }
}

void daemon_reconfigure(struct world *world)
{
    struct config *before = world->config;

    world->config = make_config(world);
    note_care(world);
    oracle_reconfigured(world);
    if (world->daemon && !world->stopping)
        world->design->configure(world->daemon, world->config);
    config_unref(before);
}

/* --- its life --- */

static void on_fault(void *context, const char *what)
{
    struct world *world = context;

    if (world->dying)
        return;
    oracle_convict(world, ORACLE_SOUND, NULL, "a fault: %s", what);
    daemon_crash(world, MS_MINUTE);
}

void daemon_start(struct world *world)
{
    struct design_parts parts = {
        .loop = world_loop(world),
        .log = &world->log,
        .store = world->store,
        .azure = (struct azure *)(void *)world,
        .faulted = on_fault,
        .context = world,
        .config = world->config,
    };

    trace_tell(world, NULL, "daemon", "starts");
    world->started_at = world->now;
    oracle_daemon_starts(world);
    world->daemon = world->design->start(&parts);
}

static void on_start(struct happening *happening)
{
    struct world *world = container_of(happening, struct world, start);

    if (!world->daemon)
        daemon_start(world);
}

void daemon_crash(struct world *world, duration_ms away)
{
    if (!world->daemon || world->dying)
        return;
    world->counts.crashes++;
    world->dying = true;
    world->away = away;
    trace_tell(world, NULL, "daemon", "is killed");
}

static void on_stopped(void *context)
{
    struct world *world = context;

    world->stopped = true;
}

void daemon_stop(struct world *world, duration_ms away)
{
    if (!world->daemon || world->dying || world->stopping)
        return;
    world->stopping = true;
    world->stopping_since = world->now;
    world->away = away;
    trace_tell(world, NULL, "daemon", "is told to stop");
    world->design->stop(world->daemon, on_stopped, world);
}

static void edit_journal(struct world *world)
{
    if (world->restore_journal)
        disk_restore(world);
    if (world->erase_journal)
        disk_erase(world);
    world->restore_journal = false;
    world->erase_journal = false;
}

/* The dead process is freed by its own shutdown, which reaches nothing any more. */
static void take_apart(struct world *world)
{
    disk_crash(world);
    world->design->stop(world->daemon, on_stopped, world);
    operation_cancel_all(world);
    for (unsigned round = 0; !world->stopped && round < BURIAL_ROUNDS_MAX; round++) {
        while (disk_release(world))
            ;
        clock_run_deferred(world);
    }
}

void daemon_bury(struct world *world)
{
    void *daemon = world->daemon;

    world->daemon = NULL;
    /* Killed at the moment at which it had stopped: there is nothing to free. */
    if (world->dying && !world->stopped) {
        world->daemon = daemon;
        take_apart(world);
        world->daemon = NULL;
    }
    if (world->dying)
        disk_crash(world);
    disk_close(world);
    world->design->free(daemon);
    oracle_daemon_ends(world);
    world->dying = false;
    world->stopping = false;
    world->stopped = false;
    world->frozen_until = 0;
    edit_journal(world);
    clock_set(world, &world->start, world->now + world->away);
    world->start.happen = on_start;
}

void daemon_trap(struct world *world, struct world_account *account, enum effect effect,
                 enum crash_moment moment)
{
    if (!world->trap.armed || !world->daemon || world->trap.effect != effect ||
        world->trap.moment != moment ||
        (world->trap.account != ALL_ACCOUNTS && world->trap.account != account->index))
        return;
    world->trap.armed = false;
    daemon_crash(world, world->trap.away);
}

/* --- what people tell it --- */

/* Where answers to commands go: one at a time, without a client that waits. */
struct control_request {
    struct world *world;
    struct world_account *account; /* NULL: it is about all, or about a hold */
    enum script_command command;
};

static void tell_oracle(const struct control_request *request, const struct control_answer *answer)
{
    struct world *world = request->world;

    if (request->command == SCRIPT_HOLD && answer->hold_count > 0)
        oracle_held(world, request->account, answer->holds[0].id, answer->holds[0].until);
    for (unsigned i = 0; i < world->account_count; i++)
        if (request->account ? request->account == &world->accounts[i]
                             : world->accounts[i].configured)
            oracle_command_answered(world, &world->accounts[i], request->command,
                                    answer->outcome == CONTROL_REFUSED);
}

void control_answer(struct control_request *request, const struct control_answer *answer)
{
    if (!request->world->dying) {
        trace_tell(request->world, request->account, "daemon", "answers: %s: %s",
                   control_outcome_name(answer->outcome), answer->message);
        tell_oracle(request, answer);
    }
    free(request);
}

/* Without the parts that know Azure's wire and key bytes: neither exists in this world. */
void engine_remedy_expand(const struct engine_account *account, const char *typed, const char *text,
                          char *out, size_t size)
{
    remedy_expand(text, &(struct remedy_words){.account = typed ? typed : account->account->name},
                  out, size);
}

static void tell(struct world *world, struct world_account *account,
                 const struct incident *incident, const struct control_command *command)
{
    struct control_request *request = malloc(sizeof(*request));

    if (!request)
        abort();
    *request =
        (struct control_request){.world = world, .account = account, .command = incident->command};
    world->design->command(world->daemon, command, request);
}

void daemon_command(struct world *world, const struct incident *incident)
{
    static const enum control_command_kind kinds[] = {
        [SCRIPT_ROTATE] = CONTROL_ROTATE,   [SCRIPT_REDELIVER] = CONTROL_REDELIVER,
        [SCRIPT_ADOPT] = CONTROL_ADOPT,     [SCRIPT_HOLD] = CONTROL_HOLD,
        [SCRIPT_RESUME] = CONTROL_RESUME,   [SCRIPT_RESUME_HOLD] = CONTROL_RESUME,
        [SCRIPT_UNBLOCK] = CONTROL_UNBLOCK, [SCRIPT_CHECK] = CONTROL_CHECK,
        [SCRIPT_CONFIRM] = CONTROL_CONFIRM,
    };
    const bool of_holds = incident->command == SCRIPT_HOLD || incident->command == SCRIPT_RESUME ||
                          incident->command == SCRIPT_RESUME_HOLD;
    struct control_command command = {
        .kind = kinds[incident->command],
        .actor = "uid 0 (root)",
        .active = slot_name(incident->slot),
        .until = world_wall(world) + incident->duration,
        .reason = "the script says so",
        .hold = incident->command == SCRIPT_RESUME_HOLD ? incident->times : 0,
    };

    if (!world->daemon || world->dying || world->stopping || !world->design->command)
        return;
    if (of_holds && incident->account == ALL_ACCOUNTS) {
        trace_tell(world, NULL, "operator", "%s", control_command_row(command.kind)->name);
        tell(world, NULL, incident, &command);
        return;
    }
    for (unsigned i = 0; i < world->account_count; i++) {
        if (!world->accounts[i].configured ||
            (incident->account != ALL_ACCOUNTS && incident->account != i))
            continue;
        command.account = world->accounts[i].name;
        trace_tell(world, &world->accounts[i], "operator", "%s",
                   control_command_row(command.kind)->name);
        tell(world, &world->accounts[i], incident, &command);
    }
}
