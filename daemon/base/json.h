/*
 * JSON by the book (RFC 8259), on json-c.
 *
 * json-c accepts more than JSON even when told to be strict (single quotes, NaN, duplicate names,
 * control characters, bytes after a NUL), and turns numbers that are too large into the largest.
 * json_parse() refuses all of that before json-c sees it. Values are read by type: asking for a
 * string where there is a number gives NULL, not "3".
 */
#ifndef KEYROTATED_BASE_JSON_H
#define KEYROTATED_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json_object.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_text.h"
#include "base/secret.h"

enum { JSON_DEPTH_MAX = 24 };

/*
 * Parses exactly one value. Returns an owned reference (json_object_put()), or NULL with err set;
 * the message tells the byte offset and what was expected, never the surrounding bytes. Refuses,
 * beyond what the grammar forbids: nesting deeper than JSON_DEPTH_MAX, member names that occur
 * twice, \u0000 and lone surrogates, integers that do not fit in an int64_t, and a bare null, for
 * which json-c has no object.
 */
struct json_object *json_parse(const char *text, size_t length, struct err *err);

/*
 * Likewise for an answer of a service, of which we read some members and others read others. One
 * byte order mark at its start is skipped, and what nobody reads decides nothing: a value that
 * json_parse() refuses, and all values of a name that stands twice in its object, become one value
 * for which json_is_unusable() is true and which none of the readers below takes. NULL where even
 * the structure is unclear (a cut text, a web page).
 */
struct json_object *json_parse_foreign(const char *text, size_t length, struct err *err);
bool json_is_unusable(struct json_object *value);

/* Is every member of these names absent or usable? 0, or -EBADMSG with err naming the first that is
 * not. For those members that a reader would take for absent otherwise. */
int json_check_members(struct json_object *object, const char *const names[], size_t count,
                       struct err *err);

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
