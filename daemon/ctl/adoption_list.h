/*
 * The file of `adopt --file`: one account a line, ACCOUNT primary|secondary; blank lines and lines
 * that begin with # say nothing.
 */
#ifndef KEYROTATED_CTL_ADOPTION_LIST_H
#define KEYROTATED_CTL_ADOPTION_LIST_H

#include "base/buf.h"
#include "ctl/ctl.h"

struct adoption_line {
    unsigned number;    /* in the file, from 1 */
    char *account;      /* as typed */
    const char *active; /* "primary" or "secondary" */
    const struct account_snapshot *subject;
};

struct adoption_list {
    struct adoption_line *lines;
    size_t count;
    char *text; /* owns the names */
};

/*
 * Takes `text` (of `length` bytes; copied) apart and holds every line against the accounts of
 * `status`, which the list borrows from. Appends a line "NAME:LINE: what is wrong" to `errors` for
 * each thing that is wrong: the list is good only where there is none. Returns 0 or -ENOMEM;
 * adoption_list_done() whatever the result.
 */
int adoption_list_read(struct adoption_list *list, const char *name, const char *text,
                       size_t length, const struct control_status *status, struct buf *errors);
void adoption_list_done(struct adoption_list *list);

#endif
