/*
 * Reports the state of all accounts at intervals: to the service manager (STATUS=) and as
 * daemon.status.
 */
#ifndef KEYROTATED_APP_DAEMON_STATUS_H
#define KEYROTATED_APP_DAEMON_STATUS_H

#include "app/daemon_state.h"

/* Before anything closes daemon->status_timer. */
void daemon_status_init(struct daemon *daemon);
/* From the loop, now and then at intervals. */
void daemon_status_start(struct daemon *daemon);

#endif
