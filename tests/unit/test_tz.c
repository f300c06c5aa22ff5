/*
 * Time zones. The instants were taken from the rules of each zone by hand and compared with another
 * reader of the tz database; rules of the past do not change any more, those of coming decades were
 * chosen where a change is least likely.
 */
#include "base/tz.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/str.h"
#include "patience.h"
#include "zone_file.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static struct tz *load(const char *name)
{
    struct tz *tz = tz_load(name);

    if (!tz)
        fail_msg("the tz database lacks %s", name);
    return tz;
}

static time_ms instant(const char *rfc3339)
{
    time_ms at = 0;

    assert_true(date_from_rfc3339(rfc3339, &at));
    return at;
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "Mars/Phobos",
        "Europe",   /* a directory */
        "zone.tab", /* no zone, though it lies in the database */
        "tzdata.zi",
        "UTC+3", /* a POSIX rule, and one that means the opposite */
        "CET-1CEST",
        "+01:00",
        "Europe/Berlin ",
        "Europe/../Europe/Berlin",
        "../zoneinfo/Europe/Berlin",
        "/usr/share/zoneinfo/Europe/Berlin",
        ":Europe/Berlin",
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_null(tz_load(wrong[i]));
}

static void zones_are_named(void **state)
{
    (void)state;
    struct tz *tz = load("Europe/Berlin");

    assert_string_equal(tz_name(tz), "Europe/Berlin");
    tz_free(tz);
    tz_free(NULL);
}

static void utc_works_without_a_database(void **state)
{
    (void)state;
    const char *before = getenv("TZDIR");
    char *saved = str_dup(before);

    setenv("TZDIR", "/nonexistent", 1);
    struct tz *utc = tz_load("UTC");
    assert_null(tz_load("Europe/Paris"));
    if (saved)
        setenv("TZDIR", saved, 1);
    else
        unsetenv("TZDIR");
    free(saved);

    assert_non_null(utc);
    assert_int_equal(tz_from_civil(utc, 2026, 11, 22, 12, 0), instant("2026-11-22T12:00:00Z"));
    tz_free(utc);
}

struct shown {
    const char *zone;
    const char *at;
    const char *text; /* year-month-day hour:minute:second weekday */
};

static const struct shown SHOWN[] = {
    {"UTC", "1970-01-01T00:00:00Z", "1970-01-01 00:00:00 3"},
    {"UTC", "1969-12-31T23:59:59.999Z", "1969-12-31 23:59:59 2"},
    {"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59:59 6"},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29 03:00:00 6"},
    {"Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25 02:59:59 6"},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25 02:00:00 6"},
    {"Europe/Berlin", "2026-12-31T23:00:00Z", "2027-01-01 00:00:00 4"},
    {"Europe/Berlin", "2050-07-01T12:00:00Z", "2050-07-01 14:00:00 4"},
    {"Europe/Berlin", "2050-12-01T12:00:00Z", "2050-12-01 13:00:00 3"},
    {"America/New_York", "2026-03-08T06:59:59Z", "2026-03-08 01:59:59 6"},
    {"America/New_York", "2026-03-08T07:00:00Z", "2026-03-08 03:00:00 6"},
    {"America/New_York", "2026-11-01T05:59:59Z", "2026-11-01 01:59:59 6"},
    {"America/New_York", "2026-11-01T06:00:00Z", "2026-11-01 01:00:00 6"},
    {"America/New_York", "2060-07-01T16:00:00Z", "2060-07-01 12:00:00 3"},
    {"Australia/Lord_Howe", "2026-04-04T14:59:59Z", "2026-04-05 01:59:59 6"},
    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", "2026-04-05 01:30:00 6"},
    {"Australia/Lord_Howe", "2026-10-03T15:29:59Z", "2026-10-04 01:59:59 6"},
    {"Australia/Lord_Howe", "2026-10-03T15:30:00Z", "2026-10-04 02:30:00 6"},
    {"Asia/Kolkata", "2026-06-30T18:30:00Z", "2026-07-01 00:00:00 2"},
    {"Asia/Kathmandu", "2026-06-30T18:15:00Z", "2026-07-01 00:00:00 2"},
    {"Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29 23:59:59 3"},
    {"Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31 00:00:00 5"},
};

