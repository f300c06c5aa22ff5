/*
 * The directory and the file of the journal, before SQLite gets to see them: who may read them, and
 * that only one process uses them.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_FILE_H
#define KEYROTATED_IO_STORE_SQLITE_FILE_H

#include "base/err.h"

/*
 * Makes the directory where it is missing (0700), and locks it for as long as the descriptor is
 * open. Returns 0; -EAGAIN: another process holds it; -EPERM: it is not a directory of ours; or
 * -errno. One that others may look into is made private, unless it holds more than the journal.
 */
int store_lock_directory(const char *directory, int *ret_lock_fd, struct err *err);

/*
 * Makes sure that there is a regular file that only its owner can read (0600), empty
 * where there was none. Returns 0; -EBADMSG: a rollback journal is there without its database;
 * -EEXIST: what is there is no regular file; or -errno.
 */
int store_prepare_file(const char *path, int directory_fd, struct err *err);

#endif
