/*
 * Prepares the directory and the file of the journal for SQLite: sets their permissions, and
 * ensures that only one process uses them.
 */
#ifndef KEYROTATED_IO_STORE_SQLITE_FILE_H
#define KEYROTATED_IO_STORE_SQLITE_FILE_H

#include "base/err.h"

/*
 * Creates the directory if it is missing (0700), and locks it for as long as the descriptor is
 * open. Makes a directory private that others can read, unless it holds other files than the
 * journal. Returns 0; -EAGAIN: another process holds the lock; -EPERM: the directory is not ours;
 * or -errno.
 */
int store_lock_directory(const char *directory, int *ret_lock_fd, struct err *err);

/*
 * Ensures that the file is a regular one that only its owner can read (0600); creates an empty one
 * if it is missing. Returns 0; -EBADMSG: a rollback journal is there without its database; -EEXIST:
 * what is there is no regular file; or -errno.
 */
int store_prepare_file(const char *path, int directory_fd, struct err *err);

#endif
