#include "rotation_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "rotation_world_action.h"

enum { SAVE_TAKES_MS = 5 };

unsigned world_random(struct world *world, unsigned below)
{
    uint64_t z = (world->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ (z >> 31)) % below);
}

time_ms world_wall(const struct world *world)
{
    return world->now + world->clock_offset;
}

struct fingerprint world_fingerprint(unsigned key)
{
    struct fingerprint fingerprint = {{0}};

    if (key == 0)
        return fingerprint;
    memcpy(fingerprint.bytes, &key, sizeof(key));
    fingerprint.bytes[FINGERPRINT_LENGTH - 1] = 0xa5;
    return fingerprint;
}

struct target_id world_target_id(size_t index)
{
    struct target_id id = {{0}};

    id.bytes[0] = (uint8_t)(index + 1);
    return id;
}

bool world_required(const struct world *world, size_t index)
{
    return world->targets[index].in_configuration && world->targets[index].configured.required;
}

static void configure_targets(struct world *world, struct rotation_context *context)
{
    struct rotation_target *configured = world->configured;

    context->target_count = 0;
    for (size_t i = 0; i < world->target_count; i++)
        if (world->targets[i].in_configuration)
            configured[context->target_count++] = world->targets[i].configured;
    context->targets = configured;
}

void world_context(const struct world *world, struct rotation_context *context)
{
    *context = (struct rotation_context){
        .account_id = world->account_id,
        .policy = &world->told_policy,
        .timing = &world->timing,
        .has_adopt_active = world->has_adopt_active,
        .adopt_active = world->adopt_active,
        .presumes_active = world->presumes_active,
        .refused = world->refused,
        .list_delay = world->list_delay,
        .daemon_started_at =
            world->sabotage == SABOTAGE_OLD_START ? 1 : world->started_at + world->clock_offset,
        .hold = world->hold.id != 0 && hold_is_on(&world->hold, world_wall(world)) ? &world->hold
                                                                                   : NULL,
    };
    configure_targets((struct world *)(uintptr_t)world, context);
}

void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){
        .now = 1767225600000, /* 2026-01-01 */
        .account_id = "/subscriptions/0/batchaccounts/world",
        .live = {1, 2},
        .keys_made = 2,
        .target_count = 3,
        .policy = {.rotate_every = 40 * MS_DAY,
                   .overlap = 10 * MS_DAY,
                   .splay = 4 * MS_DAY,
                   .check_every = 6 * MS_HOUR,
                   .overdue_after = 4 * MS_DAY,
                   .rotate = true},
        .timing = {.retry_initial = 30 * MS_SECOND,
                   .retry_max = MS_HOUR,
                   .unknown_wait = 90 * MS_SECOND,
                   .verify_timeout = 5 * MS_MINUTE,
                   .settle = 60 * MS_SECOND,
                   .repair_turn = 60 * MS_SECOND},
        .has_adopt_active = true,
        .adopt_active = SLOT_PRIMARY,
        .save_takes = SAVE_TAKES_MS,
        .random = seed,
    };
    for (size_t i = 0; i < WORLD_TARGETS_MAX; i++)
        world->targets[i] = (struct world_target){
            .configured = {.id = world_target_id(i),
                           .required = i < 2,
                           .readable = i != 1,
                           .settles_at_once = i == 0},
            .in_configuration = i < world->target_count,
        };
    record_init(&world->record);
    record_init(&world->journal);
}

/* --- the engine: events in, effects out --- */

static struct world_event *enqueue(struct world *world, size_t at, enum event_kind kind)
{
    struct world_event *slot;

    if (world->queue_count == WORLD_QUEUE_MAX) {
        oracle_convict(world, "the queue is full");
        world->queue_count--;
    }
    memmove(&world->queue[at + 1 < WORLD_QUEUE_MAX ? at + 1 : at], &world->queue[at],
            (world->queue_count - at) * sizeof(world->queue[0]));
    world->queue_count++;
    slot = &world->queue[at];
    *slot = (struct world_event){.event = {.kind = kind}};
    return slot;
}

struct world_event *world_post(struct world *world, enum event_kind kind)
{
    return enqueue(world, world->queue_count, kind);
}

