#include "core/record_table.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define ROW(of, kind_, member, name_, ...)                                                         \
    {                                                                                              \
        .name = (name_), .kind = MEMBER_##kind_, .offset = offsetof(struct of, member),            \
        .size = sizeof(((struct of *)0)->member), __VA_ARGS__                                      \
    }
#define RECORD(kind, member, ...)             ROW(record, kind, member, #member, __VA_ARGS__)
#define RECORD_NAMED(kind, member, name, ...) ROW(record, kind, member, name, __VA_ARGS__)
#define TARGET(kind, member, ...)             ROW(target_record, kind, member, #member, __VA_ARGS__)
#define TARGET_NAMED(kind, member, name, ...) ROW(target_record, kind, member, name, __VA_ARGS__)

static const struct record_member record_rows[] = {
    RECORD(POSITION, position),
    RECORD(BOOL, adopted, .wait = WAIT_WHEN_CLEARED),
    RECORD(SLOT, active),
    RECORD_NAMED(SLOT, delivering, "goal"),
    RECORD_NAMED(FINGERPRINT, live[SLOT_PRIMARY], "live_primary"),
    RECORD_NAMED(FINGERPRINT, live[SLOT_SECONDARY], "live_secondary"),
    RECORD_NAMED(TIME, born[SLOT_PRIMARY], "born_primary", .clock = CLOCK_PAST),
    RECORD_NAMED(TIME, born[SLOT_SECONDARY], "born_secondary", .clock = CLOCK_PAST),
    RECORD_NAMED(TIME, made[SLOT_PRIMARY], "made_primary", .clock = CLOCK_PAST),
    RECORD_NAMED(TIME, made[SLOT_SECONDARY], "made_secondary", .clock = CLOCK_PAST),
    RECORD(REPLACED, replaced),
    RECORD_NAMED(SLOTS, replaced_slot, "replaced_slots"),
    RECORD(REPLACED_AT, replaced_at),
    RECORD(U64, cycle),
    RECORD(TRIGGER, trigger),
    RECORD(TEXT, actor),
    RECORD(TEXT, correlation),
    RECORD(TIME, started_at),
    RECORD(TIME, completed_at, .clock = CLOCK_PAST, .wait = WAIT_WHEN_SET),
    RECORD_NAMED(BOOL, intent.open, "intent_open"),
    RECORD_NAMED(SLOT, intent.slot, "intent_slot"),
    RECORD_NAMED(FINGERPRINT, intent.before[SLOT_PRIMARY], "intent_primary"),
    RECORD_NAMED(FINGERPRINT, intent.before[SLOT_SECONDARY], "intent_secondary"),
    RECORD_NAMED(TIME, intent.written_at, "intent_written_at", .clock = CLOCK_WAIT_FROM,
                 .wait = WAIT_WHEN_SET),
    RECORD_NAMED(U32, intent.attempts, "intent_attempts"),
    RECORD_NAMED(FINGERPRINT, intent.operation, "intent_operation", .wait = WAIT_WHEN_SET),
    RECORD_NAMED(BOOL, intent.ended, "intent_ended"),
    RECORD_NAMED(TIME, intent.settles_at, "intent_settles_at", .clock = CLOCK_UNTIL_OPERATION,
                 .wait = WAIT_WHEN_SET),
    RECORD_NAMED(TIME, intent.poll_at, "intent_poll_at", .clock = CLOCK_UNTIL_RETRY),
    RECORD_NAMED(U32, intent.poll_failures, "intent_poll_failures"),
    RECORD(TIME, verify_since, .clock = CLOCK_WAIT_FROM),
    RECORD(BOOL, verified),
    RECORD(BOOL, refused),
    RECORD(TIME, regenerate_after, .clock = CLOCK_UNTIL_DAY, .wait = WAIT_WHEN_SET),
    RECORD(TEXT, endpoint),
    RECORD(TEXT, location),
    RECORD(TIME, overlap_from, .clock = CLOCK_WAIT_FROM, .wait = WAIT_WHEN_SET),
    RECORD(TIME, foreign_change_at, .clock = CLOCK_WAIT_FROM, .wait = WAIT_WHEN_SET),
    RECORD(TIME, both_changed_at, .clock = CLOCK_WAIT_FROM, .wait = WAIT_WHEN_SET),
    RECORD(BOOL, another_rotator, .wait = WAIT_WHEN_SET),
    RECORD(TIME, looked_at, .clock = CLOCK_WAIT_FROM),
    RECORD_NAMED(BOOL, unconfirmed.pending, "surprise_pending", .wait = WAIT_WHEN_SET),
    RECORD_NAMED(FINGERPRINT, unconfirmed.live[SLOT_PRIMARY], "surprise_primary"),
    RECORD_NAMED(FINGERPRINT, unconfirmed.live[SLOT_SECONDARY], "surprise_secondary"),
    RECORD_NAMED(TIME, unconfirmed.made[SLOT_PRIMARY], "surprise_made_primary",
                 .clock = CLOCK_PAST),
    RECORD_NAMED(TIME, unconfirmed.made[SLOT_SECONDARY], "surprise_made_secondary",
                 .clock = CLOCK_PAST),
    RECORD_NAMED(FINGERPRINT, unconfirmed.targets, "surprise_targets"),
    RECORD_NAMED(TIME, unconfirmed.seen_at, "surprise_seen_at", .clock = CLOCK_WAIT_FROM,
                 .wait = WAIT_WHEN_SET),
    RECORD_NAMED(BOOL, unconfirmed.standby_in_use, "surprise_standby_in_use",
                 .wait = WAIT_WHEN_SET),
    RECORD_NAMED(BOOL, unconfirmed.proven, "surprise_proven"),
    RECORD(DRIFT, repairing),
    RECORD(BOOL, consumers_at_risk),
    RECORD(TIME, adopted_at, .clock = CLOCK_PAST),
    RECORD(TIME, planned_at),
    RECORD(TIME, due_at),
    RECORD(TIME, planned_with),
    RECORD(BOOL, catching_up),
    RECORD(BOOL, window_missed_reported),
    RECORD(TIME, overdue_reported_at, .clock = CLOCK_PAST),
    RECORD(TIME, check_at, .clock = CLOCK_UNTIL_CHECK),
    RECORD(BOOL, requested),
    RECORD(REASON, blocked, .wait = WAIT_WHEN_SET),
    RECORD(TIME, blocked_at, .clock = CLOCK_PAST),
    RECORD(TIME, blocked_reported_at, .clock = CLOCK_PAST),
    RECORD_NAMED(REASON, retry_reason, "trouble"),
    RECORD_NAMED(TIME, retrying_since, "trouble_since", .clock = CLOCK_PAST),
    RECORD(U32, attempts),
    RECORD(TIME, retry_at, .clock = CLOCK_UNTIL_RETRY),
    RECORD(U64, hold_id, .wait = WAIT_WHEN_SET),
    RECORD(TIME, hold_until),
    RECORD_NAMED(BOOL, adopt_asked, "adopt_told", .wait = WAIT_WHEN_SET),
    RECORD(SLOT, adopt_slot),
    RECORD(BOOL, presumed, .wait = WAIT_WHEN_SET),
};

