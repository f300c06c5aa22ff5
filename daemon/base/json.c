#include "base/json.h"

#include <errno.h>
#include <json-c/json_object_iterator.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <json-c/printbuf.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/json_scan.h"

/* json_tokener counts the scalar inside the innermost container as a level, too. */
enum { TOKENER_DEPTH = JSON_DEPTH_MAX + 2 };

/* Mending makes a text at most eight times as long, and json-c takes the length as an int. */
enum { JSON_TEXT_MAX = INT_MAX / 16 };

/* json-c hands its strings out as const, but they stand in memory that the object owns. */
static void wipe_string(struct json_object *value)
{
    wipe((char *)(uintptr_t)json_object_get_string(value),
         (size_t)json_object_get_string_len(value));
}

/* Calls `visit` for every value in the tree, NULL (the literal null) included; parents first. */
static void walk(struct json_object *value, void (*visit)(struct json_object *, void *),
                 void *context)
{
    visit(value, context);
    if (json_object_is_type(value, json_type_object)) {
        struct json_object_iterator member = json_object_iter_begin(value);
        struct json_object_iterator end = json_object_iter_end(value);
        for (; !json_object_iter_equal(&member, &end); json_object_iter_next(&member))
            walk(json_object_iter_peek_value(&member), visit, context);
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            walk(json_object_array_get_idx(value, i), visit, context);
    }
}

static void count_value(struct json_object *value, void *context)
{
    struct json_census *census = context;

    census->values++;
    if (!value)
        census->nulls++;
    else if (json_object_is_type(value, json_type_string))
        census->string_bytes += (size_t)json_object_get_string_len(value);
}

/* json-c 0.16 does not report that memory ran out: it puts null for the value, leaves out the
 * member, or cuts the string. */
static bool is_complete(struct json_object *value, const struct json_census *expected)
{
    struct json_census found = {.values = 0};

    walk(value, count_value, &found);
    return found.values == expected->values && found.nulls == expected->nulls &&
           found.string_bytes == expected->string_bytes;
}

static void wipe_if_string(struct json_object *value, void *context)
{
    (void)context;
    if (json_object_is_type(value, json_type_string))
        wipe_string(value);
}

void json_free_wiped(struct json_object *value)
{
    walk(value, wipe_if_string, NULL);
    json_object_put(value);
}

/* Makes room in the tokener's buffer for the longest possible token, because growing it later would
 * leave pieces of tokens, unwiped, in memory that was given back. */
static bool reserve_token_buffer(struct json_tokener *tokener, size_t length)
{
    return printbuf_memset(tokener->pb, 0, 0, (int)length + 1) == 0;
}

static struct json_object *build(struct json_tokener *tokener, const char *text, size_t length)
{
    struct json_object *value = json_tokener_parse_ex(tokener, text, (int)length);

    /* A number at the very end could continue: json-c needs a further byte to end it. */
    if (!value && json_tokener_get_error(tokener) == json_tokener_continue)
        value = json_tokener_parse_ex(tokener, " ", 1);
    return value;
}

/* `text` has passed json_scan(), which returned `census`. */
static struct json_object *build_checked(const char *text, size_t length,
                                         const struct json_census *census, struct err *err)
{
    struct json_object *value = NULL;
    struct json_tokener *tokener;

    if (census->values == 1 && census->nulls == 1) {
        err_set(err, -EBADMSG, "the JSON text is a bare null");
        return NULL;
    }
    tokener = json_tokener_new_ex(TOKENER_DEPTH);
    if (tokener && reserve_token_buffer(tokener, length)) {
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        value = build(tokener, text, length);
        wipe(tokener->pb->buf, (size_t)tokener->pb->size);
    }
    if (tokener)
        json_tokener_free(tokener);
    if (!value || !is_complete(value, census)) {
        json_free_wiped(value);
        err_set(err, -ENOMEM, "out of memory while reading JSON");
        return NULL;
    }
    return value;
}

static bool is_too_long(size_t length, struct err *err)
{
    if (length <= JSON_TEXT_MAX)
        return false;
    err_set(err, -EMSGSIZE, "JSON text of %zu bytes is too long", length);
    return true;
}

