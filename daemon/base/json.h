/*
 * JSON by the book (RFC 8259), on json-c.
 *
 * json-c accepts more than JSON even when told to be strict (single quotes, NaN, duplicate names,
 * control characters, bytes after a NUL), and turns numbers that are too large into the largest.
 * json_parse() rejects all of these before json-c sees the text. Values are read by type: asking
 * for a string where there is a number gives NULL, not "3".
 */
#ifndef KEYROTATED_BASE_JSON_H
#define KEYROTATED_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json_object.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_writer.h"
#include "base/secret.h"

enum { JSON_DEPTH_MAX = 24 };

/*
 * Parses exactly one value. Returns an owned reference (json_object_put()), or NULL with err set;
 * the message holds the byte offset and what was expected, never the surrounding bytes. Refuses,
 * beyond what the grammar forbids: nesting deeper than JSON_DEPTH_MAX, member names that occur
 * twice, \u0000 and lone surrogates, integers that do not fit in an int64_t, and a bare null, for
 * which json-c has no object.
 */
struct json_object *json_parse(const char *text, size_t length, struct err *err);

/*
 * Like json_parse(), but more tolerant, for the answer of a service: a mistake in a member that
 * nobody reads must not make the answer fail. One byte order mark at the start is skipped. A value
 * that json_parse() refuses becomes unusable: json_is_unusable() is true for it, and the readers
 * below treat it as absent. So does the value of a name that occurs twice in its object. Returns
 * NULL when even the structure is broken (a cut text, a web page).
 */
struct json_object *json_parse_foreign(const char *text, size_t length, struct err *err);
bool json_is_unusable(struct json_object *value);

/* Returns 0 when every member of these names is absent or usable, otherwise -EBADMSG with err
 * naming the first unusable one. The readers below take an unusable member for an absent one; this
 * check tells them apart. */
int json_check_members(struct json_object *object, const char *const names[], size_t count,
                       struct err *err);

/* Appends a value of json_parse() as it was read: a number with its digits, members in their order.
 * Unlike json-c's own writer it keeps no copy of what may be secret. Returns 0 or the buffer's
 * error. */
int json_append_value(struct buf *out, struct json_object *value);

/* Do the names in each object differ in more than their case? Returns 0; -ENOTUNIQ with err naming
 * two that do not; -ENOMEM with err set. */
int json_check_case(struct json_object *value, struct err *err);

/* Frees a parsed value after wiping every string in it. For replies that hold keys or tokens. */
void json_free_wiped(struct json_object *value);

/* The member of that name if `object` is an object and has it, else NULL. Borrowed. A member that
 * is null is NULL, too. `object` may be NULL here and below. */
struct json_object *json_member(struct json_object *object, const char *name);

/* The member's value if it is a string without NUL inside, else NULL. Borrowed. */
const char *json_string(struct json_object *object, const char *name);

/* These return false, and leave *ret_value alone, where the member is absent or of another type. */
bool json_int64(struct json_object *object, const char *name, int64_t *ret_value);
bool json_boolean(struct json_object *object, const char *name, bool *ret_value);
/* A copy of the string member as a secret, or NULL. */
struct secret *json_secret(struct json_object *object, const char *name);

#endif
