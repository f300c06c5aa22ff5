/*
 * History as people and programs read it: from a page of the daemon to text. What is written page
 * by page stands together as one table, list, or document.
 */
#ifndef KEYROTATED_CTL_HISTORY_H
#define KEYROTATED_CTL_HISTORY_H

#include "base/buf.h"
#include "ctl/ctl.h"
#include "proto/control_history.h"

/* A form: the head before the first page, then pages, then the end. `rows`: how many there were. */
struct history_form {
    void (*head)(struct buf *out, time_ms now);
    void (*row)(struct buf *out, const struct history_snapshot *row);
    void (*end)(struct buf *out, size_t rows);
    const char *between; /* the rows of two pages */
};

/* A table of at most 100 columns, with what happened in words below each row. */
extern const struct history_form history_as_text;
/* RFC 4180, with a line of names. */
extern const struct history_form history_as_csv;
/* One document: {"now", "rows"}, and "error" where the rest could not be read. Its end leaves the
 * object open. */
extern const struct history_form history_as_json;

/* history --verify (history_verify.c): prints what is not as it was written. Returns CTL_NOT_DONE
 * where there is any. */
enum ctl_exit history_verify(const struct ctl_options *options);

#endif
