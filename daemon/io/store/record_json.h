/*
 * A record as one JSON value, for journals that store values instead of tables. It has every member
 * of the record table under its name; an instant that never comes is "never"; "targets" is a list
 * in the order of delivery.
 */
#ifndef KEYROTATED_IO_STORE_RECORD_JSON_H
#define KEYROTATED_IO_STORE_RECORD_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "core/record.h"

/* Appends the value. Returns 0 or the buffer's error. */
int record_json_write(struct buf *out, const struct record *record);

/*
 * Reads a value of record_json_write(). An absent member gets its value of a new record. Returns 0;
 * -EPROTONOSUPPORT: a member is unknown to this version and would be lost; -EBADMSG: no such value,
 * or a member has an invalid value. err says which.
 */
int record_json_read(const char *text, size_t length, struct record *ret_record, struct err *err);

#endif
