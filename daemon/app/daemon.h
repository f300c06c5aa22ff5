/*
 * The daemon: owns everything, starts it in order, reloads it, reports on it, and takes it down in
 * the opposite order.
 */
#ifndef KEYROTATED_APP_DAEMON_H
#define KEYROTATED_APP_DAEMON_H

#include "app/options.h"

/* Runs until it is told to stop (or, with --once, has nothing left to do). Returns the exit status.
 */
int daemon_run(const struct options *options);

#endif
