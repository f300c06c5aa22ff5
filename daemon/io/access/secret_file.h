/*
 * A secret that stands alone in a file: of an identity, a token, the password of a target.
 *
 * A file system can keep a reader waiting for ever, so reading belongs on a thread:
 * secret_file_read() as a whole, or secret_file_fetch() between secret_file_path() and
 * secret_file_take(), which touch no file.
 */
#ifndef KEYROTATED_IO_ACCESS_SECRET_FILE_H
#define KEYROTATED_IO_ACCESS_SECRET_FILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "core/look.h"

enum { SECRET_FILE_MAX = 16 * 1024, SECRET_PLACE_MAX = 320 };

struct secret_file {
    const char *key;    /* the key of the configuration that names the file, for messages */
    const char *path;   /* absolute, or below the credentials directory */
    enum reason reason; /* of a failure */
    const char *remedy; /* where the secret is not written by hand; static; NULL: the usual one */
    bool stays;         /* no name of a credential may stand in the place of `path` */
};

/* Where a person puts a file that is configured so: there, or where systemd copies it from. Returns
 * out. */
const char *secret_file_place(const char *configured, char out[SECRET_PLACE_MAX]);

/* What reading a file gave. */
struct secret_file_content {
    struct buf bytes;
    struct err err; /* its code is 0 when the file was read */
    bool is_hidden; /* it may not be read, because a directory above refuses */
};

/*
 * What to do where the file at `path` could not be read, by the error of `content`: a credential
 * that the unit does not load, a file that the daemon may not read, something that is no file.
 * Returns false, with the remedy untouched, where it depends on what the file is for.
 */
bool secret_file_set_remedy(const struct secret_file *file, const char *path,
                            const struct secret_file_content *content, struct failure *failure);

/* The full path, in fresh memory. A relative one lies below `credentials_directory` (systemd's
 * $CREDENTIALS_DIRECTORY; NULL: there is none). NULL, with *failure filled, where it does not
 * exist. */
char *secret_file_path(const struct secret_file *file, const char *credentials_directory,
                       struct failure *failure);

/* Reads up to `maximum` bytes, on any thread. secret_file_content_done() in any case. */
void secret_file_fetch(const char *path, size_t maximum, struct secret_file_content *ret_content);
/* Wipes and frees; a zeroed one is fine. */
void secret_file_content_done(struct secret_file_content *content);

/*
 * The secret in the content of the file at `path`, without the line end that editors leave behind.
 * Other text around the secret (a byte order mark, blanks, quotes, "NAME=") is refused, and the
 * failure names it: the server would only answer that the secret is wrong. NULL, with *failure
 * filled, where there is no usable secret.
 */
struct secret *secret_file_take(const struct secret_file *file, const char *path,
                                const struct secret_file_content *content, struct failure *failure);

/* All three steps at once: on a thread. */
struct secret *secret_file_read(const struct secret_file *file, const char *credentials_directory,
                                struct failure *failure);

#endif
