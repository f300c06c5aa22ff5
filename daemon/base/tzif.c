#include "base/tzif.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/encoding.h"

enum {
    HEADER_SIZE = 44,
    TYPE_SIZE = 6,
    SECONDS_PER_DAY = 86400,
    FURTHEST_OFFSET = 26 * 3600, /* RFC 9636, section 3.2: -89999 to 93599 */
    LONGEST_TIME_HOURS = 167,    /* section 3.3.1 */
};

/* What is left to read. */
struct input {
    const unsigned char *at;
    size_t left;
};

struct header {
    unsigned char version;
    uint32_t ut_marks, standard_marks, leap_seconds, changes, types, name_bytes;
};

/* --- the rule: std offset [dst [offset] , start [/time] , end [/time]] --- */

static bool take(struct input *input, unsigned char byte)
{
    if (input->left == 0 || *input->at != byte)
        return false;
    input->at++;
    input->left--;
    return true;
}

static bool take_number(struct input *input, int minimum, int maximum, int *ret_number)
{
    int number = 0;
    size_t digits = 0;

    for (; input->left > 0 && char_is_digit((char)*input->at) && digits < 4; digits++) {
        number = number * 10 + (*input->at - '0');
        input->at++;
        input->left--;
    }
    *ret_number = number;
    return digits > 0 && number >= minimum && number <= maximum;
}

