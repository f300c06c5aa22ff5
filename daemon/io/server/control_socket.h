/*
 * The unix socket that the daemon listens on: made, given to its group, removed again.
 */
#ifndef KEYROTATED_IO_SERVER_CONTROL_SOCKET_H
#define KEYROTATED_IO_SERVER_CONTROL_SOCKET_H

#include <sys/types.h>

#include "base/err.h"

enum { CONTROL_WARNING_MAX = 512, CONTROL_ACTOR_MAX = 64 };

struct control_socket {
    int fd; /* -1: none */
    char *path;
    dev_t device; /* with inode: the file that was made, so that no other one is removed */
    ino_t inode;
    char warning[CONTROL_WARNING_MAX]; /* "": all is as it should be */
};

/* See control_open(). Listens already; wants control_socket_done() in any case. */
int control_socket_init(struct control_socket *made, const char *path, const char *group,
                        struct err *err);

/* Removes the file if it is still the one that was made. */
void control_socket_unlink(struct control_socket *made);

/* Unlinks, closes the descriptor unless it was handed on (fd -1), frees. */
void control_socket_done(struct control_socket *made);

/* Who is at the other end, as the kernel and /etc/passwd say: "uid 1000 (alice)". */
void control_socket_peer(int fd, char out[CONTROL_ACTOR_MAX]);

#endif
