/*
 * Signals as calls from the loop: SIGTERM and SIGINT ask to stop, SIGHUP to read the configuration
 * again (daemon(7)).
 */
#ifndef KEYROTATED_IO_LOOP_SIGNALS_H
#define KEYROTATED_IO_LOOP_SIGNALS_H

#include "io/loop/loop.h"

struct signals;

/* Called from the loop; `signal_number` is SIGTERM, SIGINT or SIGHUP. */
typedef void signals_received(void *context, int signal_number);

/* NULL when a signal cannot be caught. */
struct signals *signals_new(struct loop *loop, signals_received *received, void *context);
/* Stops catching the signals and frees, from the loop. NULL is fine. */
void signals_close(struct signals *signals);

#endif
