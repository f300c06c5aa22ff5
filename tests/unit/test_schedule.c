/* The schedule: windows over midnight and over clock changes, and the promises about starts. */
#include "core/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/str.h"
#include "core/slot.h"

enum { MON = 1, TUE = 2, WED = 4, THU = 8, FRI = 16, SAT = 32, SUN = 64, DAILY = 127 };

static time_ms at(const char *text)
{
    time_ms instant = 0;

    if (str_equal(text, "never"))
        return TIME_NEVER;
    assert_true(date_from_rfc3339(text, &instant));
    return instant;
}

static void assert_instant(time_ms actual, const char *expected)
{
    char text[DATE_TEXT_MAX];

    assert_string_equal(date_to_rfc3339(actual, text), expected);
}

static struct window window(const char *zone, int days, int from_hour, int from_minute, int to_hour,
                            int to_minute)
{
    struct tz *tz = tz_load(zone);

    assert_non_null(tz);
    return (struct window){.days = (uint8_t)days,
                           .from_minute = from_hour * 60 + from_minute,
                           .to_minute = to_hour * 60 + to_minute,
                           .tz = tz};
}

struct opening {
    const char *zone;
    int days, from_hour, from_minute, to_hour, to_minute;
    const char *at;
    const char *opens;  /* schedule_next_open(at) */
    const char *closes; /* schedule_close() of that */
};

static const struct opening openings[] = {
    /* Over midnight: the weekday is that of the opening. 2026-11-21 is a Saturday. */
    {"UTC", SAT, 22, 0, 4, 0, "2026-11-21T21:59:59Z", "2026-11-21T22:00:00Z",
     "2026-11-22T04:00:00Z"},
    {"UTC", SAT, 22, 0, 4, 0, "2026-11-22T03:59:59Z", "2026-11-22T03:59:59Z",
     "2026-11-22T04:00:00Z"},
    {"UTC", SAT, 22, 0, 4, 0, "2026-11-22T04:00:00Z", "2026-11-28T22:00:00Z",
     "2026-11-29T04:00:00Z"},
    {"UTC", SAT, 22, 0, 4, 0, "2026-11-22T22:30:00Z", "2026-11-28T22:00:00Z",
     "2026-11-29T04:00:00Z"},
    /* Equal ends make a whole day; days that touch make one stretch. */
    {"UTC", SAT, 9, 0, 9, 0, "2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z",
     "2026-11-22T09:00:00Z"},
    {"UTC", SAT | SUN, 0, 0, 0, 0, "2026-11-20T08:00:00Z", "2026-11-21T00:00:00Z",
     "2026-11-23T00:00:00Z"},
    {"UTC", DAILY, 0, 0, 0, 0, "2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z", "never"},
    /* Berlin, 29 March 2026: 02:00 becomes 03:00. A window inside the hour is gone that day. */
    {"Europe/Berlin", DAILY, 1, 0, 4, 0, "2026-03-28T23:00:00Z", "2026-03-29T00:00:00Z",
     "2026-03-29T02:00:00Z"},
    {"Europe/Berlin", DAILY, 2, 15, 2, 45, "2026-03-28T12:00:00Z", "2026-03-30T00:15:00Z",
     "2026-03-30T00:45:00Z"},
    {"Europe/Berlin", DAILY, 2, 30, 5, 0, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z",
     "2026-03-29T03:00:00Z"},
    /* Berlin, 25 October 2026: 03:00 becomes 02:00. The hour counts twice. */
    {"Europe/Berlin", DAILY, 2, 0, 3, 0, "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z",
     "2026-10-25T02:00:00Z"},
    {"Europe/Berlin", SAT, 22, 0, 4, 0, "2026-10-24T12:00:00Z", "2026-10-24T20:00:00Z",
     "2026-10-25T03:00:00Z"},
    /* New York, 8 March and 1 November 2026. */
    {"America/New_York", SUN, 1, 0, 3, 30, "2026-03-08T00:00:00Z", "2026-03-08T06:00:00Z",
     "2026-03-08T07:30:00Z"},
    {"America/New_York", SUN, 1, 30, 3, 0, "2026-11-01T00:00:00Z", "2026-11-01T05:30:00Z",
     "2026-11-01T08:00:00Z"},
    /* Lord Howe changes by half an hour: 4 October and 5 April 2026. */
    {"Australia/Lord_Howe", SUN, 1, 0, 3, 0, "2026-10-03T00:00:00Z", "2026-10-03T14:30:00Z",
     "2026-10-03T16:00:00Z"},
    {"Australia/Lord_Howe", SUN, 1, 0, 3, 0, "2026-04-04T00:00:00Z", "2026-04-04T14:00:00Z",
     "2026-04-04T16:30:00Z"},
};