static void instants_to_civil_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SHOWN); i++) {
        struct tz *tz = load(SHOWN[i].zone);
        struct civil_time civil = tz_to_civil(tz, instant(SHOWN[i].at));
        char text[64];
        snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d %d", civil.year, civil.month,
                 civil.day, civil.hour, civil.minute, civil.second, civil.weekday);
        assert_string_equal(text, SHOWN[i].text);
        tz_free(tz);
    }
}

struct wanted {
    const char *zone;
    int year, month, day, hour, minute;
    const char *at;
};

static const struct wanted WANTED[] = {
    {"UTC", 2026, 11, 22, 12, 0, "2026-11-22T12:00:00Z"},
    {"UTC", 1969, 12, 31, 23, 59, "1969-12-31T23:59:00Z"},

    /* Skipped: 02:00 to 03:00. All of it is the moment of the jump. */
    {"Europe/Berlin", 2026, 3, 29, 1, 59, "2026-03-29T00:59:00Z"},
    {"Europe/Berlin", 2026, 3, 29, 2, 0, "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", 2026, 3, 29, 2, 30, "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", 2026, 3, 29, 2, 59, "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", 2026, 3, 29, 3, 0, "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", 2026, 3, 29, 3, 1, "2026-03-29T01:01:00Z"},
    /* Twice: 02:00 to 03:00. The first time counts. */
    {"Europe/Berlin", 2026, 10, 25, 1, 59, "2026-10-24T23:59:00Z"},
    {"Europe/Berlin", 2026, 10, 25, 2, 0, "2026-10-25T00:00:00Z"},
    {"Europe/Berlin", 2026, 10, 25, 2, 59, "2026-10-25T00:59:00Z"},
    {"Europe/Berlin", 2026, 10, 25, 3, 0, "2026-10-25T02:00:00Z"},
    /* The rules go on where the table of the zone ends. */
    {"Europe/Berlin", 2037, 7, 1, 12, 0, "2037-07-01T10:00:00Z"},
    {"Europe/Berlin", 2038, 7, 1, 12, 0, "2038-07-01T10:00:00Z"},
    {"Europe/Berlin", 2050, 3, 27, 2, 30, "2050-03-27T01:00:00Z"},
    {"Europe/Berlin", 2050, 10, 30, 2, 30, "2050-10-30T00:30:00Z"},
    {"Europe/Berlin", 2099, 7, 1, 12, 0, "2099-07-01T10:00:00Z"},

    /* Dublin's daylight time is the winter's, and has the offset zero. */
    {"Europe/Dublin", 2037, 12, 1, 22, 0, "2037-12-01T22:00:00Z"},
    {"Europe/Dublin", 2040, 1, 15, 22, 0, "2040-01-15T22:00:00Z"},
    {"Europe/Dublin", 2040, 7, 15, 22, 0, "2040-07-15T21:00:00Z"},

    {"America/New_York", 2026, 3, 8, 2, 30, "2026-03-08T07:00:00Z"},
    {"America/New_York", 2026, 11, 1, 1, 30, "2026-11-01T05:30:00Z"},
    {"America/New_York", 2026, 11, 1, 2, 0, "2026-11-01T07:00:00Z"},
    {"America/New_York", 2060, 7, 1, 12, 0, "2060-07-01T16:00:00Z"},
    {"America/New_York", 2060, 12, 1, 12, 0, "2060-12-01T17:00:00Z"},

    /* Half an hour of summer time. */
    {"Australia/Lord_Howe", 2026, 4, 5, 1, 29, "2026-04-04T14:29:00Z"},
    {"Australia/Lord_Howe", 2026, 4, 5, 1, 45, "2026-04-04T14:45:00Z"},
    {"Australia/Lord_Howe", 2026, 4, 5, 2, 0, "2026-04-04T15:30:00Z"},
    {"Australia/Lord_Howe", 2026, 10, 4, 1, 59, "2026-10-03T15:29:00Z"},
    {"Australia/Lord_Howe", 2026, 10, 4, 2, 15, "2026-10-03T15:30:00Z"},
    {"Australia/Lord_Howe", 2026, 10, 4, 2, 30, "2026-10-03T15:30:00Z"},
    {"Australia/Lord_Howe", 2050, 7, 1, 12, 0, "2050-07-01T01:30:00Z"},

    {"Asia/Kolkata", 2026, 1, 1, 0, 0, "2025-12-31T18:30:00Z"},
    {"Asia/Kolkata", 2050, 7, 1, 5, 30, "2050-07-01T00:00:00Z"},

    /* 30 December 2011 did not take place. */
    {"Pacific/Apia", 2011, 12, 29, 23, 59, "2011-12-30T09:59:00Z"},
    {"Pacific/Apia", 2011, 12, 30, 0, 0, "2011-12-30T10:00:00Z"},
    {"Pacific/Apia", 2011, 12, 30, 12, 0, "2011-12-30T10:00:00Z"},
    {"Pacific/Apia", 2011, 12, 30, 23, 59, "2011-12-30T10:00:00Z"},
    {"Pacific/Apia", 2011, 12, 31, 0, 0, "2011-12-30T10:00:00Z"},
    {"Pacific/Apia", 2011, 12, 31, 0, 1, "2011-12-30T10:01:00Z"},
    /* Juneau had a day twice when it moved from the Russian to the American side. */
    {"America/Juneau", 1867, 10, 18, 15, 45, "1867-10-18T00:42:41Z"},

    /* Midnight itself is skipped. */
    {"America/Sao_Paulo", 2018, 11, 4, 0, 0, "2018-11-04T03:00:00Z"},
    /* Winter time is the exception here, and summer time the standard. */
    {"Europe/Dublin", 2026, 10, 25, 1, 30, "2026-10-25T00:30:00Z"},

    /* Carried over. */
    {"Europe/Berlin", 2026, 3, 0, 12, 0, "2026-02-28T11:00:00Z"},
    {"Europe/Berlin", 2026, 13, 1, 12, 0, "2027-01-01T11:00:00Z"},
    {"Europe/Berlin", 2026, 12, 32, 0, 0, "2026-12-31T23:00:00Z"},
    {"Europe/Berlin", 2026, 2, 29, 0, 0, "2026-02-28T23:00:00Z"},
    {"Europe/Berlin", 2026, 1, 1, 24, 0, "2026-01-01T23:00:00Z"},
};

