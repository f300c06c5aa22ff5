/*
 * A small process that starts programs for the daemon.
 *
 * The daemon's filter of system calls forbids execve(2), and both filter and secrets would be
 * inherited by children. So the process forks once at its start, before it has read a secret,
 * started a thread or set the filter. This child, the spawner, gets the arguments and the
 * descriptors of each program over a socket pair, starts it, and reports its end. Input and output
 * of programs pass through pipes of the daemon, so the spawner never sees a key.
 *
 * A limited number of programs run at the same time, and some hang. So most of them leave
 * SPAWNER_RESERVE places to those with `uses_reserve`; and when half of the other places are taken,
 * one program has at most SPAWNER_CROWD of them. Who finds no place waits for its turn.
 *
 * The spawner ends with the daemon: it notices that the socket is closed, whatever the reason, and
 * ends all programs first. When the spawner dies alone, programs cannot be started until the daemon
 * is restarted.
 */
#ifndef KEYROTATED_IO_SPAWNER_SPAWNER_H
#define KEYROTATED_IO_SPAWNER_SPAWNER_H

#include "base/err.h"
#include "io/loop/loop.h"

struct spawner;

enum { SPAWNER_RESERVE = 32, SPAWNER_CROWD = 4 };

/* Forks. To be called after process_harden(), and before threads, secrets and the filter. Returns 0
 * or a negative errno value with err set (then *ret_spawner is NULL). */
int spawner_start(struct spawner **ret_spawner, struct err *err);

/* Lets programs be started from the loop. */
void spawner_attach(struct spawner *spawner, struct loop *loop);

/* Closes the socket, and frees the spawner once the loop has closed its handle. Programs that still
 * run are ended by the spawner; their completions are not called. NULL is fine. */
void spawner_close(struct spawner *spawner);

/* Why no program can be started, as a sentence without a full stop; NULL where programs can be
 * started. A NULL spawner has a problem, too. */
const char *spawner_problem(const struct spawner *spawner);

#endif
