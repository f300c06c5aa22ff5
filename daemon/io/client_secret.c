#include "io/client_secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/str.h"
#include "proto/failure.h"

enum { CLIENT_SECRET_MAX = 4096 };

static struct secret *unusable(struct failure *failure, const char *path, const char *problem)
{
    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure, "client_secret_file %s cannot be used: %s", path, problem);
    failure_set_remedy(failure,
                       "write the secret's value, and nothing else, to %s, readable for the "
                       "daemon (systemd: LoadCredential=)",
                       path);
    return NULL;
}

static struct secret *read_file(const char *path, struct failure *failure)
{
    struct secret *secret = NULL;
    struct err err = {.code = 0};
    struct buf content;

    buf_init(&content, CLIENT_SECRET_MAX);
    if (fs_read(path, &content, &err) < 0) {
        unusable(failure, path, err.text);
    } else {
        size_t length = strcspn(buf_str(&content), "\r\n");
        size_t line_end = strspn(buf_str(&content) + length, "\r\n");

        if (length == 0)
            unusable(failure, path, "it is empty");
        else if (length + line_end != content.length)
            unusable(failure, path, "it is more than one line");
        else if ((secret = secret_new(buf_str(&content), length)) == NULL)
            unusable(failure, path, "there is no memory for it");
    }
    buf_done(&content);
    return secret;
}

struct secret *client_secret_read(const char *path, const char *credentials_directory,
                                  struct failure *failure)
{
    struct secret *secret;
    char *full;

    if (path[0] == '/')
        return read_file(path, failure);
    if (credentials_directory == NULL) {
        failure_init(failure, REASON_TOKEN_FAILED);
        failure_set_text(failure,
                         "client_secret_file %s is relative, but there is no "
                         "$CREDENTIALS_DIRECTORY",
                         path);
        failure_set_remedy(failure,
                           "add LoadCredential=%s:/path/to/secret to the unit, or give an "
                           "absolute path",
                           path);
        return NULL;
    }
    full = str_format("%s/%s", credentials_directory, path);
    if (full == NULL)
        return unusable(failure, path, "there is no memory for its name");
    secret = read_file(full, failure);
    free(full);
    return secret;
}
