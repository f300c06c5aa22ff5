/*
 * The secret of a client_secret identity, read from its file.
 */
#ifndef KEYROTATED_IO_ACCESS_CLIENT_SECRET_H
#define KEYROTATED_IO_ACCESS_CLIENT_SECRET_H

#include "base/secret.h"
#include "core/look.h"

/*
 * Reads the file anew, without the line end that editors leave behind. Other text around the secret
 * (a byte order mark, blanks, quotes, "NAME=") is refused, and the failure names it: Azure would
 * only answer that the secret is wrong. A relative path is looked up below `credentials_directory`
 * (systemd's $CREDENTIALS_DIRECTORY; NULL: there is none). NULL, with *failure filled, where there
 * is no usable secret.
 */
struct secret *client_secret_read(const char *path, const char *credentials_directory,
                                  struct failure *failure);

#endif
