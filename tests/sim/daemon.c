/*
 * The daemon's process: started, crashed, stopped, reconfigured, spoken to.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/engine_private.h"
#include "design.h"
#include "world.h"

enum { BURIAL_ROUNDS_MAX = 10000, STOP_GRACE_MS = 10 * 1000 };

/* --- its configuration --- */

void daemon_reconfigure(struct world *world)
{
    struct config *before = world->config;
    const bool is_up = world->daemon && !world->stopping;

    world->config = world_configuration(world, NULL, 0);
    if (!world_has_rules(world))
        world_in_force(world, world->config, FORCE_RELOAD);
    else if (!is_up)
        world_foresee(world);
    if (is_up)
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
    if (world_has_rules(world))
        world_foresee(world);
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
    operation_end_hanging(world, STOP_GRACE_MS);
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
                                    answer->outcome == CONTROL_REFUSED ||
                                        answer->outcome == CONTROL_NOT_DONE);
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
