#include "io/target/socket_failure.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "proto/failure.h"
#include "proto/socket_answer.h"

static void begin(struct failure *failure, enum reason reason, int saved_errno)
{
    const char *name = strerrorname_np(saved_errno);

    failure_init(failure, reason);
    if (saved_errno != 0 && name)
        (void)str_copy(failure->error_code, sizeof(failure->error_code), name);
}

void socket_failure_queue(struct failure *failure, const char *path)
{
    failure_set_remedy(failure,
                       "see what the program behind the socket waits for (`ss -xlp src %s`), or "
                       "raise its queue (`Backlog=` in the socket's unit)",
                       path);
}

void socket_failure_connect(struct failure *failure, const char *path, int saved_errno)
{
    const unsigned uid = (unsigned)geteuid();

    begin(failure,
          saved_errno == EACCES || saved_errno == EPERM ? REASON_TARGET_DENIED
                                                        : REASON_TARGET_FAILED,
          saved_errno);
    failure_set_text(failure, "cannot connect to socket %s: %s", path, strerror(saved_errno));
    switch (saved_errno) {
    case EACCES:
    case EPERM:
        failure_set_remedy(failure,
                           "let uid %u connect: `SocketUser=%u` in the socket's unit, or `chown %u "
                           "%s`; `namei -l %s` shows directories that it may not pass",
                           uid, uid, uid, path, path);
        break;
    case ENOENT:
        failure_set_remedy(failure,
                           "start what listens there (a socket unit: `systemctl enable --now "
                           "NAME.socket`), or correct `path`; a socket below /home, /root or /tmp "
                           "may be hidden by the unit's sandbox");
        break;
    case ENOTDIR:
        failure_set_remedy(failure, "correct `path`: a part of %s is a file", path);
        break;
    case ECONNREFUSED:
        failure_set_remedy(failure,
                           "start what listens there again: the socket was left behind (a socket "
                           "unit that failed: `systemctl restart NAME.socket`, and see its limits "
                           "in `systemctl status NAME.socket`)");
        break;
    case ELOOP:
        failure_set_remedy(failure,
                           "correct the link that leads back to itself, which `namei -l %s` "
                           "shows, or set another `path`",
                           path);
        break;
    case EAGAIN: /* connect(2) of a Unix socket */
        failure_set_text(failure,
                         "cannot connect to socket %s: what listens there does not accept "
                         "connections at the moment, and its queue is full",
                         path);
        failure_set_remedy(failure,
                           "none needed where it is busy for a moment: it is tried again by "
                           "itself; where it lasts, see what the program waits for (`ss -xlp src "
                           "%s`), or raise its queue (`Backlog=` in the socket's unit)",
                           path);
        break;
    case EPROTOTYPE:
        failure_set_remedy(failure,
                           "let it be a stream socket (`ListenStream=` in the socket's unit)");
        break;
    default:
        failure_set_remedy(failure, "see whether what listens there runs");
        break;
    }
}

void socket_failure_no_socket(struct failure *failure, const char *path)
{
    begin(failure, REASON_TARGET_FAILED, 0);
    failure_set_text(failure, "%s is no socket", path);
    failure_set_remedy(failure,
                       "correct `path`, or move away what is at %s and start what listens "
                       "there",
                       path);
}

void socket_failure_no_user(struct failure *failure, const char *path, const char *owner,
                            int saved_errno)
{
    begin(failure, REASON_TARGET_FAILED, saved_errno);
    if (saved_errno == 0) {
        failure_set_text(failure, "socket %s: there is no user \"%s\" that could listen there",
                         path, owner);
        failure_set_remedy(failure, "correct `owner`");
    } else {
        failure_set_text(failure, "socket %s: cannot look up user \"%s\": %s", path, owner,
                         strerror(saved_errno));
        failure_set_remedy(failure, "check whether `getent passwd %s` answers", owner);
    }
}

void socket_failure_nobody(struct failure *failure, const char *path, const char *owner)
{
    begin(failure, REASON_TARGET_FAILED, 0);
    failure_set_text(failure,
                     "socket %s: user %s cannot be its owner, because users that the sandbox hides "
                     "look like this one",
                     path, owner);
    failure_set_remedy(failure, "let another user listen there, and name it as `owner`");
}

void socket_failure_owner(struct failure *failure, const char *path, const char *owner, uid_t uid)
{
    begin(failure, REASON_TARGET_DENIED, 0);
    if (uid == SOCKET_OVERFLOW_UID) {
        failure_set_text(
            failure, "socket %s: the user that listens there is not %s, or cannot be recognised",
            path, owner);
        failure_set_remedy(failure,
                           "listen by a socket unit, whose owner is root; or, where %s itself "
                           "listens, run `systemctl edit {unit}`, add `PrivateUsers=no` below "
                           "[Service] and restart the daemon",
                           owner);
    } else {
        failure_set_text(failure, "socket %s: uid %u listens there, not user %s; no key was sent",
                         path, (unsigned)uid, owner);
        failure_set_remedy(failure,
                           "find out who listens there (`ss -xlp src %s`); if it is right, set "
                           "`owner: %u`",
                           path, (unsigned)uid);
    }
}

void socket_failure_broken(struct failure *failure, const char *path, int saved_errno)
{
    begin(failure, REASON_TARGET_FAILED, saved_errno);
    failure->outcome_unknown = true;
    if (saved_errno == 0)
        failure_set_text(failure, "socket %s: the connection was closed without an answer", path);
    else
        failure_set_text(failure, "socket %s: the connection ended without an answer: %s", path,
                         strerror(saved_errno));
    failure_set_remedy(failure,
                       "see in the log of the program behind the socket why it ends; it is to read "
                       "to the end, answer with one line, and exit");
}

void socket_failure_long_answer(struct failure *failure, const char *path)
{
    begin(failure, REASON_TARGET_FAILED, 0);
    failure->outcome_unknown = true;
    failure_set_text(failure, "socket %s: the answer is longer than %d bytes", path,
                     SOCKET_ANSWER_MAX);
    failure_set_remedy(failure, "let the program answer with one line, and log the rest elsewhere");
}
