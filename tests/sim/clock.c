/*
 * Time: a queue of what is to happen, in order, and the daemon's io/loop/loop.h on top of it.
 *
 * The daemon's struct loop is the world itself: nobody looks inside it but this file.
 */
#include <stdlib.h>

#include "world.h"

/* Where a happening is kept in a struct timer: in the place of libuv's handle, which is unused
 * here. */
struct timer_state {
    struct happening happening;
    struct deferred closing;
    struct timer *timer;
};
_Static_assert(sizeof(struct timer_state) <= sizeof(uv_timer_t), "the handle's place is too small");

static struct timer_state *state_of(struct timer *timer)
{
    return (struct timer_state *)(void *)&timer->handle;
}

struct loop *world_loop(struct world *world)
{
    return (struct loop *)(void *)world;
}

struct world *loop_world(struct loop *loop)
{
    return (struct world *)(void *)loop;
}

time_ms world_wall(const struct world *world)
{
    return world->now + world->wall_offset;
}

/* --- the queue: a binary heap --- */

static bool comes_first(const struct happening *a, const struct happening *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void place(struct world *world, struct happening *happening, size_t at)
{
    world->queue[at - 1] = happening;
    happening->place = at;
}

static void rise(struct world *world, struct happening *happening)
{
    size_t at = happening->place;

    while (at > 1 && comes_first(happening, world->queue[at / 2 - 1])) {
        place(world, world->queue[at / 2 - 1], at);
        at /= 2;
    }
    place(world, happening, at);
}

static void sink(struct world *world, struct happening *happening)
{
    size_t at = happening->place;

    while (2 * at <= world->queue_count) {
        size_t child = 2 * at;

        if (child < world->queue_count && comes_first(world->queue[child], world->queue[child - 1]))
            child++;
        if (!comes_first(world->queue[child - 1], happening))
            break;
        place(world, world->queue[child - 1], at);
        at = child;
    }
    place(world, happening, at);
}

static void make_room(struct world *world)
{
    size_t room = world->queue_room ? 2 * world->queue_room : 64;

    if (world->queue_count < world->queue_room)
        return;
    world->queue = realloc(world->queue, room * sizeof(struct happening *));
    if (!world->queue)
        abort();
    world->queue_room = room;
}

void clock_set(struct world *world, struct happening *happening, time_ms at)
{
    clock_cancel(world, happening);
    make_room(world);
    happening->at = at > world->now ? at : world->now;
    happening->order = ++world->order;
    happening->place = ++world->queue_count;
    rise(world, happening);
}

void clock_cancel(struct world *world, struct happening *happening)
{
    struct happening *last;
    size_t at = happening->place;

    if (at == 0)
        return;
    happening->place = 0;
    last = world->queue[--world->queue_count];
    if (last == happening)
        return;
    place(world, last, at);
    rise(world, last);
    sink(world, last);
}

void clock_turn(struct world *world, duration_ms by)
{
    world->wall_offset += by;
    for (size_t i = 0; i < world->queue_count; i++) {
        struct happening *happening = world->queue[i];

        if (!happening->on_wall)
            continue;
        happening->at -= by;
        if (happening->at < world->now)
            happening->at = world->now;
    }
    for (size_t i = world->queue_count / 2; i > 0; i--)
        sink(world, world->queue[i - 1]);
}

void clock_init(struct world *world)
{
    list_init(&world->deferred);
}

void clock_done(struct world *world)
{
    free(world->queue);
}

void clock_run_deferred(struct world *world)
{
    struct list *link;

    while ((link = list_pop(&world->deferred))) {
        struct deferred *deferred = container_of(link, struct deferred, link);

        deferred->run(deferred);
    }
}

/* Timers of a daemon that does not run fire when it runs again. */
static bool is_frozen_out(struct world *world, struct happening *happening)
{
    if (!happening->for_daemon || world->frozen_until <= world->now)
        return false;
    clock_set(world, happening, world->frozen_until);
    return true;
}

bool clock_next(struct world *world, time_ms until)
{
    struct happening *next = world->queue_count > 0 ? world->queue[0] : NULL;

    if (!next || next->at > until) {
        world->now = until;
        return false;
    }
    world->now = next->at;
    if (is_frozen_out(world, next))
        return true;
    clock_cancel(world, next);
    world->happened++;
    next->happen(next);
    clock_run_deferred(world);
    return true;
}

/* --- io/loop/loop.h --- */

time_ms loop_now(struct loop *loop)
{
    return world_wall(loop_world(loop));
}

void deferred_init(struct deferred *deferred, void (*run)(struct deferred *))
{
    list_init(&deferred->link);
    deferred->run = run;
}

void loop_defer(struct loop *loop, struct deferred *deferred)
{
    if (list_empty(&deferred->link))
        list_append(&loop_world(loop)->deferred, &deferred->link);
}

void loop_defer_cancel(struct deferred *deferred)
{
    list_remove(&deferred->link);
}

static void on_time(struct happening *happening)
{
    struct timer *timer = container_of(happening, struct timer_state, happening)->timer;

    timer->at = TIME_NEVER;
    timer->fired(timer);
}

static void on_closed(struct deferred *deferred)
{
    struct timer *timer = container_of(deferred, struct timer_state, closing)->timer;

    if (timer->closed)
        timer->closed(timer);
}

void timer_init(struct loop *loop, struct timer *timer, void (*fired)(struct timer *))
{
    struct timer_state *state = state_of(timer);

    *timer = (struct timer){.loop = loop, .at = TIME_NEVER, .fired = fired};
    *state = (struct timer_state){.timer = timer};
    state->happening.happen = on_time;
    state->happening.for_daemon = true;
    deferred_init(&state->closing, on_closed);
}

static void set(struct timer *timer, time_ms at, bool on_wall)
{
    struct world *world = loop_world(timer->loop);
    struct happening *happening = &state_of(timer)->happening;

    if (timer->closing || world->dying)
        return;
    happening->on_wall = on_wall;
    clock_set(world, happening, at);
}

void timer_set(struct timer *timer, time_ms at)
{
    struct world *world = loop_world(timer->loop);

    timer_stop(timer);
    if (at == TIME_NEVER)
        return;
    timer->at = at;
    set(timer, at - world->wall_offset, true);
}

void timer_set_delay(struct timer *timer, duration_ms delay)
{
    timer_stop(timer);
    set(timer, loop_world(timer->loop)->now + delay, false);
}

void timer_stop(struct timer *timer)
{
    timer->at = TIME_NEVER;
    clock_cancel(loop_world(timer->loop), &state_of(timer)->happening);
}

void timer_close(struct timer *timer, void (*closed)(struct timer *))
{
    if (timer->closing)
        return;
    timer_stop(timer);
    timer->closing = true;
    timer->closed = closed;
    loop_defer(timer->loop, &state_of(timer)->closing);
}

/* --- chance --- */

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
uint32_t world_draw(struct world *world, uint32_t below)
{
    uint64_t z = world->script->seed + ++world->draws * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return below > 0 ? (uint32_t)(z % below) : 0;
}
