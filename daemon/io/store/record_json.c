#include "io/store/record_json.h"

#include <errno.h>
#include <string.h>

#include <json-c/linkhash.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "core/record_table.h"

#define NEVER   "never"
#define TARGETS "targets"

/* --- writing --- */

static void write_member(struct buf *out, const struct record_member *member, const void *row)
{
    char text[MEMBER_TEXT_MAX];

    if (!member_is_number(member)) {
        json_write_text(out, member->name, member_text(member, row, text));
    } else if (member->kind == MEMBER_BOOL) {
        json_write_bool(out, member->name, member_number(member, row) != 0);
    } else if (member->kind == MEMBER_TIME && member_number(member, row) == TIME_NEVER) {
        json_write_text(out, member->name, NEVER);
    } else {
        json_write_integer(out, member->name, member_number(member, row));
    }
}

static void write_row(struct buf *out, const struct record_table *table, const void *row)
{
    for (size_t i = 0; i < table->count; i++)
        write_member(out, &table->members[i], row);
}

int record_json_write(struct buf *out, const struct record *record)
{
    json_write_open(out, NULL, '{');
    write_row(out, &record_table, record);
    json_write_open(out, TARGETS, '[');
    for (size_t i = 0; i < record->target_count; i++) {
        json_write_open(out, NULL, '{');
        write_row(out, &record_target_table, &record->targets[i]);
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
    json_write_close(out, '}');
    return out->failed;
}

/* --- reading --- */

static bool read_value(const struct record_member *member, struct json_object *object, void *row)
{
    const char *text = json_string(object, member->name);
    int64_t number;
    bool flag;

    if (!member_is_number(member))
        return text && member_set_text(member, row, text);
    if (member->kind == MEMBER_BOOL)
        return json_boolean(object, member->name, &flag) && member_set_number(member, row, flag);
    if (member->kind == MEMBER_TIME && str_equal(text, NEVER))
        return member_set_number(member, row, TIME_NEVER);
    return json_int64(object, member->name, &number) && member_set_number(member, row, number);
}

static const struct record_member *find_member(const struct record_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->members[i].name, name) == 0)
            return &table->members[i];
    return NULL;
}

/* `other`: a member of the object that is no row of the table; or NULL. */
static int read_row(const struct record_table *table, struct json_object *object, const char *other,
                    void *row, struct err *err)
{
    if (!json_object_is_type(object, json_type_object))
        return err_set(err, -EBADMSG, "it is no JSON object");
    json_object_object_foreach(object, name, value)
    {
        const struct record_member *member = find_member(table, name);

        (void)value;
        if (!member && str_equal(name, other))
            continue;
        if (!member)
            return err_set(err, -EPROTONOSUPPORT, "a newer keyrotated wrote it: \"%.60s\"", name);
        if (!read_value(member, object, row))
            return err_set(err, -EBADMSG, "\"%.60s\" has a value that makes no sense", name);
    }
    return 0;
}

static int read_targets(struct json_object *targets, struct record *record, struct err *err)
{
    const size_t count = targets ? json_object_array_length(targets) : 0;
    int rc = 0;

    if (count > TARGETS_MAX)
        return err_set(err, -EBADMSG, "it has more than %d targets", (int)TARGETS_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = read_row(&record_target_table, json_object_array_get_idx(targets, i), NULL,
                      &record->targets[i], err);
    record->target_count = count;
    return rc;
}

int record_json_read(const char *text, size_t length, struct record *ret_record, struct err *err)
{
    struct json_object *object = json_parse(text, length, err);
    struct json_object *targets;
    int rc;

    if (!object)
        return -EBADMSG;
    record_init(ret_record);
    rc = read_row(&record_table, object, TARGETS, ret_record, err);
    targets = json_member(object, TARGETS);
    if (rc == 0 && targets && !json_object_is_type(targets, json_type_array))
        rc = err_set(err, -EBADMSG, "\"targets\" is no list");
    if (rc == 0)
        rc = read_targets(targets, ret_record, err);
    json_object_put(object);
    return rc;
}
