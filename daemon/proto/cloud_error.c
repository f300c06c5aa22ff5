#include "proto/cloud_error.h"

#include <errno.h>
#include <json-c/json_object.h>

#include "base/json.h"
#include "base/str.h"

enum { DETAIL_DEPTH_MAX = 6 };

static void copy_member(char *out, size_t size, struct json_object *object, const char *name)
{
    const char *value = json_string(object, name);

    if (value != NULL)
        str_copy(out, size, value);
}

/* A message is a string, or OData's {"lang":…,"value":…}. */
static void copy_message(struct cloud_error_item *item, struct json_object *object)
{
    copy_member(item->message, sizeof(item->message), object, "message");
    if (item->message[0] == '\0')
        copy_member(item->message, sizeof(item->message), json_member(object, "message"), "value");
}

static void add_level(struct cloud_error *error, struct json_object *object, int depth);

static void add_levels(struct cloud_error *error, struct json_object *array, int depth)
{
    if (!json_object_is_type(array, json_type_array))
        return;
    for (size_t i = 0; i < json_object_array_length(array); i++)
        add_level(error, json_object_array_get_idx(array, i), depth);
}

/* OData's further values: the key takes the place of the code. */
static void add_values(struct cloud_error *error, struct json_object *array)
{
    if (!json_object_is_type(array, json_type_array))
        return;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_object *object = json_object_array_get_idx(array, i);
        struct cloud_error_item *item;

        if (error->count == CLOUD_ERROR_ITEMS_MAX || json_string(object, "key") == NULL)
            return;
        item = &error->items[error->count++];
        copy_member(item->code, sizeof(item->code), object, "key");
        copy_member(item->message, sizeof(item->message), object, "value");
    }
}

static void add_level(struct cloud_error *error, struct json_object *object, int depth)
{
    struct cloud_error_item *item;

    if (depth > DETAIL_DEPTH_MAX || error->count == CLOUD_ERROR_ITEMS_MAX)
        return;
    if (json_string(object, "code") == NULL && json_string(object, "message") == NULL)
        return;
    item = &error->items[error->count++];
    copy_member(item->code, sizeof(item->code), object, "code");
    copy_member(item->target, sizeof(item->target), object, "target");
    copy_message(item, object);
    add_level(error, json_member(object, "innererror"), depth + 1);
    add_levels(error, json_member(object, "details"), depth + 1);
    add_values(error, json_member(object, "values"));
}

bool cloud_error_parse(struct cloud_error *error, const char *body, size_t length)
{
    struct json_object *document, *inner;
    struct err err = {.code = 0};

    *error = (struct cloud_error){.count = 0};
    document = length > 0 ? json_parse(body, length, &err) : NULL;
    error->out_of_memory = err.code == -ENOMEM;
    if (document == NULL)
        return false;
    inner = json_member(document, "error");
    if (inner == NULL)
        inner = json_member(document, "odata.error");
    add_level(error, inner != NULL ? inner : document, 0);
    json_object_put(document);
    return error->count > 0;
}

const struct cloud_error_item *cloud_error_find(const struct cloud_error *error, const char *code)
{
    for (size_t i = 0; i < error->count; i++) {
        if (str_equal_nocase(error->items[i].code, code))
            return &error->items[i];
    }
    return NULL;
}

const char *cloud_error_code(const struct cloud_error *error)
{
    return error->count > 0 ? error->items[0].code : "";
}

const char *cloud_error_message(const struct cloud_error *error)
{
    return error->count > 0 ? error->items[0].message : "";
}
