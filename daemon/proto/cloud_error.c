#include "proto/cloud_error.h"

#include <errno.h>
#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

enum { DETAIL_DEPTH_MAX = 6 };

/* Some services write "Code" and "Message": the member of that name in any case. */
static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *exact = json_member(object, name);
    struct json_object_iterator at, end;

    if (exact || !json_object_is_type(object, json_type_object))
        return exact;
    at = json_object_iter_begin(object);
    end = json_object_iter_end(object);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        if (str_equal_nocase(json_object_iter_peek_name(&at), name))
            return json_object_iter_peek_value(&at);
    }
    return NULL;
}

static const char *text_of(struct json_object *value)
{
    const char *text =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

    return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

static void copy_member(char *out, size_t size, struct json_object *object, const char *name)
{
    const char *value = text_of(member(object, name));

    if (value)
        str_copy(out, size, value);
}

/* A message is a string, or OData's {"lang":…,"value":…}. */
static void copy_message(struct cloud_error_item *item, struct json_object *object)
{
    copy_member(item->message, sizeof(item->message), object, "message");
    if (item->message[0] == '\0')
        copy_member(item->message, sizeof(item->message), member(object, "message"), "value");
}

static void add_level(struct cloud_error *error, struct json_object *object, int depth);

/* One level, or a list of them. */
static void add_levels(struct cloud_error *error, struct json_object *array, int depth)
{
    if (!json_object_is_type(array, json_type_array)) {
        add_level(error, array, depth);
        return;
    }
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

        if (error->count == CLOUD_ERROR_ITEMS_MAX || !text_of(member(object, "key")))
            return;
        item = &error->items[error->count++];
        copy_member(item->code, sizeof(item->code), object, "key");
        copy_member(item->message, sizeof(item->message), object, "value");
    }
}

static bool has_message(struct json_object *object)
{
    struct json_object *message = member(object, "message");

    return text_of(message) || text_of(member(message, "value"));
}

static void add_item(struct cloud_error *error, struct json_object *object)
{
    struct cloud_error_item *item = &error->items[error->count++];

    copy_member(item->code, sizeof(item->code), object, "code");
    copy_member(item->target, sizeof(item->target), object, "target");
    copy_message(item, object);
}

/* A level may have neither code nor message, and be a wrapping of its details alone. */
static void add_level(struct cloud_error *error, struct json_object *object, int depth)
{
    if (depth > DETAIL_DEPTH_MAX || error->count == CLOUD_ERROR_ITEMS_MAX)
        return;
    if (text_of(member(object, "code")) || has_message(object))
        add_item(error, object);
    add_level(error, member(object, "innererror"), depth + 1);
    add_levels(error, member(object, "details"), depth + 1);
    add_values(error, member(object, "values"));
}

/* OAuth's {"error":"invalid_client","error_description":…}, and {"error":"a sentence"}. */
static void add_text(struct cloud_error *error, struct json_object *document, const char *text)
{
    struct cloud_error_item *item = &error->items[error->count++];

    if (!strchr(text, ' '))
        str_copy(item->code, sizeof(item->code), text);
    else
        str_copy(item->message, sizeof(item->message), text);
    if (item->message[0] == '\0')
        copy_member(item->message, sizeof(item->message), document, "error_description");
    if (item->message[0] == '\0')
        copy_message(item, document);
}

static void add_document(struct cloud_error *error, struct json_object *document)
{
    struct json_object *inner = member(document, "error");

    if (!inner)
        inner = member(document, "odata.error");
    if (text_of(inner))
        add_text(error, document, text_of(inner));
    else
        add_levels(error, inner ? inner : document, 0);
}

bool cloud_error_parse(struct cloud_error *error, const char *body, size_t length)
{
    struct json_object *document;
    struct err err = {.code = 0};

    *error = (struct cloud_error){.count = 0};
    document = length > 0 ? json_parse_foreign(body, length, &err) : NULL;
    error->out_of_memory = err.code == -ENOMEM;
    if (!document)
        return false;
    if (json_object_is_type(document, json_type_array)) {
        for (size_t i = 0;
             i < json_object_array_length(document) && error->count < CLOUD_ERROR_ITEMS_MAX; i++)
            add_document(error, json_object_array_get_idx(document, i));
    } else {
        add_document(error, document);
    }
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