static void windows_open_and_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
        const struct opening *row = &openings[i];
        struct window one = window(row->zone, row->days, row->from_hour, row->from_minute,
                                   row->to_hour, row->to_minute);
        struct policy policy = {.windows = &one, .window_count = 1};
        time_ms open = schedule_next_open(&policy, at(row->at));

        assert_instant(open, row->opens);
        assert_instant(schedule_close(&policy, open), row->closes);
        assert_true(schedule_is_open(&policy, open));
        assert_int_equal(schedule_is_open(&policy, at(row->at)), open == at(row->at));
        tz_free(one.tz);
    }
}

static void several_windows_are_one_calendar(void **state)
{
    (void)state;
    struct window windows[] = {
        window("UTC", SAT, 22, 0, 4, 0),
        window("UTC", SUN, 4, 0, 6, 0), /* touches the first */
        window("Europe/Berlin", WED, 12, 0, 13, 0),
    };
    struct policy policy = {.windows = windows, .window_count = 3};

    assert_instant(schedule_next_open(&policy, at("2026-11-23T00:00:00Z")), "2026-11-25T11:00:00Z");
    assert_instant(schedule_next_open(&policy, at("2026-11-25T12:00:00Z")), "2026-11-28T22:00:00Z");
    assert_instant(schedule_close(&policy, at("2026-11-28T23:00:00Z")), "2026-11-29T06:00:00Z");
    assert_instant(schedule_close(&policy, at("2026-11-29T07:00:00Z")), "2026-11-29T07:00:00Z");
    for (size_t i = 0; i < 3; i++)
        tz_free(windows[i].tz);
}

static void without_windows_it_is_always_open(void **state)
{
    (void)state;
    struct policy policy = {.window_count = 0};

    assert_instant(schedule_next_open(&policy, at("2026-11-23T00:00:00Z")), "2026-11-23T00:00:00Z");
    assert_true(schedule_is_open(&policy, 12345));
    assert_int_equal(schedule_close(&policy, 12345), TIME_NEVER);
    assert_int_equal(schedule_longest_wait(&policy, 12345), 0);
    assert_int_equal(schedule_next_open(&policy, TIME_NEVER), TIME_NEVER);
    assert_int_equal(schedule_start(&policy, "a", TIME_NEVER), TIME_NEVER);
}

struct wait {
    const char *zone;
    int days, from_hour, from_minute, to_hour, to_minute;
    duration_ms longest;
};

static const struct wait waits[] = {
    {"UTC", SAT, 22, 0, 4, 0, 6 * MS_DAY + 18 * MS_HOUR},
    {"UTC", DAILY, 0, 0, 0, 0, 0},
    /* An hour more over the night in which the clocks are set back… */
    {"Europe/Berlin", SUN, 12, 0, 13, 0, 7 * MS_DAY},
    {"Europe/Berlin", DAILY, 12, 0, 13, 0, 24 * MS_HOUR},
    {"Australia/Lord_Howe", SUN, 12, 0, 13, 0, 6 * MS_DAY + 23 * MS_HOUR + 30 * MS_MINUTE},
    /* …and a whole week more where the clocks jump over the only window. */
    {"Europe/Berlin", SUN, 2, 15, 2, 45, 14 * MS_DAY - 90 * MS_MINUTE},
};

