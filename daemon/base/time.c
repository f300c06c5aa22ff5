#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * MS_SECOND + now.tv_nsec / 1000000;
}

time_ms time_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

duration_ms time_boot(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

duration_ms time_between(time_ms from, time_ms to)
{
    duration_ms between;

    if (__builtin_sub_overflow(to, from, &between))
        return to > from ? INT64_MAX : INT64_MIN;
    return between;
}

time_ms time_add(time_ms at, duration_ms by)
{
    time_ms sum;

    if (at == TIME_NEVER)
        return TIME_NEVER;
    if (__builtin_add_overflow(at, by, &sum))
        return by > 0 ? TIME_NEVER : INT64_MIN;
    return sum;
}

struct unit {
    const char *name;
    duration_ms length;
};

/* In falling order. */
static const struct unit UNITS[] = {
    {"w", MS_WEEK}, {"d", MS_DAY}, {"h", MS_HOUR}, {"m", MS_MINUTE}, {"s", MS_SECOND}, {"ms", 1},
};
enum { UNIT_COUNT = sizeof(UNITS) / sizeof(UNITS[0]) };

/* Durations are written without weeks: "14d" is easier to compare with "10d" than "2w" is. */
static const struct unit *const WRITTEN_UNITS = UNITS + 1;
enum { WRITTEN_UNIT_COUNT = UNIT_COUNT - 1 };

/* Index of the unit whose name is the whole run of letters at the front, or -1. */
static int take_unit(const char **text)
{
    size_t letters = strspn(*text, "abcdefghijklmnopqrstuvwxyz");

    for (int i = 0; i < UNIT_COUNT; i++) {
        if (strlen(UNITS[i].name) == letters && str_starts_with(*text, UNITS[i].name)) {
            *text += letters;
            return i;
        }
    }
    return -1;
}

static bool take_number(const char **text, int64_t *ret_value)
{
    int64_t value = 0;

    if (**text < '0' || **text > '9')
        return false;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, **text - '0', &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool duration_parse(const char *text, duration_ms *ret_duration)
{
    static const duration_ms longest = 365250 * MS_DAY; /* 1000 years */
    duration_ms sum = 0;
    int last_unit = -1;

    do {
        int64_t count;
        duration_ms part;

        if (!take_number(&text, &count))
            return false;
        int unit = take_unit(&text);
        if (unit <= last_unit)
            return false;
        if (__builtin_mul_overflow(count, UNITS[unit].length, &part) ||
            __builtin_add_overflow(sum, part, &sum) || sum > longest)
            return false;
        last_unit = unit;
    } while (*text != '\0');

    *ret_duration = sum;
    return true;
}

static uint64_t magnitude(duration_ms duration)
{
    return duration < 0 ? 0 - (uint64_t)duration : (uint64_t)duration;
}

/* Writes up to `most` of the units that `rest` is made of, starting with the largest. */
static void write_units(duration_ms duration, uint64_t rest, int most, const char *gap, char *out)
{
    size_t used = 0;
    int written = 0;

    if (duration < 0)
        out[used++] = '-';
    for (int i = 0; i < WRITTEN_UNIT_COUNT && written < most; i++) {
        uint64_t length = (uint64_t)WRITTEN_UNITS[i].length;
        if (rest >= length) {
            used += (size_t)snprintf(out + used, DURATION_TEXT_MAX - used, "%s%" PRIu64 "%s",
                                     written > 0 ? gap : "", rest / length, WRITTEN_UNITS[i].name);
            rest %= length;
            written++;
        }
    }
    if (written == 0)
        str_copy(out, DURATION_TEXT_MAX, "0s");
}

char *duration_to_text(duration_ms duration, char *out)
{
    write_units(duration, magnitude(duration), WRITTEN_UNIT_COUNT, "", out);
    return out;
}

char *duration_to_words(duration_ms duration, char *out)
{
    uint64_t length = magnitude(duration);
    uint64_t grain = 1;

    if (length >= (uint64_t)MS_DAY)
        grain = (uint64_t)MS_HOUR;
    else if (length >= (uint64_t)MS_HOUR)
        grain = (uint64_t)MS_MINUTE;
    else if (length >= (uint64_t)MS_SECOND)
        grain = (uint64_t)MS_SECOND;
    /* Rounding can carry into the next unit: 59m 59.7s becomes 1h. */
    write_units(duration, (length + grain / 2) / grain * grain, 2, " ", out);
    return out;
}