/* "CET", or "<+03>". */
static bool skip_name(struct input *input)
{
    bool quoted = take(input, '<');
    size_t length = 0;

    while (input->left > 0 && (char_is_letter((char)*input->at) ||
                               (quoted && (char_is_digit((char)*input->at) || *input->at == '+' ||
                                           *input->at == '-')))) {
        input->at++;
        input->left--;
        length++;
    }
    return length >= 3 && (!quoted || take(input, '>'));
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static bool take_time(struct input *input, int maximum_hours, int32_t *ret_seconds)
{
    bool negative = take(input, '-');
    int hours = 0, minutes = 0, seconds = 0;

    if (!negative)
        (void)take(input, '+');
    if (!take_number(input, 0, maximum_hours, &hours))
        return false;
    if (take(input, ':')) {
        if (!take_number(input, 0, 59, &minutes))
            return false;
        if (take(input, ':') && !take_number(input, 0, 59, &seconds))
            return false;
    }
    *ret_seconds = hours * 3600 + minutes * 60 + seconds;
    if (negative)
        *ret_seconds = -*ret_seconds;
    return true;
}

/* POSIX counts west of Greenwich. */
static bool take_offset(struct input *input, int32_t *ret_east)
{
    int32_t west;

    if (!take_time(input, 24, &west))
        return false;
    *ret_east = -west;
    return true;
}

static bool take_day(struct input *input, struct tzif_day *day)
{
    bool ok;

    *day = (struct tzif_day){.seconds = 2 * 3600};
    if (take(input, 'M')) {
        day->form = TZIF_MONTH_WEEK_DAY;
        ok = take_number(input, 1, 12, &day->month) && take(input, '.') &&
             take_number(input, 1, 5, &day->week) && take(input, '.') &&
             take_number(input, 0, 6, &day->weekday);
    } else if (take(input, 'J')) {
        day->form = TZIF_DAY_WITHOUT_LEAP;
        ok = take_number(input, 1, 365, &day->day);
    } else {
        day->form = TZIF_DAY_OF_YEAR;
        ok = take_number(input, 0, 365, &day->day);
    }
    return ok && (!take(input, '/') || take_time(input, LONGEST_TIME_HOURS, &day->seconds));
}

/* Daylight time without dates is refused: no standard says when it begins and ends. */
static bool take_rule(struct input *input, struct tzif_rule *rule)
{
    if (!skip_name(input) || !take_offset(input, &rule->standard))
        return false;
    rule->changes = input->left > 0;
    if (!rule->changes)
        return true;
    if (!skip_name(input))
        return false;
    rule->daylight = rule->standard + 3600;
    if (!take(input, ',') && (!take_offset(input, &rule->daylight) || !take(input, ',')))
        return false;
    return take_day(input, &rule->to_daylight) && take(input, ',') &&
           take_day(input, &rule->to_standard) && input->left == 0;
}

/* --- the rule, applied --- */

static int64_t day_number(const struct tzif_day *day, int64_t year)
{
    int64_t first = date_to_days(year, 1, 1);
    int64_t next;
    struct date date;

    switch (day->form) {
    case TZIF_DAY_OF_YEAR:
        return first + day->day;
    case TZIF_DAY_WITHOUT_LEAP: /* day 60 is March 1 in every year */
        return day->day < 60 ? first + day->day - 1 : date_to_days(year, 3, 1) + day->day - 60;
    case TZIF_MONTH_WEEK_DAY:
        break;
    }
    first = date_to_days(year, day->month, 1);
    next = date_to_days(year, day->month + 1, 1);
    date = date_from_days(first);
    first += (day->weekday + 6 - date.weekday + 7) % 7 + 7 * ((int64_t)day->week - 1);
    return first < next ? first : first - 7;
}

/* Both changes of a year, in their order. */
static void changes_of_year(const struct tzif_rule *rule, int64_t year,
                            struct tzif_change changes[2])
{
    struct tzif_change to_daylight = {
        .at = day_number(&rule->to_daylight, year) * SECONDS_PER_DAY + rule->to_daylight.seconds -
              rule->standard,
        .offset = rule->daylight,
    };
    struct tzif_change to_standard = {
        .at = day_number(&rule->to_standard, year) * SECONDS_PER_DAY + rule->to_standard.seconds -
              rule->daylight,
        .offset = rule->standard,
    };
    bool daylight_first = to_daylight.at <= to_standard.at;

    changes[0] = daylight_first ? to_daylight : to_standard;
    changes[1] = daylight_first ? to_standard : to_daylight;
}

static int64_t year_of(int64_t at)
{
    return date_from_days(at / SECONDS_PER_DAY - (at % SECONDS_PER_DAY < 0)).year;
}

/* In UTC a change may fall into the year before or after its own. Of two changes at the same moment
 * the later year's applies: this is how a rule expresses permanent daylight time. */
static struct tzif_interval rule_interval(const struct tzif_rule *rule, int64_t at)
{
    struct tzif_interval found = {INT64_MIN, INT64_MAX, rule->standard};
    int64_t year;

    if (!rule->changes)
        return found;
    year = year_of(at);
    for (int64_t each = year - 1; each <= year + 1; each++) {
        struct tzif_change changes[2];

        changes_of_year(rule, each, changes);
        for (size_t i = 0; i < 2; i++) {
            if (changes[i].at <= at) {
                found.from = changes[i].at;
                found.offset = changes[i].offset;
            } else if (changes[i].at < found.until) {
                found.until = changes[i].at;
            }
        }
    }
    return found;
}

/* --- the table --- */

static uint64_t take_integer(struct input *input, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | input->at[i];
    input->at += bytes;
    input->left -= bytes;
    return number;
}

static bool skip(struct input *input, uint64_t bytes)
{
    if (input->left < bytes)
        return false;
    input->at += bytes;
    input->left -= bytes;
    return true;
}

static bool take_header(struct input *input, struct header *header)
{
    if (input->left < HEADER_SIZE || memcmp(input->at, "TZif", 4) != 0)
        return false;
    header->version = input->at[4];
    (void)skip(input, 20);
    header->ut_marks = (uint32_t)take_integer(input, 4);
    header->standard_marks = (uint32_t)take_integer(input, 4);
    header->leap_seconds = (uint32_t)take_integer(input, 4);
    header->changes = (uint32_t)take_integer(input, 4);
    header->types = (uint32_t)take_integer(input, 4);
    header->name_bytes = (uint32_t)take_integer(input, 4);
    return true;
}

/* The length of the data after a header, with instants of `instant_size` bytes. */
static uint64_t data_size(const struct header *header, uint64_t instant_size)
{
    return header->changes * (instant_size + 1) + header->types * (uint64_t)TYPE_SIZE +
           header->name_bytes + header->leap_seconds * (instant_size + 4) + header->standard_marks +
           header->ut_marks;
}

/* Offset of a type of the table. */
static int32_t type_offset(const unsigned char *types, size_t index)
{
    struct input input = {.at = types + index * TYPE_SIZE, .left = TYPE_SIZE};

    return (int32_t)(uint32_t)take_integer(&input, 4);
}

static bool fill_changes(struct tzif *tzif, const struct header *header, struct input *input)
{
    const unsigned char *indexes = input->at + header->changes * sizeof(int64_t);
    const unsigned char *types = indexes + header->changes;

    for (size_t i = 0; i < header->types; i++) {
        int32_t offset = type_offset(types, i);

        if (offset < -FURTHEST_OFFSET || offset > FURTHEST_OFFSET)
            return false;
    }
    tzif->first_offset = type_offset(types, 0);
    for (size_t i = 0; i < header->changes; i++) {
        struct tzif_change *change = &tzif->changes[i];

        change->at = (int64_t)take_integer(input, sizeof(int64_t));
        if (indexes[i] >= header->types || (i > 0 && change->at <= change[-1].at))
            return false;
        change->offset = type_offset(types, indexes[i]);
    }
    tzif->change_count = header->changes;
    return true;
}

/* The last line: "\n", the rule or nothing, "\n". */
static bool fill_rule(struct tzif *tzif, struct input input)
{
    if (!take(&input, '\n') || input.left == 0 || input.at[input.left - 1] != '\n')
        return false;
    input.left--;
    tzif->has_rule = input.left > 0;
    return !tzif->has_rule || take_rule(&input, &tzif->rule);
}

static struct tzif *refuse(struct tzif *tzif)
{
    free(tzif);
    errno = EBADMSG;
    return NULL;
}

struct tzif *tzif_parse(const void *bytes, size_t length)
{
    struct input input = {.at = bytes, .left = length};
    struct input data;
    struct header header;
    struct tzif *tzif;

    /* The first part has 32-bit instants, for readers of old. */
    if (length > TZIF_FILE_MAX || !take_header(&input, &header) || header.version < '2' ||
        !skip(&input, data_size(&header, 4)) || !take_header(&input, &header))
        return refuse(NULL);
    data = input;
    if (header.types == 0 || header.leap_seconds > 0 ||
        !skip(&input, data_size(&header, sizeof(int64_t))))
        return refuse(NULL);
    tzif = calloc(1, sizeof(*tzif) + header.changes * sizeof(tzif->changes[0]));
    if (!tzif) {
        errno = ENOMEM;
        return NULL;
    }
    if (!fill_changes(tzif, &header, &data) || !fill_rule(tzif, input))
        return refuse(tzif);
    return tzif;
}

/* The number of changes at or before `at`. */
static size_t changes_until(const struct tzif *tzif, int64_t at)
{
    size_t low = 0;
    size_t high = tzif->change_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tzif->changes[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct tzif_interval tzif_interval(const struct tzif *tzif, int64_t at)
{
    const struct tzif_change *changes = tzif->changes;
    size_t passed = changes_until(tzif, at);
    struct tzif_interval found = {INT64_MIN, INT64_MAX, tzif->first_offset};

    if (passed == tzif->change_count && tzif->has_rule)
        found = rule_interval(&tzif->rule, at);
    else if (passed > 0)
        found.offset = changes[passed - 1].offset;
    if (passed > 0 && found.from < changes[passed - 1].at)
        found.from = changes[passed - 1].at;
    if (passed < tzif->change_count)
        found.until = changes[passed].at;
    return found;
}
