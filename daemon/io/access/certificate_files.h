/*
 * The files with the certificate and the key of an application. Private to access.
 */
#ifndef KEYROTATED_IO_ACCESS_CERTIFICATE_FILES_H
#define KEYROTATED_IO_ACCESS_CERTIFICATE_FILES_H

#include <stdbool.h>

#include "base/key_pair.h"
#include "core/look.h"

/* As configured: absolute, or below the directory of credentials. */
struct certificate_files {
    const char *certificate;
    const char *key;       /* NULL: it is in the first */
    const char *password;  /* NULL: none */
    const char *directory; /* $CREDENTIALS_DIRECTORY, or NULL */
    const char *client_id; /* for remedies */
};

/*
 * Reads the files, which may block. NULL, with *failure filled, where they hold no pair that is
 * good at `now`. *ret_being_replaced: it looks as if somebody is about to replace them, one by one.
 */
struct key_pair *certificate_files_read(const struct certificate_files *files, time_ms now,
                                        bool *ret_being_replaced, struct failure *failure);

/* Like certificate_files_read() of the pair alone: is it good at `now`? */
bool certificate_files_check(const struct certificate_files *files, const struct key_pair *pair,
                             time_ms now, struct failure *failure);

#endif
