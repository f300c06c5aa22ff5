/*
 * The answer of a program behind a Unix socket that was given a key: one line, a JSON object.
 *
 *   {"result":"delivered"}
 *   {"result":"not_yet","message":"two jobs still run with the old key"}
 *   {"result":"failed","message":"the service did not come up again"}
 *
 * `message` may be left out, and other members are ignored.
 */
#ifndef KEYROTATED_PROTO_SOCKET_ANSWER_H
#define KEYROTATED_PROTO_SOCKET_ANSWER_H

#include <stddef.h>

#include "core/look.h"

enum { SOCKET_ANSWER_MAX = 16 * 1024 };

/*
 * Reads what was received until the end of the connection from the socket at `path`. Returns 0
 * where the key was delivered, -EIO with *failure filled where it was not, or -ENOMEM. The outcome
 * is unknown unless the answer is one of the above. What the other side wrote is shown only as far
 * as it is `message`, redacted.
 */
int socket_answer_read(const char *bytes, size_t length, const char *path, struct failure *failure);

#endif
