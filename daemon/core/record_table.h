/*
 * The record table: a row for every member of `struct record`. Columns of SQL, the JSON value, the
 * comparison of two records, and the effect of a clock jump on a member all follow from its row.
 */
#ifndef KEYROTATED_CORE_RECORD_TABLE_H
#define KEYROTATED_CORE_RECORD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record.h"

enum member_kind {
    MEMBER_BOOL, /* up to MEMBER_TIME: a number */
    MEMBER_U32,
    MEMBER_U64,         /* at most INT64_MAX */
    MEMBER_TIME,        /* an instant or a duration; TIME_NEVER is written as null */
    MEMBER_TEXT,        /* from here on: a text */
    MEMBER_FINGERPRINT, /* hex; "" is none */
    MEMBER_TARGET_ID,
    MEMBER_REPLACED,    /* REPLACED_MAX fingerprints, separated by blanks */
    MEMBER_REPLACED_AT, /* … instants; 0 is none */
    MEMBER_SLOTS,       /* … names of slots */
    MEMBER_SLOT,        /* from here on: the name of an enum's value */
    MEMBER_POSITION,
    MEMBER_TRIGGER,
    MEMBER_DRIFT,
    MEMBER_REASON
};

/*
 * The effect of a clock jump on an instant. After a clock was set back while we were off, instants
 * lie in the future: each is clamped, so that nothing waits for a year. A wait that runs while the
 * clock is set keeps its true length: its instant moves along.
 */
enum member_clock {
    CLOCK_STAYS,          /* on the calendar's time line, or no instant */
    CLOCK_PAST,           /* stays; clamped to now; those that follow move along */
    CLOCK_WAIT_FROM,      /* a wait counts from it: moves along; clamped to now */
    CLOCK_UNTIL_CHECK,    /* a wait ends then: moves along; clamped to the policy's check_every */
    CLOCK_UNTIL_DAY,      /* … to a day */
    CLOCK_UNTIL_RETRY,    /* … to a day, or retry_max where that is longer */
    CLOCK_UNTIL_SETTLED,  /* … to unknown_wait */
    CLOCK_UNTIL_OPERATION /* … to the longest that a regenerate may be in doubt */
};

/* The change of a member for which the account waits until it is durable. */
enum member_wait {
    WAIT_NEVER,
    WAIT_WHEN_SET,    /* it becomes another value, and not 0, false or none */
    WAIT_WHEN_CLEARED /* it becomes 0, false or none */
};

struct record_member {
    const char *name; /* its column, and its name in JSON: stays as released */
    enum member_kind kind;
    enum member_clock clock;
    enum member_wait wait;
    size_t offset, size; /* in struct record or struct target_record */
};

struct record_table {
    const struct record_member *members;
    size_t count;
};
/* All of struct record but `targets` and `target_count`; all of struct target_record. */
extern const struct record_table record_table, record_target_table;

static inline bool member_is_number(const struct record_member *member)
{
    return member->kind <= MEMBER_TIME;
}

/* The value of the member in *row (a record, or a target's) as a number. */
int64_t member_number(const struct record_member *member, const void *row);
/* Sets the member in *row. Returns false when the value is invalid. */
bool member_set_number(const struct record_member *member, void *row, int64_t number);

/* The same for texts; `out` is used where the text has to be made. */
enum { MEMBER_TEXT_MAX = REPLACED_MAX * FINGERPRINT_TEXT_MAX };
const char *member_text(const struct record_member *member, const void *row,
                        char out[MEMBER_TEXT_MAX]);
bool member_set_text(const struct record_member *member, void *row, const char *text);

bool member_equal(const struct record_member *member, const void *a, const void *b);
/* Is it 0, false, "" or all zero? */
bool member_is_none(const struct record_member *member, const void *row);

#endif