static void the_longest_wait_counts_clock_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        const struct wait *row = &waits[i];
        struct window one = window(row->zone, row->days, row->from_hour, row->from_minute,
                                   row->to_hour, row->to_minute);
        struct policy policy = {.windows = &one, .window_count = 1};

        assert_int_equal(schedule_longest_wait(&policy, at("2026-01-15T00:00:00Z")), row->longest);
        tz_free(one.tz);
    }
}

static void hashes_are_stable_and_spread(void **state)
{
    (void)state;
    unsigned buckets[10] = {0};

    assert_int_equal(schedule_hash("a", "b", 0), 0);
    assert_int_equal(schedule_hash("a", "b", 1), 0);
    assert_int_equal(schedule_hash("/Sub/A", "x", 1000003), schedule_hash("/sub/a", "x", 1000003));
    assert_int_not_equal(schedule_hash("ab", "c", 1000003), schedule_hash("a", "bc", 1000003));
    /* Stored nowhere, but the same after every restart and upgrade. */
    assert_int_equal(schedule_hash("/subscriptions/s/account", "splay", 1000000), 783751);
    for (int i = 0; i < 10000; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "account%d", i);
        buckets[schedule_hash(name, "splay", 10)]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(buckets[i], 900, 1100);
}

static void rotations_keep_their_time_line(void **state)
{
    (void)state;
    const struct policy policy = {.rotate_every = 30 * MS_DAY, .overlap = 10 * MS_DAY};
    time_ms planned = at("2026-01-01T00:00:00Z");

    /* Late by hours: the next one is not put off. */
    assert_instant(schedule_next_planned(&policy, planned, at("2026-01-01T09:00:00Z")),
                   "2026-01-31T00:00:00Z");
    /* Before its time, by command. */
    assert_instant(schedule_next_planned(&policy, planned, at("2025-12-30T00:00:00Z")),
                   "2026-01-31T00:00:00Z");
    /* So late that the next is less than overlap away: it waits for overlap, not for a period. */
    assert_instant(schedule_next_planned(&policy, planned, at("2026-01-25T00:00:00Z")),
                   "2026-02-04T00:00:00Z");
    /* Missed three times: caught up once. */
    assert_instant(schedule_next_planned(&policy, planned, at("2026-04-03T00:00:00Z")),
                   "2026-05-01T00:00:00Z");
    /* Completed at the very instant of a later slot: that slot is past. */
    assert_instant(schedule_next_planned(&policy, planned, at("2026-01-31T00:00:00Z")),
                   "2026-03-02T00:00:00Z");
}

static void ages_follow_the_rule_of_nine(void **state)
{
    (void)state;
    struct window one = window("UTC", SAT, 22, 0, 4, 0);
    const struct policy policy = {
        .rotate_every = 40 * MS_DAY, .splay = 6 * MS_HOUR, .windows = &one, .window_count = 1};

    assert_int_equal(schedule_rotate_every_for(90 * MS_DAY), 40 * MS_DAY);
    assert_int_equal(schedule_rotate_every_for(9), 4);
    assert_int_equal(schedule_rotate_every_for(14 * MS_DAY), 537600000);
    assert_int_equal(schedule_worst_key_age(&policy, at("2026-01-15T00:00:00Z")), 87 * MS_DAY);
    tz_free(one.tz);
}

/* Numerical Recipes' generator: the same tests on every machine. */
static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
                                    "Australia/Lord_Howe", "Pacific/Apia"};

struct world {
    struct window windows[3];
    struct policy policy;
    char account[32];
};

static void world_make(struct world *world, uint64_t *seed)
{
    struct policy *policy = &world->policy;

    *policy = (struct policy){.windows = world->windows};
    policy->window_count = next_random(seed) % 4;
    for (size_t i = 0; i < policy->window_count; i++)
        world->windows[i] =
            window(zones[next_random(seed) % 5], (int)(1 + next_random(seed) % DAILY),
                   (int)(next_random(seed) % 24), (int)(next_random(seed) % 60),
                   (int)(next_random(seed) % 24), (int)(next_random(seed) % 60));
    policy->rotate_every = (duration_ms)(1 + next_random(seed) % 60) * MS_DAY;
    policy->overlap = (duration_ms)(next_random(seed) % (uint64_t)policy->rotate_every) + 1;
    policy->splay = (duration_ms)(next_random(seed) % (uint64_t)(policy->rotate_every / 4));
    (void)snprintf(world->account, sizeof(world->account), "a%u", (unsigned)next_random(seed));
}

