/*
 * core/ requests no memory, so it cannot run out of it (see allocation.h). The test runs whole
 * lives of an account, with everything that can go wrong in them; a single request for memory would
 * show.
 */
#include "allocation_hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/tz.h"
#include "core/backoff.h"
#include "core/ratelimit.h"
#include "core/schedule.h"
#include "rotation_scenario.h"

#define NOW ((time_ms)1795348800000)

enum { STORMS = 20, STORM_DAYS = 200 };

static struct window nightly = {.days = 0x60, .from_minute = 22 * 60, .to_minute = 4 * 60};

static void watch_windows(struct world *world)
{
    world->policy.windows = &nightly;
    world->policy.window_count = 1;
    world_configure(world);
}

/* Rotations through each place where a rotation can stop, with a crash there. */
static void rotate(struct result *result, const void *context)
{
    static struct world world;

    (void)context;
    for (size_t i = 0; i < STATION_COUNT; i++) {
        begin_at(&world, &stations[i], true);
        watch_windows(&world);
        world_crash(&world, 10 * MS_SECOND);
        world_run(&world, 100 * MS_DAY);
        assert_lawful(&world);
        assert_true(world.completed > 0);
        result_add(result, "%u rotations, %s\n", world.completed,
                   account_state_name(view_of(&world).state));
    }
}

static void command(struct result *result, const void *context)
{
    static struct world world;

    (void)context;
    begin_adopted(&world);
    for (int kind = COMMAND_ROTATE; kind <= COMMAND_CHECK; kind++) {
        give_command(&world, (enum command_kind)kind);
        world_run(&world, 30 * MS_DAY);
        result_add(result, "%s\n", world.answer);
    }
    world_foreign_regenerate(&world, SLOT_PRIMARY);
    world_write_target(&world, 0, world.live[SLOT_SECONDARY]);
    world_run(&world, 100 * MS_DAY);
    result_add(result, "%u rotations\n", world.completed);
}

static void weather_storms(struct result *result, const void *context)
{
    static struct world world;

    (void)context;
    for (unsigned seed = 1; seed <= STORMS; seed++) {
        world_init(&world, seed);
        watch_windows(&world);
        for (int outcome = OUTCOME_FAILS; outcome <= OUTCOME_UNREAD_TARGET; outcome++)
            world.chance[outcome] = 50;
        world_start(&world);
        for (int day = 0; day < STORM_DAYS; day++) {
            world_run(&world, MS_DAY);
            if (day % 10 == 0)
                world_crash(&world, MS_MINUTE);
        }
        assert_lawful(&world);
        assert_true(world.completed > 0);
        result_add(result, "%u rotations\n", world.completed);
    }
}

static void compute(struct result *result, const void *context)
{
    struct policy policy = {.rotate_every = 40 * MS_DAY,
                            .overlap = 10 * MS_DAY,
                            .splay = 4 * MS_DAY,
                            .windows = &nightly,
                            .window_count = 1};
    struct ratelimit limit;

    (void)context;
    ratelimit_init(&limit, 10, 1, NOW);
    ratelimit_server_remaining(&limit, 3, NOW);
    ratelimit_server_refused(&limit, MS_SECOND, NOW);
    result_add(result, "%d\n", ratelimit_take(&limit, NOW) > 0);
    result_add(result, "%d\n", backoff_delay(MS_SECOND, MS_HOUR, 5, 1, 0) > 0);
    result_add(result, "%d\n", schedule_longest_wait(&policy, NOW) < 7 * MS_DAY);
    result_add(result, "%d\n", schedule_worst_key_age(&policy, NOW) > 80 * MS_DAY);
    result_add(result, "%d\n", schedule_start(&policy, "an id", NOW) >= NOW);
}

static void test_asks_for_no_memory(void **state)
{
    static const struct scenario scenarios[] = {
        {"rotate", rotate, NULL},
        {"command", command, NULL},
        {"weather storms", weather_storms, NULL},
        {"compute", compute, NULL},
    };

    (void)state;
    if (!allocation_works())
        skip();
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        assert_int_equal(allocation_count(&scenarios[i]), 0);
}

static int load_time_zone(void **state)
{
    (void)state;
    nightly.tz = tz_load("Europe/Berlin");
    return nightly.tz ? 0 : -1;
}

static int unload_time_zone(void **state)
{
    tz_free(nightly.tz);
    return allocation_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_asks_for_no_memory)};

    return cmocka_run_group_tests(tests, load_time_zone, unload_time_zone);
}
