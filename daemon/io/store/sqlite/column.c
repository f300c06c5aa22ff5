#include "io/store/sqlite/column.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "core/look.h"
#include "core/record.h"

enum { HEX_MAX = FINGERPRINT_TEXT_MAX, REPLACED_TEXT_MAX = REPLACED_MAX * HEX_MAX };

/* --- enums by name --- */

/* All enums of a record are read and written through `unsigned`. */
_Static_assert(sizeof(enum slot) == sizeof(unsigned) && sizeof(enum reason) == sizeof(unsigned) &&
                   sizeof(enum position) == sizeof(unsigned) &&
                   sizeof(enum trigger) == sizeof(unsigned) &&
                   sizeof(enum drift_kind) == sizeof(unsigned),
               "an enum of another size needs a column kind of its own");

static unsigned enum_count(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_SLOT:
        return SLOT_COUNT;
    case COLUMN_POSITION:
        return POSITION_COUNT;
    case COLUMN_TRIGGER:
        return TRIGGER_COMMAND + 1;
    case COLUMN_DRIFT:
        return DRIFT_KIND_COUNT;
    case COLUMN_REASON:
        return REASON_COUNT;
    default:
        return 0;
    }
}

static const char *enum_name(enum column_kind kind, unsigned value)
{
    if (value >= enum_count(kind))
        return NULL;
    switch (kind) {
    case COLUMN_SLOT:
        return slot_name((enum slot)value);
    case COLUMN_POSITION:
        return position_name((enum position)value);
    case COLUMN_TRIGGER:
        return trigger_name((enum trigger)value);
    case COLUMN_DRIFT:
        return drift_name((enum drift_kind)value);
    case COLUMN_REASON:
        return reason_describe((enum reason)value)->name;
    default:
        return NULL;
    }
}

static bool enum_from_name(enum column_kind kind, const char *name, unsigned *ret_value)
{
    for (unsigned value = 0; value < enum_count(kind); value++) {
        if (!str_equal(enum_name(kind, value), name))
            continue;
        *ret_value = value;
        return true;
    }
    return false;
}

/* --- writing --- */

_Static_assert((int)FINGERPRINT_LENGTH == (int)TARGET_ID_LENGTH,
               "both are written by one function");

/* All zero is "none" and written as "". */
static void bytes_to_text(const uint8_t *bytes, char out[HEX_MAX])
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

static void replaced_to_text(const struct fingerprint *replaced, char out[REPLACED_TEXT_MAX])
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < REPLACED_MAX; i++) {
        char hex[HEX_MAX];

        bytes_to_text(replaced[i].bytes, hex);
        used += (size_t)snprintf(out + used, REPLACED_TEXT_MAX - used, "%s%s", i ? " " : "", hex);
    }
    while (used > 0 && out[used - 1] == ' ')
        out[--used] = '\0';
}

int column_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    if (!text)
        return sqlite3_bind_null(statement, index);
    return sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static int bind_time(sqlite3_stmt *statement, int index, time_ms at)
{
    if (at == TIME_NEVER)
        return sqlite3_bind_null(statement, index);
    return sqlite3_bind_int64(statement, index, at);
}

int column_bind(sqlite3_stmt *statement, int index, const struct column *column, const void *row)
{
    const void *member = (const char *)row + column->offset;
    char text[REPLACED_TEXT_MAX];
    uint32_t u32;
    uint64_t u64;
    int64_t time;
    bool flag;

    switch (column->kind) {
    case COLUMN_BOOL:
        memcpy(&flag, member, sizeof(flag));
        return sqlite3_bind_int(statement, index, flag);
    case COLUMN_U32:
        memcpy(&u32, member, sizeof(u32));
        return sqlite3_bind_int64(statement, index, u32);
    case COLUMN_U64:
        memcpy(&u64, member, sizeof(u64));
        return sqlite3_bind_int64(statement, index, (sqlite3_int64)u64);
    case COLUMN_TIME:
        memcpy(&time, member, sizeof(time));
        return bind_time(statement, index, time);
    case COLUMN_TEXT:
        return column_bind_text(statement, index, member);
    case COLUMN_FINGERPRINT:
    case COLUMN_TARGET_ID:
        bytes_to_text(member, text);
        return column_bind_text(statement, index, text);
    case COLUMN_REPLACED:
        replaced_to_text(member, text);
        return column_bind_text(statement, index, text);
    default:
        memcpy(&u32, member, sizeof(u32));
        return column_bind_text(statement, index, enum_name(column->kind, u32));
    }
}

/* --- reading --- */

static bool replaced_from_text(const char *text, struct fingerprint *out)
{
    for (size_t i = 0; *text != '\0'; i++) {
        const size_t length = strcspn(text, " ");
        char hex[HEX_MAX];

        if (i == REPLACED_MAX || length >= sizeof(hex))
            return false;
        memcpy(hex, text, length);
        hex[length] = '\0';
        if (!bytes_from_text(hex, out[i].bytes))
            return false;
        text += length;
        text += *text == ' ';
    }
    return true;
}

/* Takes what is in the column into the member; false where it makes no sense there. */
static bool read_text_member(const char *text, const struct column *column, void *member)
{
    unsigned value;

    switch (column->kind) {
    case COLUMN_TEXT:
        return str_copy(member, column->size, text);
    case COLUMN_FINGERPRINT:
    case COLUMN_TARGET_ID:
        return bytes_from_text(text, member);
    case COLUMN_REPLACED:
        return replaced_from_text(text, member);
    default:
        if (!enum_from_name(column->kind, text, &value))
            return false;
        memcpy(member, &value, sizeof(value));
        return true;
    }
}

static bool read_number_member(int64_t number, const struct column *column, void *member)
{
    const uint32_t u32 = (uint32_t)number;
    const bool flag = number == 1;

    switch (column->kind) {
    case COLUMN_BOOL:
        memcpy(member, &flag, sizeof(flag));
        return number == 0 || number == 1;
    case COLUMN_U32:
        memcpy(member, &u32, sizeof(u32));
        return number >= 0 && number <= UINT32_MAX;
    case COLUMN_U64:
        memcpy(member, &number, sizeof(number));
        return number >= 0;
    default:
        memcpy(member, &number, sizeof(number));
        return column->kind == COLUMN_TIME;
    }
}

bool column_read(sqlite3_stmt *statement, int index, const struct column *column, void *row)
{
    void *member = (char *)row + column->offset;

    switch (sqlite3_column_type(statement, index)) {
    case SQLITE_NULL:
        return column->kind == COLUMN_TIME && read_number_member(TIME_NEVER, column, member);
    case SQLITE_INTEGER:
        return column->kind <= COLUMN_TIME &&
               read_number_member(sqlite3_column_int64(statement, index), column, member);
    case SQLITE_TEXT:
        return column->kind > COLUMN_TIME &&
               read_text_member((const char *)sqlite3_column_text(statement, index), column,
                                member);
    default:
        return false;
    }
}
