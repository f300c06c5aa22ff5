/*
 * One HTTP request over the daemon's unix socket.
 */
#ifndef KEYROTATED_CTL_CLIENT_H
#define KEYROTATED_CTL_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "ctl/ctl.h"

/* The socket of the command line, else of the service's environment, else the usual one. `storage`
 * holds the path where it had to be put together. */
enum { CTL_PATH_MAX = 512 };
const char *ctl_socket_path(const struct ctl_options *options, char storage[CTL_PATH_MAX]);

/*
 * Sends GET (body NULL) or POST and appends the body of the reply to `reply`. Returns CTL_DONE with
 * the status code in *ret_status; CTL_UNREACHABLE, CTL_NOT_PERMITTED or CTL_USAGE (too
 * long) with the reason in err.
 */
enum ctl_exit ctl_request(const char *socket, const char *path, const char *body, struct buf *reply,
                          long *ret_status, struct err *err);

#endif
