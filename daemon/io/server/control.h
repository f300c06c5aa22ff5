/*
 * The control socket: HTTP/1.1 and JSON on a unix socket (proto/control_protocol.h says what is
 * spoken).
 *
 * Questions are answered from what the daemon holds in memory. Commands may take until the journal
 * has them: their client waits for control_answer().
 *
 * Who may connect is decided by the socket's owner, group and mode; who it was is asked of the
 * kernel (SO_PEERCRED) and goes into every command as `actor`. A client that sends too much, too
 * slowly or nonsense gets an error document, or is cut off, and costs nobody else anything.
 */
#ifndef KEYROTATED_IO_SERVER_CONTROL_H
#define KEYROTATED_IO_SERVER_CONTROL_H

#include "base/buf.h"
#include "base/err.h"
#include "io/loop/loop.h"
#include "proto/control_protocol.h"

struct control;
struct control_request; /* a command that waits for its answer */

/* What answers. All is called from the loop, `context` first. */
struct control_handler {
    void *context;

    /* The table of questions: borrowed, as long as the socket is open. */
    const struct control_question *questions;
    size_t question_count;

    /*
     * Carries out a command. The handler, or what it starts, calls control_answer(request, …)
     * exactly once, at any time, also after control_close(). Until then `command` and its texts
     * stay valid. It is checked as far as the request alone goes: `active` is a slot's name, a hold
     * has an `until` and a reason; whether `until` lies ahead is not.
     */
    void (*command)(void *context, const struct control_command *command,
                    struct control_request *request);
};

/* Limits; zero members mean the default. Tests shorten them. */
struct control_limits {
    unsigned connections;        /* at a time: 64 */
    duration_ms receive_timeout; /* for a whole request: 10 s; see io/server/http_server.h */
    duration_ms command_timeout; /* then the client is told "not_done": 2 min */
};

/*
 * Binds `path` (0660; group `group` where such a group exists and may be given, else the process's
 * own) and listens. What a dead process left there is replaced; a socket that somebody listens on
 * is -EADDRINUSE, and anything that is not a socket -EEXIST. `handler` is copied; `limits` may be
 * NULL.
 */
int control_open(struct loop *loop, const char *path, const char *group,
                 const struct control_handler *handler, const struct control_limits *limits,
                 struct control **ret_control, struct err *err);

/* What is not as it should be although the socket works (the group could not be given), or NULL. */
const char *control_warning(const struct control *control);

/* Removes the socket, tells waiting clients that the daemon stops, and closes; closed() (may be
 * NULL) from the loop. Commands that are still being carried out are answered into the void. */
void control_close(struct control *control, void (*closed)(void *context), void *context);

/* Completes a command and frees the request. `answer` is copied. The client has it later, from the
 * loop: nothing of the server happens inside this call, wherever it is made. */
void control_answer(struct control_request *request, const struct control_answer *answer);

#endif
