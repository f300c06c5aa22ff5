/*
 * Questions asked, and their answers fetched.
 */
#ifndef KEYROTATED_CTL_FETCH_H
#define KEYROTATED_CTL_FETCH_H

#include "base/buf.h"
#include "ctl/ctl.h"

/* Fetches the document that answers a question. On failure says why on standard error. */
enum ctl_exit ctl_fetch(const struct ctl_options *options, const char *question, char *const *names,
                        size_t name_count, struct buf *text);

/* Fetches the status document that answers `question`: "status", or "accounts" (these, or all). On
 * failure says why on standard error. `text`: gets the document as it is; NULL: nobody wants it. */
enum ctl_exit ctl_fetch_status(const struct ctl_options *options, const char *question,
                               char *const *names, size_t name_count, struct control_status *status,
                               struct buf *text);

#endif
