/*
 * Writes JSON: strings, and objects member by member, with commas between them.
 */
#ifndef KEYROTATED_BASE_JSON_WRITER_H
#define KEYROTATED_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/time.h"

/* Appends `text` as a JSON string with quotes and escapes (invalid UTF-8 becomes U+FFFD).
 * Characters that control a terminal or that readers take for a line break are escaped, too.
 * Returns 0 or the buffer's error. */
int json_append_string(struct buf *out, const char *text, size_t length);

/* `name` NULL: an element of a list, or the document itself. */
void json_write_open(struct buf *out, const char *name, char bracket);
void json_write_close(struct buf *out, char bracket);
void json_write_null(struct buf *out, const char *name);
void json_write_text(struct buf *out, const char *name, const char *text); /* NULL: null */
void json_write_bool(struct buf *out, const char *name, bool value);
void json_write_number(struct buf *out, const char *name, uint64_t value);
void json_write_integer(struct buf *out, const char *name, int64_t value);
/* Null for an instant that is not after 0, or TIME_NEVER. */
void json_write_time(struct buf *out, const char *name, time_ms at);
/* An age in seconds; null when `born` is not known. */
void json_write_age(struct buf *out, const char *name, time_ms born, time_ms now);

#endif
