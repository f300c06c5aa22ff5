/*
 * Requests over the daemon's unix socket. All of them say on standard error why they fail.
 */
#ifndef KEYROTATED_CTL_CLIENT_H
#define KEYROTATED_CTL_CLIENT_H

#include "base/buf.h"
#include "ctl/ctl.h"

/* The socket of the command line, else of the service's environment, else the usual one. `storage`
 * holds the path where it had to be put together. */
enum { CTL_PATH_MAX = 512 };
const char *ctl_socket_path(const struct ctl_options *options, char storage[CTL_PATH_MAX]);

/* Sends GET (body NULL) or POST and appends the body of the reply to `reply`. Returns CTL_DONE with
 * the status code in *ret_status; CTL_UNREACHABLE, CTL_NOT_PERMITTED or CTL_USAGE (too long). */
enum ctl_exit ctl_request(const struct ctl_options *options, const struct buf *path,
                          const char *body, struct buf *reply, long *ret_status);

/* Fetches the document that answers a question. */
enum ctl_exit ctl_fetch(const struct ctl_options *options, const char *question, char *const *names,
                        size_t name_count, struct buf *text);

/* Fetches the status document that answers `question`: "status", or "accounts" (these, or all).
 * `text`: gets the document as it is; NULL: nobody wants it. */
enum ctl_exit ctl_fetch_status(const struct ctl_options *options, const char *question,
                               char *const *names, size_t name_count, struct control_status *status,
                               struct buf *text);

#endif
