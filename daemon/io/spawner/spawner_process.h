/*
 * The spawner itself: the child's side.
 */
#ifndef KEYROTATED_IO_SPAWNER_SPAWNER_PROCESS_H
#define KEYROTATED_IO_SPAWNER_SPAWNER_PROCESS_H

/* At most so many programs run at the same time. */
enum { SPAWNER_PROGRAMS_MAX = 256 };

/* A group that was asked to end is killed after so long. */
enum { SPAWNER_KILL_AFTER_MS = 2000 };

/* Serves the socket until the other end is closed, and ends the process. */
_Noreturn void spawner_process_run(int socket);

#endif
