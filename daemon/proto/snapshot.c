#include "proto/snapshot.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/json.h"
#include "base/json_writer.h"

static uint64_t number_at(const void *place, size_t size)
{
    if (size == sizeof(uint64_t))
        return *(const uint64_t *)place;
    return *(const int *)place > 0 ? (uint64_t) * (const int *)place : 0;
}

static void set_number(void *place, size_t size, int64_t number)
{
    if (size == sizeof(uint64_t))
        *(uint64_t *)place = number > 0 ? (uint64_t)number : 0;
    else
        *(int *)place = number > 0 && number <= INT_MAX ? (int)number : 0;
}

void snapshot_write(struct buf *out, const struct snapshot_table *table, const void *object,
                    time_ms now)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct snapshot_member *member = &table->members[i];
        const void *place = (const char *)object + member->offset;

        switch (member->kind) {
        case SNAPSHOT_TEXT:
            json_write_text(out, member->name, *(const char *const *)place);
            break;
        case SNAPSHOT_BOOL:
            json_write_bool(out, member->name, *(const bool *)place);
            break;
        case SNAPSHOT_TIME:
            json_write_time(out, member->name, *(const time_ms *)place);
            break;
        case SNAPSHOT_AGE:
            json_write_age(out, member->name, *(const time_ms *)place, now);
            break;
        case SNAPSHOT_NUMBER:
            json_write_number(out, member->name, number_at(place, member->size));
            break;
        }
    }
}

void snapshot_write_object(struct buf *out, const char *name, const struct snapshot_table *table,
                           const void *object, time_ms now)
{
    json_write_open(out, name, '{');
    snapshot_write(out, table, object, now);
    json_write_close(out, '}');
}

void snapshot_write_list(struct buf *out, const char *name, const struct snapshot_table *table,
                         const void *objects, size_t count, time_ms now)
{
    json_write_open(out, name, '[');
    for (size_t i = 0; i < count; i++)
        snapshot_write_object(out, NULL, table, (const char *)objects + i * table->size, now);
    json_write_close(out, ']');
}

time_ms snapshot_read_time(struct json_object *json, const char *name)
{
    const char *text = json_string(json, name);
    time_ms at;

    return text && date_from_rfc3339(text, &at) ? at : TIME_NEVER;
}

void snapshot_read(struct json_object *json, const struct snapshot_table *table, void *object)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct snapshot_member *member = &table->members[i];
        void *place = (char *)object + member->offset;
        const char *text = json_string(json, member->name);
        int64_t number = 0;

        switch (member->kind) {
        case SNAPSHOT_TEXT:
            *(const char **)place = text;
            break;
        case SNAPSHOT_BOOL:
            (void)json_boolean(json, member->name, place);
            break;
        case SNAPSHOT_TIME:
            if (!text || !date_from_rfc3339(text, place))
                *(time_ms *)place = TIME_NEVER;
            break;
        case SNAPSHOT_AGE:
            break;
        case SNAPSHOT_NUMBER:
            (void)json_int64(json, member->name, &number);
            set_number(place, member->size, number);
            break;
        }
    }
}

int snapshot_read_list(struct json_object *json, const char *name,
                       const struct snapshot_table *table, void **ret_objects, size_t *ret_count)
{
    struct json_object *list = json_member(json, name);
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    *ret_objects = NULL;
    *ret_count = 0;
    if (count == 0)
        return 0;
    *ret_objects = calloc(count, table->size);
    if (!*ret_objects)
        return -ENOMEM;
    *ret_count = count;
    for (size_t i = 0; i < count; i++)
        snapshot_read(json_object_array_get_idx(list, i), table,
                      (char *)*ret_objects + i * table->size);
    return 0;
}