static void trace(struct world *world, const struct effects *effects)
{
    size_t length = strlen(world->trace);

    for (size_t i = 0; i < effects->move_count; i++) {
        const char *name = position_name(effects->moves[i].to);

        if (length + strlen(name) + 2 >= sizeof(world->trace)) {
            length -= WORLD_TRACE_MAX / 2;
            memmove(world->trace, world->trace + WORLD_TRACE_MAX / 2, length + 1);
        }
        length += (size_t)snprintf(world->trace + length, sizeof(world->trace) - length, "%s%s",
                                   length > 0 ? " " : "", name);
    }
    for (size_t i = 0; i < effects->note_count; i++) {
        world->notes[effects->notes[i].kind]++;
        if (effects->notes[i].kind == NOTE_DRIFT_DETECTED)
            world->last_drift = effects->notes[i].drift;
        if (effects->notes[i].kind == NOTE_ROTATION_COMPLETED)
            world->completed++;
    }
}

static void narrate(const struct world *world, const struct event *event,
                    const struct effects *effects)
{
    static const char *const events[] = {"start",      "wake",        "persisted", "preflight_done",
                                         "looked",     "regenerated", "verified",  "delivered",
                                         "configured", "jumped",      "command",   "held",
                                         "hold_ended"};

    fprintf(stderr, "%10.3f %-14s%s", (double)(world->now - 1767225600000) / 1000.0,
            events[event->kind], event->failure ? " failed" : "");
    for (size_t i = 0; i < effects->move_count; i++)
        fprintf(stderr, " > %s", position_name(effects->moves[i].to));
    fprintf(stderr, "%s; live %u %u, active %d goal %d, targets", effects->persist ? " *" : "",
            world->live[0], world->live[1], world->record.active, world->record.delivering);
    for (size_t i = 0; i < world->target_count; i++)
        fprintf(stderr, " %s%u%s", world_required(world, i) ? "!" : "", world->targets[i].holds,
                world->targets[i].late_pending ? "~" : "");
    if (event->command)
        fprintf(stderr, ", command %d: %s", event->command->kind, effects->answer);
    fputc('\n', stderr);
}

static void carry_out(struct world *world, const struct effects *effects)
{
    if (effects->action.kind != ACTION_NONE)
        world_act(world, &effects->action);
    world->wake_at = effects->wake_at;
    world->wake_set = effects->wake_at != TIME_NEVER;
}

static void step(struct world *world, struct world_event *happening)
{
    struct rotation_context context;
    struct record before = world->record;
    struct event *event = &happening->event;
    struct effects effects;

    event->now = world_wall(world);
    event->fresh_uuid = "11111111-2222-3333-4444-555555555555";
    event->look = event->look ? &happening->look : NULL;
    event->failure = event->failure ? &happening->failure : NULL;
    event->command = event->command ? &happening->command : NULL;
    event->hold = &world->hold;
    world_context(world, &context);
    rotation_step(&context, &world->record, event, &effects);
    /* A restart must be able to continue from every durable record. */
    if (effects.persist && !effects.fault && rotation_check(&context, &world->record))
        oracle_convict(world, "a broken record would be made durable");
    trace(world, &effects);
    if (world->narrates)
        narrate(world, event, &effects);
    oracle_step(world, &before, event, &effects);
    world->last_effects = effects;
    if (event->kind == EVENT_COMMAND) {
        world->answered = effects.outcome;
        world->answered_until = effects.refused_until;
        snprintf(world->answer, sizeof(world->answer), "%s", effects.answer);
    }
    if (effects.wait && world->sabotage != SABOTAGE_NO_JOURNAL) {
        world->saving = true;
        world->saved_at = world->now + world->save_takes;
        world->saving_effects = effects;
        return;
    }
    if (effects.persist && world->sabotage != SABOTAGE_NO_JOURNAL) {
        world->behind = true;
        world->caught_up_at = world->now + world->save_takes;
    }
    carry_out(world, &effects);
    if (effects.wait)
        enqueue(world, 0, EVENT_PERSISTED);
}

static void pump(struct world *world)
{
    while (world->running && !world->saving && world->queue_count > 0 &&
           world->violation[0] == '\0') {
        struct world_event happening = world->queue[0];

        world->queue_count--;
        memmove(&world->queue[0], &world->queue[1], world->queue_count * sizeof(world->queue[0]));
        step(world, &happening);
    }
    if (world->running && !world->saving && !world->acting && world->violation[0] == '\0')
        oracle_rest(world);
}

static void saved(struct world *world)
{
    struct effects effects = world->saving_effects;

    world->saving = world->behind = false;
    world->journal = world->record;
    carry_out(world, &effects);
    enqueue(world, 0, EVENT_PERSISTED);
    pump(world);
}

/* --- what tests do --- */

void world_start(struct world *world)
{
    world->running = true;
    world->started_at = world->now;
    world->record = world->journal;
    world_post(world, EVENT_START);
    pump(world);
}

