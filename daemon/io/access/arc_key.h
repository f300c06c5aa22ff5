/*
 * The file that the Azure Arc agent names in its challenge. Private to access.
 */
#ifndef KEYROTATED_IO_ACCESS_ARC_KEY_H
#define KEYROTATED_IO_ACCESS_ARC_KEY_H

#include "base/secret.h"
#include "core/look.h"

/*
 * Reads the file `name` of `directory`: a regular file of at most ARC_KEY_MAX bytes that root or
 * the directory's owner owns, in a directory that not everybody may write to. It may block. NULL,
 * with *failure filled, where it is not to be used.
 */
struct secret *arc_key_read(const char *directory, const char *name, struct failure *failure);

#endif