static void civil_time_to_instants(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        const struct wanted *wanted = &WANTED[i];
        struct tz *tz = load(wanted->zone);
        char text[DATE_TEXT_MAX];
        date_to_rfc3339(tz_from_civil(tz, wanted->year, wanted->month, wanted->day, wanted->hour,
                                      wanted->minute),
                        text);
        assert_string_equal(text, wanted->at);
        tz_free(tz);
    }
}

/* Whatever the clocks show leads back to that instant, or to the earlier one of two; and the clocks
 * show the same there. Every 47 minutes, so that all minutes of the hour are met. */
static void there_and_back(void **state)
{
    (void)state;
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                        "Pacific/Apia", "Africa/Casablanca"};

    for (size_t i = 0; i < COUNT_OF(zones); i++) {
        struct tz *tz = load(zones[i]);
        time_ms end = instant("2028-01-01T00:00:00Z");
        for (time_ms at = instant("2027-01-01T00:00:00Z"); at < end; at += 47 * MS_MINUTE) {
            struct civil_time c = tz_to_civil(tz, at);
            time_ms back = tz_from_civil(tz, c.year, c.month, c.day, c.hour, c.minute);
            assert_true(back <= at && at - back <= MS_HOUR);
            struct civil_time again = tz_to_civil(tz, back);
            assert_true(again.hour == c.hour && again.minute == c.minute && again.day == c.day);
        }
        tz_free(tz);
    }
}

