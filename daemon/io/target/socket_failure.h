/*
 * Turns what goes wrong with a Unix socket into a reason, a sentence, and an exact remedy.
 */
#ifndef KEYROTATED_IO_TARGET_SOCKET_FAILURE_H
#define KEYROTATED_IO_TARGET_SOCKET_FAILURE_H

#include <sys/types.h>

#include "core/look.h"

/*
 * The user that the kernel names in place of one that has no number in this user namespace
 * (user_namespaces(7)). All of these look alike, so none of them can be recognised.
 */
#define SOCKET_OVERFLOW_UID ((uid_t)65534)

/* All overwrite *failure. None of them may block. */

/* Looking at `path`, or connecting to it, failed with this errno value. */
void socket_failure_connect(struct failure *failure, const char *path, int saved_errno);

/* The remedy alone, for a queue that was full and will not be tried again. */
void socket_failure_queue(struct failure *failure, const char *path);

/* There is something else than a socket at `path`. */
void socket_failure_no_socket(struct failure *failure, const char *path);

/* `owner` is no user of this machine; `saved_errno` is not 0 where the look-up failed. */
void socket_failure_no_user(struct failure *failure, const char *path, const char *owner,
                            int saved_errno);

/* `owner` is the user SOCKET_OVERFLOW_UID. */
void socket_failure_nobody(struct failure *failure, const char *path, const char *owner);

/* Another user than `owner` listens. */
void socket_failure_owner(struct failure *failure, const char *path, const char *owner, uid_t uid);

/* The connection ended with this errno value before there was an answer: the outcome is unknown.
 * 0: it was closed. */
void socket_failure_broken(struct failure *failure, const char *path, int saved_errno);

/* The answer is longer than SOCKET_ANSWER_MAX: the outcome is unknown. */
void socket_failure_long_answer(struct failure *failure, const char *path);

#endif
