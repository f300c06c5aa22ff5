/*
 * Telling systemd: readiness, status, reloads, and that the loop is alive (sd_notify(3)).
 *
 * Nothing waits for systemd: what it does not take at once is told again every second, in order. A
 * feeding of the watchdog is left out then.
 *
 * All of it does nothing when the daemon was not started by systemd.
 */
#ifndef KEYROTATED_IO_LOOP_NOTIFY_H
#define KEYROTATED_IO_LOOP_NOTIFY_H

#include "io/loop/loop.h"

struct notify;

/* Starts feeding the watchdog from the loop, twice in every $WATCHDOG_USEC, where one is asked for.
 */
struct notify *notify_new(struct loop *loop);

/* Stops feeding; closed(context) (may be NULL) from the loop, when it has been freed. */
void notify_close(struct notify *notify, void (*closed)(void *context), void *context);

void notify_ready(struct notify *notify);
/* One line for `systemctl status`; the same one again is not sent. */
void notify_status(struct notify *notify, const char *status);
/* RELOADING=1 with MONOTONIC_USEC=, to be followed by notify_ready(). */
void notify_reloading(struct notify *notify);
void notify_stopping(struct notify *notify);

#endif
