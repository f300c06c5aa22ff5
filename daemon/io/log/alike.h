/*
 * Recognises lines of the log that report the same for different subjects, and finds their common
 * fields.
 */
#ifndef KEYROTATED_IO_LOG_ALIKE_H
#define KEYROTATED_IO_LOG_ALIKE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"

/* The text of the field of that name; NULL when there is no such field or it is a number. */
const char *log_alike_text(const struct log_line *line, const char *name);

/* A hash over event and reason. */
uint64_t log_alike_kind(const struct log_line *line);
/* A hash over the event and the text of log_line_lasts(). */
uint64_t log_alike_subject(const char *event, const char *subject);
/* A hash that is the same for lines of one kind with the same cause: their sentences differ only in
 * names and numbers, and error code and HTTP status are the same. */
uint64_t log_alike_cause(const struct log_line *line);

/* "group/account", or what else the line is about: a subscription, an identity. */
void log_alike_name(const struct log_line *line, struct buf *out);

/* Removes the fields that are specific to one subject. */
void log_alike_keep_common(struct log_line *line);

#endif
