/*
 * The daemon's side of the control socket.
 */
#ifndef KEYROTATED_APP_DAEMON_CONTROL_H
#define KEYROTATED_APP_DAEMON_CONTROL_H

#include "app/daemon_state.h"

/* The questions and commands that it answers, for control_open(). */
void daemon_answer(struct daemon *daemon, struct control_handler *handler);

/* Commands that the daemon itself carries out; each answers by control_answer(). */
#define MACHINE(name)
#define HOLDS(name)
#define DAEMON(name)                                                                               \
    void daemon_command_##name(struct daemon *, const struct control_command *,                    \
                               struct control_request *);
#define ROW(NAME, name, CARRIER, ...) CARRIER(name)
COMMAND_LIST(ROW)
#undef ROW
#undef DAEMON
#undef HOLDS
#undef MACHINE

#endif