static const struct record_member target_rows[] = {
    TARGET_NAMED(TARGET_ID, id, "target"),
    TARGET(BOOL, required, .wait = WAIT_WHEN_SET),
    TARGET(BOOL, acknowledged, .wait = WAIT_WHEN_CLEARED),
    TARGET(FINGERPRINT, fingerprint),
    TARGET(TIME, acknowledged_at, .clock = CLOCK_WAIT_FROM),
    TARGET_NAMED(BOOL, delivery_intended, "offered", .wait = WAIT_WHEN_SET),
    TARGET(TIME, unsettled_until, .clock = CLOCK_UNTIL_SETTLED),
    TARGET(U32, attempts),
    TARGET(TIME, retry_at, .clock = CLOCK_UNTIL_RETRY),
    TARGET(REASON, reason),
    TARGET(TIME, failing_since, .clock = CLOCK_PAST),
    TARGET(TIME, dead_since, .clock = CLOCK_PAST),
    TARGET(BOOL, early),
};

const struct record_table record_table = {record_rows,
                                          sizeof(record_rows) / sizeof(record_rows[0])};
const struct record_table record_target_table = {target_rows,
                                                 sizeof(target_rows) / sizeof(target_rows[0])};

/* --- enums by name --- */

/* All enums of a record are read and written through `unsigned`. */
_Static_assert(sizeof(enum slot) == sizeof(unsigned) && sizeof(enum reason) == sizeof(unsigned) &&
                   sizeof(enum position) == sizeof(unsigned) &&
                   sizeof(enum trigger) == sizeof(unsigned) &&
                   sizeof(enum drift_kind) == sizeof(unsigned),
               "an enum of another size needs a kind of its own");

