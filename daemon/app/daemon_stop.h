/*
 * Taking the daemon down. In order: nothing new is started and what is under way gets a grace;
 * then, with the engine quiet, the control socket, the Azure client, the journal and HTTP are
 * closed, each when the one before reports. The loop ends by itself when nothing is left to wait
 * for.
 */
#ifndef KEYROTATED_APP_DAEMON_STOP_H
#define KEYROTATED_APP_DAEMON_STOP_H

#include "app/daemon_state.h"

/* Before daemon_stop(). */
void daemon_stop_init(struct daemon *daemon);
/* Takes everything down; the loop ends when all is closed. Again: without the grace. */
void daemon_stop(struct daemon *daemon);

#endif
