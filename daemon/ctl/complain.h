/*
 * Reports the errors of keyrotatectl itself: a line on standard error; with --json {"error":
 * {"code", "message"}} on standard output, as a document of its own or as a member of the one that
 * is printed anyway.
 */
#ifndef KEYROTATED_CTL_COMPLAIN_H
#define KEYROTATED_CTL_COMPLAIN_H

#include <stdio.h>

#include "base/buf.h"
#include "ctl/ctl.h"

/* From now on complaints are kept for a document instead of being printed. */
void ctl_complain_in_json(void);

/* Returns `result`, whose name is the code: usage, unreachable, not_permitted, refused, not_done. A
 * document has only the first complaint, because it causes the others. */
enum ctl_exit ctl_complain(enum ctl_exit result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with a code that the daemon gave. */
enum ctl_exit ctl_complain_as(enum ctl_exit result, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints a text for people, and frees it. */
void ctl_print(FILE *stream, struct buf *text);

/* Appends the member "error" to an object that is open; nothing where there is no complaint. */
void ctl_complaint_write(struct buf *out);
/* Prints the complaint that no document has had; nothing where there is none. */
void ctl_complaint_print(void);

#endif
