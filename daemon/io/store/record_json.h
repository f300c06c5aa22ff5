/*
 * A record as one JSON value, for journals that keep values and not tables. Every member of the
 * record table stands in it under its name; an instant that never comes is "never"; "targets" is a
 * list in the order of delivery.
 */
#ifndef KEYROTATED_IO_STORE_RECORD_JSON_H
#define KEYROTATED_IO_STORE_RECORD_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "core/record.h"

/* Appends the value. Returns 0 or the buffer's error. */
int record_json_write(struct buf *out, const struct record *record);

/*
 * Reads what the above wrote. A member that is absent is as in a new record. Returns 0;
 * -EPROTONOSUPPORT: it has a member that this version does not know, and would lose; -EBADMSG: no
 * such value, or a member has a value that makes no sense. err says which.
 */
int record_json_read(const char *text, size_t length, struct record *ret_record, struct err *err);

#endif
