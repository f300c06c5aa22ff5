/*
 * The unix socket of the daemon: creates it, sets its group, and removes it.
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
    char warning[CONTROL_WARNING_MAX]; /* "": no warning */
};

/* See control_open(). The socket listens already. Call control_socket_done() in every case. */
int control_socket_init(struct control_socket *made, const char *path, const char *group,
                        struct err *err);

/* Removes the file if it is still the one that was made. */
void control_socket_unlink(struct control_socket *made);

/* Unlinks, closes the descriptor unless it was handed on (fd -1), frees. */
void control_socket_done(struct control_socket *made);

/* The client's user, from the kernel and /etc/passwd: "uid 1000 (alice)". */
void control_socket_peer(int fd, char out[CONTROL_ACTOR_MAX]);

#endif