struct json_object *json_parse(const char *text, size_t length, struct err *err)
{
    struct json_census census;

    if (is_too_long(length, err) || json_scan(text, length, JSON_DEPTH_MAX, &census, err) != 0)
        return NULL;
    return build_checked(text, length, &census, err);
}

struct json_object *json_parse_foreign(const char *text, size_t length, struct err *err)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    const size_t mark_length = sizeof(byte_order_mark) - 1;
    struct json_object *value = NULL;
    struct json_census census;
    struct buf mended;

    if (is_too_long(length, err))
        return NULL;
    if (length >= mark_length && memcmp(text, byte_order_mark, mark_length) == 0) {
        text += mark_length;
        length -= mark_length;
    }
    buf_init(&mended, 8 * length + 64);
    if (json_scan_mending(text, length, JSON_DEPTH_MAX, &mended, &census, err) == 0)
        value = build_checked(buf_str(&mended), mended.length, &census, err);
    buf_done(&mended);
    return value;
}

bool json_is_unusable(struct json_object *value)
{
    return json_object_is_type(value, json_type_double) && isinf(json_object_get_double(value));
}

int json_check_members(struct json_object *object, const char *const names[], size_t count,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (json_is_unusable(json_member(object, names[i])))
            return err_set(err, -EBADMSG,
                           "the member \"%s\" occurs twice, or has a value that is not "
                           "valid JSON",
                           names[i]);
    }
    return 0;
}

struct json_object *json_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, name, &value);
    return value;
}

const char *json_string(struct json_object *object, const char *name)
{
    struct json_object *value = json_member(object, name);

    if (!json_object_is_type(value, json_type_string))
        return NULL;
    const char *text = json_object_get_string(value);
    return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

bool json_int64(struct json_object *object, const char *name, int64_t *ret_value)
{
    struct json_object *value = json_member(object, name);

    if (!json_object_is_type(value, json_type_int))
        return false;
    *ret_value = json_object_get_int64(value);
    return true;
}

bool json_boolean(struct json_object *object, const char *name, bool *ret_value)
{
    struct json_object *value = json_member(object, name);

    if (!json_object_is_type(value, json_type_boolean))
        return false;
    *ret_value = json_object_get_boolean(value);
    return true;
}

struct secret *json_secret(struct json_object *object, const char *name)
{
    const char *text = json_string(object, name);

    return text ? secret_new(text, strlen(text)) : NULL;
}

/* --- writing --- */

/* A number, a truth value or null: nothing secret. */
static void append_plain(struct buf *out, struct json_object *value)
{
    const char *text = value ? json_object_to_json_string(value) : "null";

    if (text)
        (void)buf_append_str(out, text);
    else if (out->failed == 0)
        out->failed = -ENOMEM;
}

static void append_object(struct buf *out, struct json_object *value)
{
    const char *separator = "{";

    json_object_object_foreach(value, name, member)
    {
        (void)buf_append_str(out, separator);
        (void)json_append_string(out, name, strlen(name));
        (void)buf_append_char(out, ':');
        (void)json_append_value(out, member);
        separator = ",";
    }
    (void)buf_append_str(out, *separator == '{' ? "{}" : "}");
}

static void append_array(struct buf *out, struct json_object *value)
{
    const size_t length = json_object_array_length(value);

    (void)buf_append_char(out, '[');
    for (size_t i = 0; i < length; i++) {
        (void)buf_append_str(out, i > 0 ? "," : "");
        (void)json_append_value(out, json_object_array_get_idx(value, i));
    }
    (void)buf_append_char(out, ']');
}

int json_append_value(struct buf *out, struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_string:
        (void)json_append_string(out, json_object_get_string(value),
                                 (size_t)json_object_get_string_len(value));
        break;
    case json_type_object:
        append_object(out, value);
        break;
    case json_type_array:
        append_array(out, value);
        break;
    default:
        append_plain(out, value);
        break;
    }
    return out->failed;
}
