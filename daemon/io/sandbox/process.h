/*
 * Hardens the process before it handles a key. The unit file asks systemd for the same and more;
 * this works wherever the daemon is started.
 */
#ifndef KEYROTATED_IO_SANDBOX_PROCESS_H
#define KEYROTATED_IO_SANDBOX_PROCESS_H

#include "base/err.h"

/*
 * To be called first thing in main(), before threads and before any file is opened:
 *
 *  - descriptors 0, 1 and 2 are open, so that no file of ours ends up there;
 *  - other inherited descriptors, but for those that systemd handed over (sd_listen_fds(3)), are
 * not passed on to children;
 *  - no core dumps, no attaching debugger (but by root), no new privileges through execve(2);
 *  - new files are the daemon's own (umask 077), writing to a closed connection is an error and no
 *    signal;
 *  - as many descriptors and as much locked memory as the limits allow.
 *
 * Returns 0, or a negative errno value with err set when a protection of the keys is unavailable.
 */
int process_harden(struct err *err);

#endif
