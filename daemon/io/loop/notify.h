/*
 * Messages to systemd (sd_notify(3)): readiness, status, reloads, and the watchdog.
 *
 * Sending never blocks: messages that systemd does not accept at once are queued and tried again
 * every second, in order. Watchdog messages are not queued. Without systemd all functions do
 * nothing.
 */
#ifndef KEYROTATED_IO_LOOP_NOTIFY_H
#define KEYROTATED_IO_LOOP_NOTIFY_H

#include "io/loop/loop.h"

struct notify;

/* Starts feeding the watchdog from the loop, twice in every $WATCHDOG_USEC, if that is set. */
struct notify *notify_new(struct loop *loop);

/* Stops feeding the watchdog and frees `notify`; then calls closed(context) (may be NULL) from the
 * loop. */
void notify_close(struct notify *notify, void (*closed)(void *context), void *context);

void notify_ready(struct notify *notify);
/* One line for `systemctl status`; an unchanged line is not sent again. */
void notify_status(struct notify *notify, const char *status);
/* RELOADING=1 with MONOTONIC_USEC=, to be followed by notify_ready(). */
void notify_reloading(struct notify *notify);
void notify_stopping(struct notify *notify);

#endif
