#include "conf/target_socket.h"

#include <string.h>

#include "base/encoding.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "conf/here.h"
#include "conf/path.h"
#include "conf/schema_row.h"
#include "conf/target_value.h"
#include "conf/value.h"

enum { PATH_LENGTH_MAX = 107 /* unix(7): sun_path, with its NUL, has 108 bytes */ };

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("path", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("owner", SCHEMA_TEXT, .fallback = "root"),
    SCHEMA_ROW("timeout", SCHEMA_DURATION, .fallback = "60s", .maximum = MS_DAY),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

/* A name of a user, or the number of one. */
static bool is_user(const char *text)
{
    int64_t number;

    if (text[0] >= '0' && text[0] <= '9')
        return str_to_int64(text, &number) && number < UINT32_MAX;
    return value_is_name(text) || text[0] == '_';
}

static void check(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *owner = tree_child(target, "owner");

    target_value_check_path(resolve, tree_child(target, "path"));
    if (target_value_is_given(owner) && !is_user(owner->text))
        target_value_refuse(resolve, owner, owner->text, "is no user; write a name or a number");
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct tree_node *path = tree_child(target, "path");
    struct tree_node *owner = tree_child(target, "owner");
    struct target_socket *settings;
    char *expanded;

    (void)account;
    if (!target_value_is_given(path))
        return false;
    expanded = placeholder_expand(resolve->arena, path->text, values);
    settings = arena_alloc(resolve->arena, sizeof(*settings));
    if (arena_failed(resolve->arena))
        return false; /* report_finish() reports the shortage */
    destination->place = expanded ? path_clean(resolve->arena, expanded) : NULL;
    if (!destination->place || strlen(destination->place) > PATH_LENGTH_MAX) {
        report_invalid(resolve->report, path,
                       "expands to more than the 107 bytes that the path of a socket can have; "
                       "shorten it");
        return false;
    }
    destination->needs_location = placeholder_needs_location(expanded);
    settings->owner = arena_dup(resolve->arena, schema_text(target, &keys, "owner"));
    settings->timeout = schema_duration(target, &keys, "timeout");
    destination->settings = settings;
    if (target_value_is_given(owner) && !char_is_digit(owner->text[0]))
        here_note_user(resolve, owner, settings->owner);
    return !!settings->owner;
}

static void describe(const struct destination *destination, struct buf *out)
{
    (void)buf_append_format(out, "socket %s (of user %s)", destination->place,
                            target_socket_of(destination)->owner);
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_socket *settings = target_socket_of(destination);
    char timeout[DURATION_TEXT_MAX];

    json_write_text(out, "path", destination->place);
    json_write_text(out, "owner", settings->owner);
    json_write_text(out, "timeout", duration_to_text(settings->timeout, timeout));
}

const struct target_type target_socket_type = {
    .variant = {.name = "socket", .map = &keys},
    .place_key = "path",
    .place_is_shared = true,
    .is_unreadable = true,
    .check = check,
    .fill = fill,
    .describe = describe,
    .write = write_keys,
};
