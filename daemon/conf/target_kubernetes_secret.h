/*
 * The settings of a target of type `kubernetes_secret`.
 */
#ifndef KEYROTATED_CONF_TARGET_KUBERNETES_SECRET_H
#define KEYROTATED_CONF_TARGET_KUBERNETES_SECRET_H

#include "conf/target_type.h"

struct kubernetes_setting {
    const char *name; /* NULL ends the array */
    const char *text; /* of `data`: a template (proto/template.h); else as it is */
};

/* How to reach the cluster. Without `kubeconfig` and `server`: as the pod that the daemon is. */
struct kubernetes_cluster {
    const char *kubeconfig; /* absolute, or below $CREDENTIALS_DIRECTORY; NULL: none */
    const char *context;    /* NULL: the current one */
    const char *server;     /* NULL: none */
    const char *ca_file;    /* NULL: as for Azure */
    const char *token_file; /* NULL: none */
};

/* The place is "CLUSTER NAMESPACE/NAME", of which the cluster is `cluster_length` bytes. */
struct target_kubernetes_secret {
    size_t cluster_length;
    struct kubernetes_cluster cluster;
    const char *field_manager;
    const struct kubernetes_setting *data;
    const struct kubernetes_setting *labels;
    const struct kubernetes_setting *annotations;
};

extern const struct target_type target_kubernetes_secret_type;

/* The settings of a destination of this type. */
static inline const struct target_kubernetes_secret *target_kubernetes_secret_of(
    const struct destination *destination)
{
    return destination->settings;
}

#endif