static void far_away_years_saturate(void **state)
{
    (void)state;
    struct tz *tz = load("Europe/Berlin");

    assert_true(tz_from_civil(tz, INT32_MAX, 1, 1, 0, 0) == TIME_NEVER);
    assert_true(tz_from_civil(tz, INT32_MIN, 1, 1, 0, 0) == INT64_MIN);
    assert_int_equal(tz_to_civil(tz, TIME_NEVER).year, 292278994);
    tz_free(tz);
}

/* --- against another reader --- */

#define LAST_YEAR_COMPARED "2061-01-01T00:00:00Z"

enum { ONE_IN_UNDER_VALGRIND = 20 };

static unsigned zones_met, zones_compared;

/* What the C library's clocks show there, which has a reader of its own. */
static void compare_at(const struct tz *tz, time_ms at)
{
    time_t unix_seconds = at / MS_SECOND;
    struct civil_time ours = tz_to_civil(tz, at);
    char text[DATE_TEXT_MAX];
    struct tm theirs;

    assert_non_null(localtime_r(&unix_seconds, &theirs));
    if (ours.year != theirs.tm_year + 1900 || ours.month != theirs.tm_mon + 1 ||
        ours.day != theirs.tm_mday || ours.hour != theirs.tm_hour || ours.minute != theirs.tm_min ||
        ours.second != theirs.tm_sec)
        fail_msg("%s at %s: %02d:%02d:%02d, not %02d:%02d:%02d", tz_name(tz),
                 date_to_rfc3339(at, text), ours.hour, ours.minute, ours.second, theirs.tm_hour,
                 theirs.tm_min, theirs.tm_sec);
}

/* Of a day, so that it can be compared across midnight. */
static int64_t offset_at(const struct tz *tz, time_ms at)
{
    struct civil_time shown = tz_to_civil(tz, at);
    int64_t offset = (shown.hour * 60 + shown.minute) * 60 + shown.second - at / MS_SECOND % 86400;

    return (offset + 86400) % 86400;
}

/* Both sides, to the second, of a change between two instants. */
static void compare_change(const struct tz *tz, time_ms low, time_ms high)
{
    int64_t before = offset_at(tz, low);

    while (high - low > MS_SECOND) {
        time_ms middle = low + (high - low) / (2 * MS_SECOND) * MS_SECOND;

        if (offset_at(tz, middle) == before)
            low = middle;
        else
            high = middle;
    }
    compare_at(tz, low);
    compare_at(tz, high);
}

/* Every 25 hours, so that all hours are met, and at each of our changes. One that only the other
 * reader has shows at the next of these. */
static void compare_zone(const struct tz *tz)
{
    const time_ms step = 25 * MS_HOUR;
    const time_ms end = instant(LAST_YEAR_COMPARED);

    setenv("TZ", tz_name(tz), 1);
    tzset();
    for (time_ms at = 0; at < end; at += step) {
        compare_at(tz, at);
        if (offset_at(tz, at) != offset_at(tz, at + step))
            compare_change(tz, at, at + step);
    }
    zones_compared++;
}

static int compare_file(const char *path, const struct stat *status, int type, struct FTW *place)
{
    const char *name = path + strlen("/usr/share/zoneinfo/");
    struct tz *tz;

    (void)status;
    (void)place;
    /* posix/ holds the same again, right/ counts leap seconds. */
    if (type != FTW_F || str_starts_with(name, "posix/") || str_starts_with(name, "right/"))
        return 0;
    if (under_valgrind() && zones_met++ % ONE_IN_UNDER_VALGRIND != 0)
        return 0;
    tz = tz_load(name);
    if (tz)
        compare_zone(tz);
    else /* a list; a damaged zone would be EBADMSG */
        assert_int_equal(errno, ENOENT);
    tz_free(tz);
    return 0;
}

