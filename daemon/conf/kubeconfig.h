/*
 * A kubeconfig: the cluster and the user of one context, as kubectl reads them. (kubernetes.io:
 * "Organizing Cluster Access Using kubeconfig Files", "kubeconfig (v1)".)
 *
 * What cannot be followed is refused by its name, and nothing is guessed: a command or a plugin
 * that provides the credential, passwords, impersonation, a proxy, a server that is not verified,
 * and a value that is given twice, once as a file and once in place.
 */
#ifndef KEYROTATED_CONF_KUBECONFIG_H
#define KEYROTATED_CONF_KUBECONFIG_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

enum { KUBECONFIG_MAX = 256 * 1024, KUBECONFIG_PEM_MAX = 128 * 1024 };

/* A PEM text: in a file, in place, or not at all. */
struct kubeconfig_pem {
    char *file; /* absolute; or NULL */
    struct buf text;
};

struct kubeconfig {
    char *context;
    char *server;
    char *server_name; /* that the server's certificate has; NULL: that of the URL */
    char *user;        /* its name; NULL: none */
    struct kubeconfig_pem authorities;
    struct kubeconfig_pem certificate;
    struct kubeconfig_pem private_key;
    char *token_file;     /* absolute; or NULL */
    struct secret *token; /* or NULL */
};

/*
 * Reads the text of the file `path`, whose folder relative paths start from. `context`: NULL for
 * the one that the file says is current. Returns 0, -ENOMEM, or -EINVAL with a sentence in err that
 * says what is wrong and what would be right. kubeconfig_done() in any case.
 */
int kubeconfig_read(struct kubeconfig *kubeconfig, const char *path, const char *text,
                    size_t length, const char *context, struct err *err);

/* Wipes and frees; a zeroed one is fine. */
void kubeconfig_done(struct kubeconfig *kubeconfig);

#endif
