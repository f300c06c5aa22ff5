/*
 * A JSON validator, by the letter of RFC 8259 and within our limits; it builds nothing.
 *
 * Where RFC 8259 lets parsers differ it is stricter than the grammar, so that all parsers read the
 * same from the text: member names must be unique within their object (section 4), integers must
 * fit in an int64_t (6), strings must be valid UTF-8 without \u0000 and lone surrogates (8), and
 * nesting has a limit (9).
 */
#ifndef KEYROTATED_BASE_JSON_SCAN_H
#define KEYROTATED_BASE_JSON_SCAN_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Replaces an unusable value in a mended text. json-c reads it as an infinite double, and no usable
 * number is infinite, so the two cannot be confused. */
#define JSON_UNUSABLE "1e999"

/* Counts of the parts of a valid text. A parser's result that has fewer parts is incomplete because
 * memory ran out. */
struct json_census {
    size_t values;       /* all of them: objects, arrays, strings, numbers, literals */
    size_t nulls;        /* of these, the literal null */
    size_t string_bytes; /* length of all string values together, decoded; names do not count */
};

/* Checks exactly one value with blanks around it, nested at most `depth_max` deep. Returns 0 and
 * fills *ret_census; or -EBADMSG or -ENOMEM; err holds the byte offset and what was expected there,
 * never what was found. */
int json_scan(const char *text, size_t length, int depth_max, struct json_census *ret_census,
              struct err *err);

/*
 * Like json_scan(), but mends mistakes inside the text; only its structure must be intact.
 * JSON_UNUSABLE replaces a value that json_scan() refuses, and the value of a name that occurs
 * twice in its object. U+FFFD replaces a name that cannot be decoded. Appends the text to parse to
 * `mended`, which has room for eight times its length and 64 bytes; the census counts the mended
 * text.
 */
int json_scan_mending(const char *text, size_t length, int depth_max, struct buf *mended,
                      struct json_census *ret_census, struct err *err);

#endif
