/*
 * How a target of type kubernetes_secret reaches its cluster: URL, trust and credential. Everything
 * is read anew for each use, because tokens and certificates are renewed in place.
 *
 *   kubernetes_reach_begin() ---> the files are read ---> kubernetes_reach_take()
 *                                         ^                     |
 *                                         +--- those that a kubeconfig names
 */
#ifndef KEYROTATED_IO_TARGET_KUBERNETES_ACCESS_H
#define KEYROTATED_IO_TARGET_KUBERNETES_ACCESS_H

#include <stdbool.h>

#include "base/secret.h"
#include "conf/target_kubernetes_secret.h"
#include "io/target/target_reading.h"
#include "proto/http_message.h"

enum { KUBERNETES_REMEDY_MAX = 320 };

enum kubernetes_file {
    KUBERNETES_FILE_KUBECONFIG,
    KUBERNETES_FILE_TOKEN,
    KUBERNETES_FILE_AUTHORITIES,
    KUBERNETES_FILE_CERTIFICATE,
    KUBERNETES_FILE_PRIVATE_KEY
};

struct kubernetes_reach {
    char *url;
    struct secret *token; /* NULL: none */
    struct http_tls tls;
    bool direct;                                   /* never through the proxy */
    char credential_remedy[KUBERNETES_REMEDY_MAX]; /* for struct kubernetes_subject */
    char server_remedy[KUBERNETES_REMEDY_MAX];
    enum kubernetes_file files[TARGET_READING_MAX]; /* what the reading under way reads */
    size_t file_count;
};

enum kubernetes_reached {
    KUBERNETES_REACHABLE,
    KUBERNETES_NEEDS_MORE, /* further files have been added to `more` */
    KUBERNETES_UNREACHABLE /* *failure says why */
};

/* Adds the files to `reading` that are to be read. Returns false with *failure filled where it is
 * plain that nothing can be reached. kubernetes_reach_done() in any case. */
bool kubernetes_reach_begin(struct kubernetes_reach *reach,
                            const struct kubernetes_cluster *cluster,
                            struct target_reading *reading, struct failure *failure);

/* Takes what was read; `more` is a fresh reading, for the files that a kubeconfig names. */
enum kubernetes_reached kubernetes_reach_take(struct kubernetes_reach *reach,
                                              const struct kubernetes_cluster *cluster,
                                              const struct target_reading *reading,
                                              struct target_reading *more, struct failure *failure);

/* Wipes and frees; a zeroed one is fine. */
void kubernetes_reach_done(struct kubernetes_reach *reach);

#endif
