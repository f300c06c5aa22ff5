/*
 * A secret that stands alone in a file: of an identity, a token, the password of a target.
 */
#ifndef KEYROTATED_IO_ACCESS_SECRET_FILE_H
#define KEYROTATED_IO_ACCESS_SECRET_FILE_H

#include <stdbool.h>

#include "base/secret.h"
#include "core/look.h"

enum { SECRET_FILE_MAX = 16 * 1024 };

struct secret_file {
    const char *key;    /* the key of the configuration that names the file, for messages */
    const char *path;   /* absolute, or below the credentials directory */
    enum reason reason; /* of a failure */
    bool stays;         /* no name of a credential may stand in the place of `path` */
};

/*
 * What to do where the file at `path` could not be read, by the error `code` (negative errno): a
 * credential that the unit does not load, a file that the daemon may not read. Returns false, with
 * the remedy untouched, where it depends on what the file is for.
 */
bool secret_file_set_remedy(const struct secret_file *file, const char *path, int code,
                            struct failure *failure);

/* The full path, in fresh memory. A relative one lies below `credentials_directory` (systemd's
 * $CREDENTIALS_DIRECTORY; NULL: there is none). NULL, with *failure filled, where it does not
 * exist. */
char *secret_file_path(const struct secret_file *file, const char *credentials_directory,
                       struct failure *failure);

/*
 * Reads the file anew, without the line end that editors leave behind. Other text around the secret
 * (a byte order mark, blanks, quotes, "NAME=") is refused, and the failure names it: the server
 * would only answer that the secret is wrong. NULL, with *failure filled, where there is no usable
 * secret.
 */
struct secret *secret_file_read(const struct secret_file *file, const char *credentials_directory,
                                struct failure *failure);

#endif