static void world_done(struct world *world)
{
    for (size_t i = 0; i < world->policy.window_count; i++)
        tz_free(world->windows[i].tz);
}

static void starts_keep_their_promises(void **state)
{
    (void)state;
    uint64_t seed = 20261122;

    for (int round = 0; round < 300; round++) {
        struct world world;
        const struct policy *policy = &world.policy;
        time_ms adopted = at("2026-01-01T00:00:00Z") + (time_ms)(next_random(&seed) % 31536000000);
        time_ms planned;
        time_ms start;
        duration_ms wait;

        world_make(&world, &seed);
        wait = schedule_longest_wait(policy, adopted);
        start = schedule_first(policy, world.account, adopted, TIME_NEVER);
        assert_true(schedule_is_open(policy, start));
        assert_true(start >= adopted + policy->overlap);
        assert_true(start <= adopted + policy->rotate_every + wait + policy->splay);
        planned = start;
        for (int cycle = 0; cycle < 12; cycle++) {
            time_ms completed = start + (time_ms)(next_random(&seed) % (3 * 86400000));
            time_ms next = schedule_next_planned(policy, planned, completed);

            assert_true(next > completed && next >= completed + policy->overlap);
            assert_true(next <= completed + policy->rotate_every ||
                        next == planned + policy->rotate_every);
            start = schedule_start(policy, world.account, next);
            assert_true(schedule_is_open(policy, start));
            assert_true(start >= next && start <= next + wait + policy->splay);
            planned = next;
        }
        start = schedule_catch_up(policy, world.account, planned + 5, policy->splay);
        assert_true(schedule_is_open(policy, start));
        assert_true(start >= planned + 5 && start <= planned + 5 + wait + policy->splay);
        world_done(&world);
    }
}

/* Old keys make a first rotation earlier, and never later; not before overlap, nor outside windows.
 */
static void old_keys_are_due_earlier(void **state)
{
    (void)state;
    uint64_t seed = 20261130;

    for (int round = 0; round < 500; round++) {
        struct world world;
        const struct policy *policy = &world.policy;
        const time_ms adopted =
            at("2026-01-01T00:00:00Z") + (time_ms)(next_random(&seed) % 31536000000);
        time_ms by, usual, start, latest;

        world_make(&world, &seed);
        by = adopted + policy->rotate_every -
             (duration_ms)(next_random(&seed) % (uint64_t)(3 * policy->rotate_every));
        usual = schedule_first(policy, world.account, adopted, TIME_NEVER);
        start = schedule_first(policy, world.account, adopted, by);
        latest = by > adopted + policy->overlap ? by : adopted + policy->overlap;
        assert_true(schedule_is_open(policy, start));
        assert_true(start <= usual);
        assert_true(start >= adopted + policy->overlap);
        assert_true(start <= latest + schedule_longest_wait(policy, adopted) +
                                 time_max(policy->splay, policy->rotate_every / 10));
        assert_int_equal(schedule_first(policy, world.account, adopted, INT64_MIN),
                         schedule_first(policy, world.account, adopted, 0));
        world_done(&world);
    }
}

/* The keys of a whole fleet are too old: its first rotations are spread over the splay, as any
 * start that was missed, but over a tenth of rotate_every at least. */
