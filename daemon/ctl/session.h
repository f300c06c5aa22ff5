/*
 * Commands sent, and their answers printed: as they come for people, as one document at the end for
 * programs.
 */
#ifndef KEYROTATED_CTL_SESSION_H
#define KEYROTATED_CTL_SESSION_H

#include "base/buf.h"
#include "ctl/ctl.h"

struct ctl_session {
    const struct ctl_options *options;
    struct buf results; /* --json: the answers so far */
    enum ctl_exit worst;
};

void ctl_session_start(struct ctl_session *session, const struct ctl_options *options);
/* Prints the document of --json, with what was complained of meanwhile. Returns the worst exit
 * status of the commands. */
enum ctl_exit ctl_session_end(struct ctl_session *session);

/* Sends one command and prints its answer. Returns the command's own exit status, and keeps the
 * worst. */
enum ctl_exit ctl_send_command(struct ctl_session *session, const struct control_command *command);

/* The worse of two exit statuses, for commands on several accounts. */
enum ctl_exit ctl_worse(enum ctl_exit a, enum ctl_exit b);

/* Nothing further is tried once the daemon cannot be talked to. */
bool ctl_is_final(enum ctl_exit result);

#endif
