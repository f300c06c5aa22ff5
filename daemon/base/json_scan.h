/*
 * Is this text JSON, by the letter of RFC 8259 and within our limits?
 *
 * A validator that builds nothing. It demands more than the grammar where RFC 8259 lets parsers
 * differ, so that no two of them can read different things from the same text: member names must be
 * unique within their object (section 4), integers must fit in an int64_t (6), strings must be
 * valid UTF-8 without \u0000 and lone surrogates (8), and nesting has a limit (9).
 */
#ifndef KEYROTATED_BASE_JSON_SCAN_H
#define KEYROTATED_BASE_JSON_SCAN_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Stands in a mended text for what is no usable value. A number beyond every double is none either,
 * so that no usable value looks like it: json-c reads it as an infinite double. */
#define JSON_UNUSABLE "1e999"

/* What a valid text holds. Comparing it with what a parser built shows whether that left out a part
 * when memory ran short. */
struct json_census {
    size_t values;       /* all of them: objects, arrays, strings, numbers, literals */
    size_t nulls;        /* of these, the literal null */
    size_t string_bytes; /* length of all string values together, decoded; names do not count */
};

/* Checks exactly one value with blanks around it, nested at most `depth_max` deep. Returns 0 and
 * fills *ret_census; or -EBADMSG, or -ENOMEM, and err tells the byte offset and what was expected
 * there, never what was found. */
int json_scan(const char *text, size_t length, int depth_max, struct json_census *ret_census,
              struct err *err);

/*
 * Likewise for a text of somebody who reads other parts of it than we do. Only its structure must
 * be clear. A value that json_scan() refuses, and a name that stands twice in its object, get
 * JSON_UNUSABLE for their value, and a name that cannot be decoded is replaced by U+FFFD. Appends
 * the text as it is to be parsed to `mended`, which has room for eight times its length and 64
 * bytes; the census is about that.
 */
int json_scan_mending(const char *text, size_t length, int depth_max, struct buf *mended,
                      struct json_census *ret_census, struct err *err);

#endif