static void spread_fleet(duration_ms splay, time_ms by, unsigned days)
{
    const struct policy policy = {
        .rotate_every = 40 * MS_DAY, .overlap = 10 * MS_DAY, .splay = splay, .rotate = true};
    const time_ms adopted = at("2026-03-02T00:00:00Z");
    unsigned by_day[8] = {0};

    for (int i = 0; i < 400; i++) {
        char account[16];
        time_ms start;

        (void)snprintf(account, sizeof(account), "a%d", i);
        start = schedule_first(&policy, account, adopted, time_add(adopted, by));
        assert_true(start >= adopted + policy.overlap);
        assert_true(start < adopted + policy.overlap + days * MS_DAY);
        by_day[(start - adopted - policy.overlap) / MS_DAY]++;
    }
    for (unsigned day = 0; day < days; day++)
        assert_in_range(by_day[day], 240 / days, 560 / days);
}

static void a_fleet_of_old_keys_is_not_due_at_once(void **state)
{
    (void)state;
    spread_fleet(4 * MS_DAY, -300 * MS_DAY, 4);
    spread_fleet(8 * MS_DAY, -300 * MS_DAY, 8);
    spread_fleet(0, -300 * MS_DAY, 4);
    spread_fleet(0, 10 * MS_DAY + 1, 4); /* soon after the overlap */
    spread_fleet(0, 13 * MS_DAY, 4);
    spread_fleet(0, 16 * MS_DAY, 6);
}

/* Nothing is due later because its keys are old, be there no room between overlap and period. */
static void old_keys_are_spread_over_what_there_is(void **state)
{
    (void)state;
    const struct policy policy = {
        .rotate_every = 40 * MS_DAY, .overlap = 39 * MS_DAY, .rotate = true};
    const time_ms adopted = at("2026-03-02T00:00:00Z");

    assert_int_equal(schedule_first(&policy, "a1", adopted, adopted - 300 * MS_DAY),
                     schedule_first(&policy, "a1", adopted, TIME_NEVER));
}

/* Minute by minute for a year: nobody waits longer, and somebody waits that long. */
static void the_longest_wait_is_the_longest(void **state)
{
    (void)state;
    uint64_t seed = 42;

    for (int round = 0; round < 12; round++) {
        time_ms from = at("2026-02-10T00:00:00Z");
        duration_ms longest = 0;
        struct world world;
        duration_ms claimed;

        world_make(&world, &seed);
        claimed = schedule_longest_wait(&world.policy, from);
        for (time_ms now = from; now < from + 366 * MS_DAY; now += 7 * MS_MINUTE) {
            time_ms open = schedule_next_open(&world.policy, now);

            assert_true(open >= now && open - now <= claimed);
            if (open - now > longest)
                longest = open - now;
        }
        assert_true(claimed - longest < 7 * MS_MINUTE);
        world_done(&world);
    }
}

static void slots_have_names(void **state)
{
    (void)state;
    enum slot slot = SLOT_PRIMARY;

    assert_string_equal(slot_name(SLOT_PRIMARY), "primary");
    assert_string_equal(slot_name(SLOT_SECONDARY), "secondary");
    assert_true(slot_from_name("Secondary", &slot));
    assert_int_equal(slot, SLOT_SECONDARY);
    assert_true(slot_from_name("PRIMARY", &slot));
    assert_int_equal(slot, SLOT_PRIMARY);
    assert_false(slot_from_name("first", &slot));
    assert_false(slot_from_name("", &slot));
    assert_int_equal(slot_other(SLOT_PRIMARY), SLOT_SECONDARY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_open_and_close),
        cmocka_unit_test(several_windows_are_one_calendar),
        cmocka_unit_test(without_windows_it_is_always_open),
        cmocka_unit_test(the_longest_wait_counts_clock_changes),
        cmocka_unit_test(hashes_are_stable_and_spread),
        cmocka_unit_test(rotations_keep_their_time_line),
        cmocka_unit_test(ages_follow_the_rule_of_nine),
        cmocka_unit_test(starts_keep_their_promises),
        cmocka_unit_test(old_keys_are_due_earlier),
        cmocka_unit_test(a_fleet_of_old_keys_is_not_due_at_once),
        cmocka_unit_test(old_keys_are_spread_over_what_there_is),
        cmocka_unit_test(the_longest_wait_is_the_longest),
        cmocka_unit_test(slots_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