/* NULL: there is no such value. */
static const char *enum_name(enum member_kind kind, unsigned value)
{
    switch (kind) {
    case MEMBER_SLOT:
        return value < SLOT_COUNT ? slot_name((enum slot)value) : NULL;
    case MEMBER_POSITION:
        return value < POSITION_COUNT ? position_name((enum position)value) : NULL;
    case MEMBER_TRIGGER:
        return value <= TRIGGER_COMMAND ? trigger_name((enum trigger)value) : NULL;
    case MEMBER_DRIFT:
        return value < DRIFT_KIND_COUNT ? drift_name((enum drift_kind)value) : NULL;
    case MEMBER_REASON:
        return value < REASON_COUNT ? reason_describe((enum reason)value)->name : NULL;
    default:
        return NULL;
    }
}

static bool enum_from_name(enum member_kind kind, const char *name, unsigned *ret_value)
{
    for (unsigned value = 0; enum_name(kind, value); value++) {
        if (!str_equal(enum_name(kind, value), name))
            continue;
        *ret_value = value;
        return true;
    }
    return false;
}

/* --- numbers --- */

static const void *at(const struct record_member *member, const void *row)
{
    return (const char *)row + member->offset;
}

int64_t member_number(const struct record_member *member, const void *row)
{
    int64_t number = 0;
    bool flag;

    if (member->kind == MEMBER_BOOL) {
        memcpy(&flag, at(member, row), sizeof(flag));
        return flag;
    }
    if (member->kind == MEMBER_U32) {
        uint32_t u32;

        memcpy(&u32, at(member, row), sizeof(u32));
        return u32;
    }
    memcpy(&number, at(member, row), sizeof(number));
    return number;
}

bool member_set_number(const struct record_member *member, void *row, int64_t number)
{
    void *out = (char *)row + member->offset;
    const uint32_t u32 = (uint32_t)number;
    const bool flag = number == 1;

    switch (member->kind) {
    case MEMBER_BOOL:
        memcpy(out, &flag, sizeof(flag));
        return number == 0 || number == 1;
    case MEMBER_U32:
        memcpy(out, &u32, sizeof(u32));
        return number >= 0 && number <= UINT32_MAX;
    case MEMBER_U64:
        memcpy(out, &number, sizeof(number));
        return number >= 0;
    default:
        memcpy(out, &number, sizeof(number));
        return member->kind == MEMBER_TIME;
    }
}

/* --- texts --- */

_Static_assert((int)FINGERPRINT_LENGTH == (int)TARGET_ID_LENGTH,
               "both are written by one function");

/* All zero is "none" and written as "". */
static void bytes_to_text(const uint8_t *bytes, char out[FINGERPRINT_TEXT_MAX])
{
    static const uint8_t none[FINGERPRINT_LENGTH];

    out[0] = '\0';
    if (memcmp(bytes, none, FINGERPRINT_LENGTH) != 0)
        hex_encode(bytes, FINGERPRINT_LENGTH, out);
}

static bool bytes_from_text(const char *text, uint8_t *out)
{
    if (*text == '\0') {
        memset(out, 0, FINGERPRINT_LENGTH);
        return true;
    }
    return hex_decode(text, out, FINGERPRINT_LENGTH);
}

/* --- lists: of replaced keys, and of what is known of each --- */

static size_t element_size(const struct record_member *member)
{
    return member->size / REPLACED_MAX;
}