void world_crash(struct world *world, duration_ms downtime)
{
    world_abandon_action(world);
    for (size_t i = 0; i < world->target_count; i++) {
        world->targets[i].seen_at = 0;
        if (world->targets[i].configured.settles_at_once)
            world->targets[i].late_pending = false;
    }
    world->running = false;
    world->saving = world->behind = false;
    world->queue_count = 0;
    world->wake_set = false;
    world->idle_wakes = 0;
    world->lost_request = false;
    if (world->sabotage == SABOTAGE_STALE_ACTIVE && world->journal.adopted)
        world->journal.active = world->journal.delivering = slot_other(world->journal.active);
    while (world_next(world, world->now + downtime))
        ;
    world_start(world);
}

void world_configure(struct world *world)
{
    world->told_policy = world->policy;
    if (world->sabotage == SABOTAGE_NO_OVERLAP)
        world->told_policy.overlap = 0;
    if (!world->running)
        return;
    world_post(world, EVENT_CONFIGURED);
    pump(world);
}

void world_jump(struct world *world, duration_ms jump)
{
    world->clock_offset += jump;
    world_post(world, EVENT_CLOCK_JUMPED)->event.jump = jump;
    pump(world);
}

void world_command(struct world *world, const struct command *command)
{
    struct world_event *event = world_post(world, EVENT_COMMAND);

    event->command = *command;
    event->event.command = &event->command;
    pump(world);
}

void world_hold(struct world *world, duration_ms duration)
{
    world->hold = (struct hold){.id = ++world->holds_given,
                                .since = world_wall(world),
                                .until = world_wall(world) + duration,
                                .actor = "uid 0 (root)",
                                .reason = "a test"};
    world_post(world, EVENT_HELD);
    pump(world);
}

void world_resume(struct world *world)
{
    world->hold = (struct hold){0};
    world_post(world, EVENT_HOLD_ENDED);
    pump(world);
}

void world_foreign_regenerate(struct world *world, enum slot slot)
{
    world->foreign_at = world->now;
    world_replace_key(world, slot);
}

void world_write_target(struct world *world, size_t index, unsigned key)
{
    world->targets[index].written_at = world->now;
    world_set_target(world, index, key);
}

void world_script(struct world *world, enum action_kind kind, enum outcome outcome,
                  enum reason reason, unsigned times)
{
    world->script[kind].outcome = outcome;
    world->script[kind].reason = reason;
    world->script[kind].times = times;
}

static time_ms true_time(const struct world *world, time_ms wall)
{
    return wall == TIME_NEVER ? TIME_NEVER : wall - world->clock_offset;
}

/* When the daemon next acts by itself. */
static time_ms daemon_next(const struct world *world)
{
    time_ms next = TIME_NEVER;

    if (!world->running)
        return next;
    if (world->saving)
        next = world->saved_at;
    if (world->behind && !world->saving && world->caught_up_at < next)
        next = world->caught_up_at;
    if (world->acting && world->action_done_at < next)
        next = world->action_done_at;
    if (world->wake_set && !world->saving && true_time(world, world->wake_at) < next)
        next = true_time(world, world->wake_at);
    return next;
}

static void daemon_goes_on(struct world *world)
{
    if (world->saving && world->saved_at <= world->now) {
        saved(world);
    } else if (world->behind && !world->saving && world->caught_up_at <= world->now) {
        world->behind = false;
        world->journal = world->record;
    } else if (world->acting && world->action_done_at <= world->now) {
        world_complete_action(world);
        pump(world);
    } else {
        world->wake_set = false;
        world_post(world, EVENT_WAKE);
        pump(world);
    }
}

bool world_next(struct world *world, time_ms until)
{
    time_ms daemon_at = daemon_next(world);
    time_ms late_at = world_late_next(world);
    time_ms next = daemon_at < late_at ? daemon_at : late_at;

    if (world->violation[0] != '\0')
        return false;
    if (next > until) {
        world->now = until;
        return false;
    }
    if (next > world->now)
        world->now = next;
    if (late_at <= daemon_at)
        world_late_lands(world);
    else
        daemon_goes_on(world);
    return true;
}

void world_run(struct world *world, duration_ms duration)
{
    time_ms until = world->now + duration;

    while (world_next(world, until))
        ;
}

bool world_reach(struct world *world, enum position position, duration_ms limit)
{
    time_ms until = world->now + limit;

    while (world->record.position != position || world->saving) {
        if (!world_next(world, until))
            return false;
    }
    return true;
}
