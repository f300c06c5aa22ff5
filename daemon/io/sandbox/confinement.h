/*
 * What the daemon gives up for its whole life once it knows its configuration: a second fence
 * behind the service's sandbox, and the only one where there is no service.
 *
 * Writing (Landlock). Files can be made, written and removed only below the directories directly
 * under / that hold the journal, the control socket and key files: /var and /run for most. All of
 * /etc, /usr, /home, /root, /boot, /dev … are out of reach then. Why not just in the directories of
 * key files themselves? A rule stands on a directory that is there now. One that is made anew, as
 * systemd does with a consumer's RuntimeDirectory=, or is mounted later, would never be writable
 * again, for nobody can take a rule back; and a delivery that can never succeed is worse than what
 * is fenced off. The same would happen to a directory under / that is a mount of its own, or
 * becomes one. So where key files lie below one of those that may come and go (/srv, /data), or
 * directly under /, writing stays unlimited.
 *
 * So it does where a symbolic link is on the way to a key file, the journal or the socket, or where
 * nobody can tell. A link may be changed, and one that dangles, because what it leads to is mounted
 * later, does not even say where to. A directory that is named by {location} is not known before
 * Azure has answered, for thousands of accounts not before thousands of answers, and may be a link
 * today: it counts as one. (In the name of a file a placeholder does no harm, for the file itself
 * must not be a link.) One that is merely missing below a real directory does not: it could be made
 * as a link later, but so could every directory that is there be replaced by one, and then nothing
 * could ever be limited. What remains is just that, a directory that becomes a link while the
 * daemon runs. Deliveries to it fail then, and say that a restart mends it
 * (io/target/file_failure.c).
 *
 * Reading is not limited: name lookups, certificates, time zones and secrets are read wherever
 * libraries and administrators put them, and links lead to.
 *
 * System calls (io/sandbox/syscall_filter.h). Both end with the process, are inherited by its
 * children, and cannot be widened by a reload: a configuration that needs more is not admitted.
 */
#ifndef KEYROTATED_IO_SANDBOX_CONFINEMENT_H
#define KEYROTATED_IO_SANDBOX_CONFINEMENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/config.h"

enum { CONFINEMENT_TEXT_MAX = 64 };

struct confinement;

/* Gives up what `config` does not need. To be called before there is a second thread. What cannot
 * be given up is not (confinement_gap()). NULL when memory is out. */
struct confinement *confinement_begin(const struct config *config);
void confinement_free(struct confinement *confinement);

/* The measures in force, in words for a log line: "writing, system calls", or "none". */
const char *confinement_describe(const struct confinement *confinement,
                                 char out[CONFINEMENT_TEXT_MAX]);

/* Why the n-th measure that is not in force is not; NULL: there are no more. */
const char *confinement_gap(const struct confinement *confinement, unsigned n);

/*
 * Can the process, as it is, do what this configuration asks beyond the one that is in force? Else
 * false, and messages like those of config_load() are added. What the one in force has, too, is no
 * reason: it would be none the better for a refusal. Waits a second at most.
 */
bool confinement_admits(const struct confinement *confinement, const struct config *in_force,
                        const struct config *config, struct config_messages *messages);

#endif
