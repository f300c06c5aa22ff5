/*
 * A world from its beginning to its end.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "design.h"

enum { AT_ONE_INSTANT_MAX = 20000 };

/* 2026-03-02 00:00 UTC, a Monday: summer time begins four weeks later. */
#define WORLD_BEGINS INT64_C(1772409600000)

static const struct timing timing = {
    .retry_initial = 30 * MS_SECOND,
    .retry_max = MS_HOUR,
    .unknown_wait = 90 * MS_SECOND,
    .verify_timeout = 5 * MS_MINUTE,
    .settle = 60 * MS_SECOND,
    .repair_turn = 60 * MS_SECOND,
};

/* Loaded once: reading the time zone's file for every world would be most of its cost. */
static struct tz *berlin(void)
{
    static struct tz *tz;

    if (!tz)
        tz = tz_load("Europe/Berlin");
    if (!tz)
        abort();
    return tz;
}

/* --- what the log says --- */

static const char *field(const struct log_line *line, const char *name)
{
    for (size_t i = 0; i < line->field_count; i++)
        if (line->fields[i].text && strcmp(line->fields[i].name, name) == 0)
            return line->fields[i].text;
    return NULL;
}

static void on_log_line(void *context, const struct log_line *line)
{
    struct world *world = context;
    const char *name = field(line, "account");

    if (world->dying)
        return;
    oracle_log_line(world, line);
    trace_tell(world, name ? world_account_of(world, name) : NULL, "log", "%s: %s", line->event,
               line->message);
}

/* --- the beginning --- */

static void begin_target(struct world *world, struct world_account *account, unsigned index)
{
    const struct script_target *settings = &world->script->targets[index];
    struct world_target *target = &account->targets[index];

    target->settings = *settings;
    target->id = world_target_id(account->index, index);
    target->configured = true;
    target->required = settings->required;
    target->cared_since = TIME_NEVER;
    target->past[0] = (struct target_span){
        .key = settings->filled ? account->live[world->script->active] : KEY_NONE};
    target->past_count = 1;
}

static void begin_account(struct world *world, unsigned index)
{
    struct world_account *account = &world->accounts[index];

    account->index = index;
    account->named = !world_has_rules(world);
    account->listed.tag = TAG_RED;
    snprintf(account->name, sizeof(account->name), "a%u", index + 1);
    snprintf(account->id, sizeof(account->id),
             "/subscriptions/subscription/resourcegroups/group/providers/microsoft.batch/"
             "batchaccounts/");
    world_pair_id(world, index, account->id + strlen(account->id),
                  sizeof(account->id) - strlen(account->id));
    account->live[SLOT_PRIMARY] = world_make_key(world);
    account->live[SLOT_SECONDARY] = world_make_key(world);
    for (unsigned i = 0; i < world->script->target_count; i++)
        begin_target(world, account, i);
}

static void on_incident(struct happening *happening)
{
    struct world *world = container_of(happening, struct world, next_incident);
    const struct script *script = world->script;
    const struct incident *incident = &script->incidents[world->incident++];

    if (world->trace) {
        struct buf words;

        buf_init(&words, 1000);
        incident_print(script, incident, &words);
        trace_tell(world, NULL, "script", "%s", buf_str(&words));
        buf_done(&words);
    }
    if (world->incident < script->incident_count)
        clock_set(world, &world->next_incident,
                  world->began + script->incidents[world->incident].at);
    incident_happen(world, incident);
}

static void begin(struct world *world)
{
    const struct script *script = world->script;

    world->began = WORLD_BEGINS;
    world->now = WORLD_BEGINS;
    world->account_count = script->accounts;
    world->timing = timing;
    world->window =
        (struct window){.days = 0x60, .from_minute = 22 * 60, .to_minute = 4 * 60, .tz = berlin()};
    world->log = (struct log){.level = LEVEL_ERROR, .write = on_log_line, .context = world};
    world->log.level = world->trace ? LEVEL_INFO : 0;
    list_init(&world->operations);
    clock_init(world);
    disk_init(world);
    world_set_policy(world, &script->policy);
    for (unsigned i = 0; i < script->accounts; i++)
        begin_account(world, i);
    oracle_world_begins(world);
    daemon_reconfigure(world);
    daemon_start(world);
    clock_run_deferred(world);
    world->next_incident.happen = on_incident;
    if (script->incident_count > 0)
        clock_set(world, &world->next_incident, world->began + script->incidents[0].at);
}

/* --- the course of it --- */

static bool is_over(const struct world *world)
{
    return world->verdict->first_only && world->verdict->convicted != 0;
}

static void pass_turn_while_off(struct world *world)
{
    if (world->daemon || world->clock_turn_when_off == 0)
        return;
    clock_turn(world, world->clock_turn_when_off);
    world->clock_turn_when_off = 0;
}

static bool nothing_more_happens_now(const struct world *world)
{
    return world->queue_count == 0 || world->queue[0]->at > world->now;
}

/* Happenings at one instant without end: time does not advance. */
static bool stands_still(struct world *world)
{
    if (world->now != world->instant) {
        world->instant = world->now;
        world->happened_before = world->happened;
    }
    if (world->happened - world->happened_before < AT_ONE_INSTANT_MAX)
        return false;
    oracle_convict(world, ORACLE_SOUND, NULL, "time stands still: %u things happen at one instant",
                   (unsigned)AT_ONE_INSTANT_MAX);
    return true;
}

static void run(struct world *world)
{
    time_ms end = world->began + world->script->length;

    while (!is_over(world) && clock_next(world, end) && !stands_still(world)) {
        if (world->dying || world->stopped)
            daemon_bury(world);
        pass_turn_while_off(world);
        if (world->daemon && world->frozen_until <= world->now && nothing_more_happens_now(world))
            oracle_rest(world);
    }
}

static void end(struct world *world)
{
    if (!is_over(world))
        oracle_world_ends(world);
    world->trace = NULL;
    world->log.level = 0;
    if (world->daemon) {
        world->dying = true;
        daemon_bury(world);
    }
    operation_free_all(world);
    slow_done(world);
    disk_done(world);
    clock_done(world);
    config_unref(world->config);
}

void world_play(const struct script *script, const struct design *design,
                struct oracle_verdict *verdict, struct trace *trace, struct world_counts *counts)
{
    struct world *world = calloc(1, sizeof(*world));

    if (!world)
        abort();
    world->script = script;
    world->design = design;
    world->verdict = verdict;
    world->trace = trace;
    key_time_watch(world);
    begin(world);
    run(world);
    end(world);
    if (counts)
        *counts = world->counts;
    free(world);
}
