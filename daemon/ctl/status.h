/*
 * keyrotatectl status: asking, and writing the answer.
 */
#ifndef KEYROTATED_CTL_STATUS_H
#define KEYROTATED_CTL_STATUS_H

#include "ctl/ctl.h"

/* Asks once, as the command line says. As ctl_fetch_status_path(). */
enum ctl_exit ctl_status_fetch(const struct ctl_options *options, struct control_status *status,
                               struct buf *text);
/* Appends it as people read it. */
void ctl_status_write(struct buf *out, const struct ctl_options *options,
                      const struct control_status *status);

/* status --watch: asks again and again until a signal ends it, also while the daemon is away. On a
 * terminal the picture is drawn anew each time; elsewhere what has changed is printed. Returns the
 * exit status of the last answer. */
enum ctl_exit ctl_status_watch(const struct ctl_options *options);
/* Differs where something has happened, and does not by mere passing of time. */
uint64_t ctl_status_change(const struct control_status *status);
/* Makes a picture for a terminal of that size out of lines: each ends by erasing the rest of its
 * row, and what has no room at the end is replaced by a line that says so. */
void ctl_watch_fit(struct buf *out, const char *text, unsigned rows, unsigned columns);

#endif
