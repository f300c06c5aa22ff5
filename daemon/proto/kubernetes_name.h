/*
 * The names that Kubernetes accepts. (kubernetes.io: "Object Names and IDs", "Labels and
 * Selectors", "Secrets".)
 */
#ifndef KEYROTATED_PROTO_KUBERNETES_NAME_H
#define KEYROTATED_PROTO_KUBERNETES_NAME_H

#include <stdbool.h>

enum {
    KUBERNETES_NAME_MAX = 253, /* of an object, and of a key in `data` */
    KUBERNETES_LABEL_MAX = 63, /* of a namespace, of the last part of a label's name, and of its
                                * value */
};

/* A namespace: lower-case letters, digits and '-' (RFC 1123, a label). */
bool kubernetes_is_namespace(const char *text);
/* The name of a Secret: such labels with dots between them. */
bool kubernetes_is_name(const char *text);
/* A key in `data`: letters, digits, '-', '_' and '.'; neither "." nor "..", nor "..x". */
bool kubernetes_is_data_key(const char *text);
/* The name of a label or annotation: "app", "example.org/app". */
bool kubernetes_is_qualified_name(const char *text);
bool kubernetes_is_label_value(const char *text);

#endif
