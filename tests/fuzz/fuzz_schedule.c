/*
 * Windows of a week in the time zones of the world: a window that opens is open, and closes later;
 * what clocks show is what the C library says that they show, and leads back to the instant.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/tz.h"
#include "core/schedule.h"
#include "fuzz.h"

enum { WINDOWS_MAX = 3, ZONES = 16, YEARS = 2060 - 1973, MINUTES_PER_DAY = 1440 };
static const time_ms begin_1973 = 94694400 * MS_SECOND;

static const char *const zone_names[ZONES] = {"UTC",
                                              "Europe/Berlin",
                                              "America/New_York",
                                              "Asia/Kathmandu",
                                              "Asia/Tehran",
                                              "Australia/Lord_Howe",
                                              "Pacific/Apia",
                                              "Africa/Casablanca",
                                              "Europe/Dublin",
                                              "America/Sao_Paulo",
                                              "Antarctica/Troll",
                                              "Asia/Gaza",
                                              "Pacific/Chatham",
                                              "Africa/Cairo",
                                              "America/Scoresbysund",
                                              "Europe/London"};
static struct tz *zones[ZONES];

static void load_zones(void)
{
    for (size_t i = 0; i < ZONES; i++) {
        zones[i] = tz_load(zone_names[i]);
        MUST(zones[i]);
    }
}

/* The C library reads the same database with code of its own. */
static void same_as_libc(const char *zone, const struct civil_time *civil, time_ms at)
{
    const time_t seconds = (time_t)(at / MS_SECOND);
    struct tm tm;

    MUST(setenv("TZ", zone, 1) == 0);
    tzset();
    MUST(localtime_r(&seconds, &tm));
    MUST(tm.tm_year + 1900 == civil->year && tm.tm_mon + 1 == civil->month);
    MUST(tm.tm_mday == civil->day && tm.tm_hour == civil->hour && tm.tm_min == civil->minute);
    MUST(tm.tm_sec == civil->second && (tm.tm_wday + 6) % 7 == civil->weekday);
}

static void there_and_back(size_t zone, time_ms at)
{
    const struct civil_time civil = tz_to_civil(zones[zone], at);
    const time_ms back =
        tz_from_civil(zones[zone], civil.year, civil.month, civil.day, civil.hour, civil.minute);
    const struct civil_time again = tz_to_civil(zones[zone], back);

    same_as_libc(zone_names[zone], &civil, at);
    MUST(back <= at && again.year == civil.year && again.month == civil.month);
    MUST(again.day == civil.day && again.hour == civil.hour && again.minute == civil.minute);
}

static void open_and_close(const struct policy *policy, time_ms at)
{
    const time_ms open = schedule_next_open(policy, at);
    const time_ms close = schedule_close(policy, open);
    const time_ms start = schedule_start(policy, "/subscriptions/s/a", at);

    MUST(open >= at && open != TIME_NEVER);
    MUST(schedule_is_open(policy, open) && close > open);
    MUST(start >= open && schedule_is_open(policy, start));
    MUST(close == TIME_NEVER || !schedule_is_open(policy, close));
    MUST(open == at || !schedule_is_open(policy, open - 1));
    MUST(schedule_longest_wait(policy, at) >= open - at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    const time_ms at =
        begin_1973 + (time_ms)(fuzz_take_number(&input, 5) * MS_SECOND % (YEARS * 365 * MS_DAY));
    struct window windows[WINDOWS_MAX];
    struct policy policy = {.windows = windows, .window_count = 0};

    if (!zones[0])
        load_zones();
    policy.splay = (duration_ms)fuzz_take_number(&input, 3) * MS_SECOND;
    while (policy.window_count < WINDOWS_MAX && input.left >= 6) {
        struct window *window = &windows[policy.window_count++];

        window->days = (uint8_t)(fuzz_take_number(&input, 1) % 127 + 1);
        window->from_minute = (int)(fuzz_take_number(&input, 2) % MINUTES_PER_DAY);
        window->to_minute = (int)(fuzz_take_number(&input, 2) % MINUTES_PER_DAY);
        window->tz = zones[fuzz_take_number(&input, 1) % ZONES];
    }
    there_and_back(size % ZONES, at);
    for (size_t i = 0; i < policy.window_count; i++) {
        for (size_t zone = 0; zone < ZONES; zone++) {
            if (zones[zone] == windows[i].tz)
                there_and_back(zone, at);
        }
    }
    if (policy.window_count > 0)
        open_and_close(&policy, at);
    return 0;
}
