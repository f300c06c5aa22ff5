/*
 * Strings written as JSON.
 */
#ifndef KEYROTATED_BASE_JSON_TEXT_H
#define KEYROTATED_BASE_JSON_TEXT_H

#include <stddef.h>

#include "base/buf.h"

/* Appends `text` as a JSON string with quotes and escapes (invalid UTF-8 becomes U+FFFD).
 * Characters that control a terminal or that readers take for a line break are escaped, too.
 * Returns 0 or the buffer's error. */
int json_append_string(struct buf *out, const char *text, size_t length);

#endif
