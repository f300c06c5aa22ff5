/*
 * The control socket: HTTP/1.1 and JSON on a unix socket (proto/control_protocol.h says what is
 * spoken). Most questions are answered from memory. Commands, and questions about what only the
 * journal knows, have to wait for it: their client waits for control_answer() or
 * control_answer_question(). The socket's owner, group and mode decide who can connect; the
 * kernel reports the client's user (SO_PEERCRED), which becomes the `actor` of every command. A
 * client that sends too much, too slowly or invalid data gets an error document or is disconnected,
 * without effect on other clients.
 */
#ifndef KEYROTATED_IO_SERVER_CONTROL_H
#define KEYROTATED_IO_SERVER_CONTROL_H

#include "base/buf.h"
#include "base/err.h"
#include "io/loop/loop.h"
#include "proto/control_protocol.h"

struct control;
struct control_request; /* a command or question that waits for its answer */

/* The handler of questions and commands. All functions are called from the loop, with `context`
 * first. */
struct control_handler {
    void *context;

    /* The table of questions: borrowed, as long as the socket is open. */
    const struct control_question *questions;
    size_t question_count;

    /*
     * Carries out a command. The handler, or what it starts, calls control_answer(request, …)
     * exactly once, at any time, also after control_close(). Until then `command` and its texts
     * stay valid. The request itself has been checked: `active` is a slot's name, a hold has an
     * `until` and a reason. `until` may lie in the past.
     */
    void (*command)(void *context, const struct control_command *command,
                    struct control_request *request);
};

/* Limits; zero members mean the default. Tests shorten them. */
struct control_limits {
    unsigned connections;        /* at a time: 64 */
    duration_ms receive_timeout; /* for a whole request: 10 s; see io/server/http_server.h */
    duration_ms
        command_timeout; /* after it the client gets "not_done", also of a question: 2 min */
};

/*
 * Binds `path` (0660; group `group` where such a group exists and may be given, else the process's
 * own) and listens. A stale socket is replaced. Returns -EADDRINUSE when a process listens on the
 * socket, -EEXIST when the path is not a socket. `handler` is copied; `limits` may be NULL.
 */
int control_open(struct loop *loop, const char *path, const char *group,
                 const struct control_handler *handler, const struct control_limits *limits,
                 struct control **ret_control, struct err *err);

/* A warning although the socket works (its group could not be set), or NULL. */
const char *control_warning(const struct control *control);

/* Removes the socket, tells waiting clients that the daemon stops, and closes; closed() (may be
 * NULL) from the loop. Answers to unfinished commands are dropped. */
void control_close(struct control *control, void (*closed)(void *context), void *context);

/* Completes a command and frees the request. `answer` is copied. The loop sends it later, so this
 * call may be made from anywhere. */
void control_answer(struct control_request *request, const struct control_answer *answer);

/* Completes a question that was asked with ask(), and frees the request. `rc` and `err`: as
 * answer() returns them; `document`, which is taken, counts where rc is 0. */
void control_answer_question(struct control_request *request, int rc, struct buf *document,
                             const struct err *err);

#endif
