/*
 * Places in a JSON document, written as text: "properties.primaryEndpoints.blob" goes from member
 * to member; "keys[keyName=key1].value" takes, of the list `keys`, the first object whose member
 * `keyName` is the text "key1" in any case.
 */
#ifndef KEYROTATED_BASE_JSON_PATH_H
#define KEYROTATED_BASE_JSON_PATH_H

#include "base/json.h"

enum { JSON_PATH_MAX = 128 };

/*
 * Finds the value at `path`. Returns 0 with *ret_value borrowed, NULL where there is no such place
 * or it holds null; -EBADMSG with err set where a member on the way occurs twice or is unusable
 * (json_parse_foreign()), or a list has two such objects. `path` is at most JSON_PATH_MAX - 1
 * characters long.
 */
int json_at(struct json_object *document, const char *path, struct json_object **ret_value,
            struct err *err);

/* The same of a text: *ret_text is NULL where there is none, or another kind of value. */
int json_text_at(struct json_object *document, const char *path, const char **ret_text,
                 struct err *err);

#endif
