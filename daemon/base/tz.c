#include "base/tz.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/tzif.h"

struct tz {
    struct tzif *rules;
    struct tzif_interval last; /* found: a schedule asks about few days, again and again */
    char name[];
};

/* The largest distance of a local clock from UTC, jumps across the date line included. */
enum { OFFSET_MAX_SECONDS = 26 * 3600 };

enum { NAMES_FILE_MAX = 1024 * 1024, LINKS_MAX = 8 };

/* Names in the database have no dot, so a name cannot lead out of the directory. POSIX rules such
 * as "UTC+3" are no names: the database has no such files. */
static bool is_database_name(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_/";
    size_t length = strlen(name);

    return length > 0 && strspn(name, allowed) == length && name[0] != '/';
}

/* Reads a file of the database. Negative errno. */
static int read_database(const char *name, struct buf *out)
{
    const char *directory = getenv("TZDIR");
    char path[PATH_MAX];
    struct err ignored = {0};

    int length =
        snprintf(path, sizeof(path), "%s/%s", directory ? directory : "/usr/share/zoneinfo", name);
    if (length < 0 || (size_t)length >= sizeof(path))
        return -ENAMETOOLONG;
    return fs_read(path, out, &ignored);
}

/* UTC is known without a database. */
static struct tzif *load_rules(const char *name)
{
    struct tzif *rules = NULL;
    struct buf content;
    int rc;

    if (str_equal(name, "UTC"))
        return calloc(1, sizeof(struct tzif));
    if (!is_database_name(name)) {
        errno = ENOENT;
        return NULL;
    }
    buf_init(&content, TZIF_FILE_MAX);
    rc = read_database(name, &content);
    if (rc == 0 && str_starts_with(buf_str(&content), "TZif"))
        rules = tzif_parse(content.data, content.length);
    else
        errno = rc == -ENOMEM ? ENOMEM : ENOENT; /* the database has lists, too */
    rc = errno;
    buf_done(&content);
    errno = rc;
    return rules;
}

struct tz *tz_load(const char *name)
{
    struct tzif *rules = load_rules(name);
    size_t name_size = strlen(name) + 1;
    struct tz *tz;

    if (!rules)
        return NULL;
    tz = calloc(1, sizeof(*tz) + name_size);
    if (!tz) {
        free(rules);
        errno = ENOMEM;
        return NULL;
    }
    tz->rules = rules;
    tz->last = tzif_interval(rules, 0);
    memcpy(tz->name, name, name_size);
    return tz;
}

void tz_free(struct tz *tz)
{
    if (!tz)
        return;
    free(tz->rules);
    free(tz);
}

const char *tz_name(const struct tz *tz)
{
    return tz->name;
}

/* --- former names --- */

/* The target of the line "L TARGET NAME", with its length; NULL where there is none. */
static const char *find_link(const char *text, const char *name, size_t name_length,
                             size_t *ret_length)
{
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n")) {
        const char *target;
        size_t length;

        line += *line == '\n';
        if (!str_starts_with(line, "L "))
            continue;
        target = line + 2;
        length = strcspn(target, " \n");
        if (target[length] == ' ' && strncmp(target + length + 1, name, name_length) == 0 &&
            strchr("\n", target[length + 1 + name_length])) {
            *ret_length = length;
            return target;
        }
    }
    return NULL;
}

/* Follows links until there is a name that can be loaded. */
static char *follow_links(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (int i = 0; i < LINKS_MAX; i++) {
        struct tz *tz;
        char *found;

        name = find_link(text, name, length, &length);
        if (!name)
            break;
        found = strndup(name, length);
        if (!found)
            return NULL;
        tz = tz_load(found);
        tz_free(tz);
        if (tz)
            return found;
        free(found);
        if (errno == ENOMEM)
            return NULL;
    }
    errno = ENOENT;
    return NULL;
}

char *tz_current_name(const char *name)
{
    struct buf text;
    char *current = NULL;
    int rc;

    buf_init(&text, NAMES_FILE_MAX);
    rc = is_database_name(name) ? read_database("tzdata.zi", &text) : -ENOENT;
    if (rc == 0)
        current = follow_links(buf_str(&text), name);
    else
        errno = rc == -ENOMEM ? ENOMEM : ENOENT;
    rc = errno;
    buf_done(&text);
    errno = rc;
    return current;
}

/* --- the clocks of a place --- */

/* The cache in `tz` is invisible to callers, so `tz` is const. */
static struct tzif_interval interval_at(const struct tz *tz, int64_t at)
{
    struct tzif_interval *last = &((struct tz *)(uintptr_t)tz)->last;

    if (at < last->from || at >= last->until)
        *last = tzif_interval(tz->rules, at);
    return *last;
}

static int64_t seconds_of(time_ms at)
{
    return at / MS_SECOND - (at % MS_SECOND < 0);
}

struct civil_time tz_to_civil(const struct tz *tz, time_ms at)
{
    int64_t utc_seconds = seconds_of(at);
    int64_t shown = utc_seconds + interval_at(tz, utc_seconds).offset;
    int64_t days = shown / 86400 - (shown % 86400 < 0);
    int64_t second_of_day = shown - days * 86400;
    struct date date = date_from_days(days);

    return (struct civil_time){
        .year = (int)date.year,
        .month = date.month,
        .day = date.day,
        .hour = (int)(second_of_day / 3600),
        .minute = (int)(second_of_day / 60 % 60),
        .second = (int)(second_of_day % 60),
        .weekday = date.weekday,
    };
}

/*
 * Returns the first instant at which the clocks show `shown` or later. For a time that occurs twice
 * this is the earlier instant; for a skipped time it is the moment of the jump.
 */
static int64_t first_second_showing(const struct tz *tz, int64_t shown)
{
    int64_t late_enough = shown + OFFSET_MAX_SECONDS;
    int64_t start = shown - OFFSET_MAX_SECONDS;

    for (;;) {
        struct tzif_interval interval = interval_at(tz, start);
        int64_t reached = shown - interval.offset;

        if (reached < interval.until || interval.until > late_enough)
            return reached > start ? reached : start;
        start = interval.until;
    }
}

time_ms tz_from_civil(const struct tz *tz, int year, int month, int day, int hour, int minute)
{
    int64_t days = date_to_days(year, month, day);
    int64_t shown = days * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60;
    time_ms at;

    if (__builtin_mul_overflow(first_second_showing(tz, shown), MS_SECOND, &at))
        return shown > 0 ? TIME_NEVER : INT64_MIN;
    return at;
}
