/*
 * Compiled time zones: the file format TZif (RFC 9636), and the rule in its last line (POSIX TZ
 * with the extensions of section 3.3.1), which goes on where the table ends.
 *
 * The file is read from memory and checked whole; what is returned is immutable.
 */
#ifndef KEYROTATED_BASE_TZIF_H
#define KEYROTATED_BASE_TZIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TZIF_FILE_MAX = 256 * 1024 };

/* A day of each year, and the time of it. */
struct tzif_day {
    enum { TZIF_MONTH_WEEK_DAY, TZIF_DAY_WITHOUT_LEAP, TZIF_DAY_OF_YEAR } form;
    int month, week, weekday; /* 1-12, 1-5 (5: the last), 0 = Sunday */
    int day;                  /* 1-365, February 29 not counted; or 0-365 */
    int32_t seconds;          /* since midnight by the clock before the change; may be negative */
};

/* Offsets are seconds east of Greenwich. */
struct tzif_rule {
    int32_t standard;
    bool changes; /* false: the members below are unused */
    int32_t daylight;
    struct tzif_day to_daylight, to_standard;
};

struct tzif_change {
    int64_t at; /* seconds since 1970 */
    int32_t offset;
};

struct tzif {
    int32_t first_offset; /* before all changes */
    bool has_rule;        /* applies from the last change on; without a rule the last offset
                           * stays */
    struct tzif_rule rule;
    size_t change_count;
    struct tzif_change changes[]; /* ascending */
};

/*
 * Parses a whole file. Returns NULL with errno ENOMEM, or EBADMSG: the file is of another format,
 * damaged, without a 64-bit part (written before 2006), or counts leap seconds, which this
 * program's clocks leave out. To be freed with free().
 */
struct tzif *tzif_parse(const void *bytes, size_t length);

/* A stretch of time in which the offset stays: from `from` until just before `until`, in seconds.
 * INT64_MIN and INT64_MAX: without a beginning, without an end. */
struct tzif_interval {
    int64_t from, until;
    int32_t offset;
};

/* The interval that holds an instant. The next interval may have the same offset. */
struct tzif_interval tzif_interval(const struct tzif *tzif, int64_t at);

#endif
