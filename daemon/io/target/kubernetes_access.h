/*
 * How a target of type kubernetes_secret reaches its cluster: URL, trust and credential. Everything
 * is read anew for each use, because tokens and certificates are renewed in place.
 */
#ifndef KEYROTATED_IO_TARGET_KUBERNETES_ACCESS_H
#define KEYROTATED_IO_TARGET_KUBERNETES_ACCESS_H

#include <stdbool.h>

#include "base/secret.h"
#include "conf/target_kubernetes_secret.h"
#include "core/look.h"
#include "proto/http_message.h"

enum { KUBERNETES_REMEDY_MAX = 320 };

struct kubernetes_reach {
    char *url;
    struct secret *token; /* NULL: none */
    struct http_tls tls;
    bool direct;                                   /* never through the proxy */
    char credential_remedy[KUBERNETES_REMEDY_MAX]; /* for struct kubernetes_subject */
    char server_remedy[KUBERNETES_REMEDY_MAX];
};

/* Returns false with *failure filled where something is missing or unusable. Reads local files.
 * kubernetes_reach_done() in any case. */
bool kubernetes_reach_read(struct kubernetes_reach *reach, const struct kubernetes_cluster *cluster,
                           const char *credentials_directory, struct failure *failure);

/* Wipes and frees; a zeroed one is fine. */
void kubernetes_reach_done(struct kubernetes_reach *reach);

#endif