static bool is_zero(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Without the elements at the end that are all zero. */
static size_t list_length(const struct record_member *member, const char *list)
{
    const size_t size = element_size(member);
    size_t count = REPLACED_MAX;

    while (count > 0 && is_zero(list + (count - 1) * size, size))
        count--;
    return count;
}

static void element_to_text(enum member_kind kind, const char *element,
                            char out[FINGERPRINT_TEXT_MAX])
{
    enum slot slot;
    time_ms at;

    if (kind == MEMBER_REPLACED_AT) {
        memcpy(&at, element, sizeof(at));
        snprintf(out, FINGERPRINT_TEXT_MAX, "%lld", (long long)at);
    } else if (kind == MEMBER_SLOTS) {
        memcpy(&slot, element, sizeof(slot));
        snprintf(out, FINGERPRINT_TEXT_MAX, "%s", slot_name(slot));
    } else {
        bytes_to_text((const uint8_t *)element, out);
    }
}

static bool element_from_text(enum member_kind kind, const char *text, char *out)
{
    enum slot slot;
    int64_t at;

    if (kind == MEMBER_REPLACED)
        return bytes_from_text(text, (uint8_t *)out);
    if (kind == MEMBER_SLOTS) {
        if (!slot_from_name(text, &slot))
            return false;
        memcpy(out, &slot, sizeof(slot));
        return true;
    }
    if (!str_to_int64(text, &at) || at < 0)
        return false;
    memcpy(out, &at, sizeof(at));
    return true;
}

static void list_to_text(const struct record_member *member, const char *list,
                         char out[MEMBER_TEXT_MAX])
{
    const size_t count = list_length(member, list);
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char text[FINGERPRINT_TEXT_MAX];

        element_to_text(member->kind, list + i * element_size(member), text);
        used += (size_t)snprintf(out + used, MEMBER_TEXT_MAX - used, "%s%s", i ? " " : "", text);
    }
}

static bool list_from_text(const struct record_member *member, const char *text, char *out)
{
    for (size_t i = 0; *text != '\0'; i++) {
        const size_t length = strcspn(text, " ");
        char element[FINGERPRINT_TEXT_MAX];

        if (i == REPLACED_MAX || length >= sizeof(element))
            return false;
        memcpy(element, text, length);
        element[length] = '\0';
        if (!element_from_text(member->kind, element, out + i * element_size(member)))
            return false;
        text += length;
        text += *text == ' ';
    }
    return true;
}

const char *member_text(const struct record_member *member, const void *row,
                        char out[MEMBER_TEXT_MAX])
{
    unsigned value;

    switch (member->kind) {
    case MEMBER_TEXT:
        return at(member, row);
    case MEMBER_FINGERPRINT:
    case MEMBER_TARGET_ID:
        bytes_to_text(at(member, row), out);
        return out;
    case MEMBER_REPLACED:
    case MEMBER_REPLACED_AT:
    case MEMBER_SLOTS:
        list_to_text(member, at(member, row), out);
        return out;
    default:
        memcpy(&value, at(member, row), sizeof(value));
        return enum_name(member->kind, value);
    }
}

bool member_set_text(const struct record_member *member, void *row, const char *text)
{
    void *out = (char *)row + member->offset;
    unsigned value;

    switch (member->kind) {
    case MEMBER_TEXT:
        return str_copy(out, member->size, text);
    case MEMBER_FINGERPRINT:
    case MEMBER_TARGET_ID:
        return bytes_from_text(text, out);
    case MEMBER_REPLACED:
    case MEMBER_REPLACED_AT:
    case MEMBER_SLOTS:
        return list_from_text(member, text, out);
    default:
        if (!enum_from_name(member->kind, text, &value))
            return false;
        memcpy(out, &value, sizeof(value));
        return true;
    }
}

/* --- comparing --- */

bool member_equal(const struct record_member *member, const void *a, const void *b)
{
    /* Ignore the bytes after the end of a text. */
    if (member->kind == MEMBER_TEXT)
        return strcmp(at(member, a), at(member, b)) == 0;
    if (member_is_number(member))
        return member_number(member, a) == member_number(member, b);
    return memcmp(at(member, a), at(member, b), member->size) == 0;
}

bool member_is_none(const struct record_member *member, const void *row)
{
    return is_zero(at(member, row), member->size);
}
