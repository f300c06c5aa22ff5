/*
 * Are the directories in which a configuration has the daemon write where their names say, or is
 * there a symbolic link on the way?
 *
 * What does not exist yet is no link: a directory that is missing below one that is there counts
 * for what its name says. It may be made as a link later, as any directory may be replaced by one;
 * nobody can know that now.
 */
#ifndef KEYROTATED_IO_SANDBOX_LINK_SURVEY_H
#define KEYROTATED_IO_SANDBOX_LINK_SURVEY_H

#include "base/err.h"
#include "conf/config.h"

/*
 * Looks on a thread of its own, because file systems may hang, and waits a second for it. `known`
 * (or NULL) is the configuration in force: then the directories of the journal and the socket,
 * which stay where they are, and those of targets that it has, too, are not looked at.
 *
 * Returns 0: there are no links. -ENOTSUP: there is one, or it cannot be told; err says where, and
 * *ret_target whose it is (borrowed; NULL: the daemon's own). Another negative errno value: nobody
 * could look, for want of memory or a thread, or because a file system hangs (-ETIMEDOUT). For as
 * long as it does, no other survey is begun.
 */
int link_survey(const struct config *config, const struct config *known, const char **ret_target,
                struct err *err);

#endif
