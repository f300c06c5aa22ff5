/*
 * Writing JSON objects member by member; commas come by themselves. For control.h alone.
 */
#ifndef KEYROTATED_PROTO_CONTROL_JSON_H
#define KEYROTATED_PROTO_CONTROL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/time.h"

/* `name` NULL: an element of a list, or the document itself. */
void write_open(struct buf *out, const char *name, char bracket);
void write_close(struct buf *out, char bracket);
void write_null(struct buf *out, const char *name);
void write_text(struct buf *out, const char *name, const char *text); /* NULL: null */
void write_bool(struct buf *out, const char *name, bool value);
void write_number(struct buf *out, const char *name, uint64_t value);
void write_time(struct buf *out, const char *name, time_ms at); /* not after 0, or never: null */
/* How old something is, in seconds; null where its birth is not known. */
void write_age(struct buf *out, const char *name, time_ms born, time_ms now);

#endif