static void every_zone_is_read_as_the_c_library_reads_it(void **state)
{
    (void)state;
    assert_int_equal(nftw("/usr/share/zoneinfo", compare_file, 16, FTW_PHYS), 0);
    unsetenv("TZ");
    tzset();
    print_message("%u zones compared\n", zones_compared);
    assert_true(zones_compared > (under_valgrind() ? 300 / ONE_IN_UNDER_VALGRIND : 300));
}

static void leap_seconds_are_refused(void **state)
{
    (void)state;
    if (access("/usr/share/zoneinfo/right/Europe/Berlin", R_OK) != 0)
        skip();
    errno = 0;
    assert_null(tz_load("right/Europe/Berlin"));
    assert_int_equal(errno, EBADMSG);
}

/* --- a database of our own --- */

static char database[] = "/tmp/keyrotated-zones-XXXXXX";

static int enter_database(void **state)
{
    (void)state;
    memcpy(database + sizeof(database) - 7, "XXXXXX", 6);
    return !mkdtemp(database) || chdir(database) != 0 ? -1 : setenv("TZDIR", database, 1);
}

static int leave_database(void **state)
{
    (void)state;
    (void)unlink("Here");
    (void)unlink("tzdata.zi");
    unsetenv("TZDIR");
    return chdir("/") != 0 ? -1 : rmdir(database);
}

/* While the one before is still in use, as in a reload. */
static void a_zone_is_read_anew_each_time(void **state)
{
    (void)state;
    struct tz *before, *after;

    zone_file_write(&(struct zone_file){.rule = "TST-1"}, "Here");
    before = load("Here");
    zone_file_write(&(struct zone_file){.rule = "TST-2"}, "Here");
    after = load("Here");
    assert_int_equal(tz_to_civil(before, 0).hour, 1);
    assert_int_equal(tz_to_civil(after, 0).hour, 2);
    tz_free(before);
    tz_free(after);
}

static void write_names(const char *text)
{
    FILE *file = fopen("tzdata.zi", "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void former_names_are_known(void **state)
{
    (void)state;
    char *name;

    zone_file_write(&(struct zone_file){.rule = "TST-1"}, "Here");
    write_names(
        "# version 2026a\nZ Here 0 - TST\nL Here Old/Here\nL Old/Here Older/Here\n"
        "L Nowhere Lost\nL Loop Loop\nL Here Old");
    name = tz_current_name("Old/Here");
    assert_string_equal(name, "Here");
    free(name);
    name = tz_current_name("Older/Here");
    assert_string_equal(name, "Here");
    free(name);
    name = tz_current_name("Old");
    assert_string_equal(name, "Here");
    free(name);
    assert_null(tz_current_name("Lost"));
    assert_null(tz_current_name("Loop"));
    assert_null(tz_current_name("Old/Her"));
    assert_null(tz_current_name(""));
    assert_null(tz_current_name("Here\nL"));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(unlink("tzdata.zi"), 0);
    assert_null(tz_current_name("Old/Here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(zones_are_named),
        cmocka_unit_test(utc_works_without_a_database),
        cmocka_unit_test(instants_to_civil_time),
        cmocka_unit_test(civil_time_to_instants),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(far_away_years_saturate),
        cmocka_unit_test(every_zone_is_read_as_the_c_library_reads_it),
        cmocka_unit_test(leap_seconds_are_refused),
        cmocka_unit_test_setup_teardown(a_zone_is_read_anew_each_time, enter_database,
                                        leave_database),
        cmocka_unit_test_setup_teardown(former_names_are_known, enter_database, leave_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
