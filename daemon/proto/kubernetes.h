/*
 * Kubernetes: the Secrets of its API, and the names in it.
 */
#ifndef KEYROTATED_PROTO_KUBERNETES_H
#define KEYROTATED_PROTO_KUBERNETES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "core/look.h"
#include "proto/http_message.h"

/*
 * --- kubernetes_name.c ---
 *
 * The names that Kubernetes accepts. (kubernetes.io: "Object Names and IDs", "Labels and
 * Selectors", "Secrets".)
 */

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

/*
 * --- kubernetes.c ---
 *
 * A Secret of Kubernetes: its requests, and the meaning of every answer and of a missing one.
 *
 * Written by server-side apply with a field manager of our own and without force: the API server
 * keeps the keys of others, deletes a key of ours that an apply leaves out, and refuses one that
 * somebody else has set to another value. (kubernetes.io: "Server-Side Apply", "Secrets", "API
 * concepts", "Dry-run".)
 */

enum { KUBERNETES_MANAGER_MAX = 128, KUBERNETES_DATA_MAX = 1024 * 1024 /* of all values */ };

/* The annotations that the daemon writes itself begin with it. */
#define KUBERNETES_OWN_PREFIX       "keyrotated/"
#define KUBERNETES_ANNOTATION_SLOT  KUBERNETES_OWN_PREFIX "slot"
#define KUBERNETES_ANNOTATION_CYCLE KUBERNETES_OWN_PREFIX "cycle"
#define KUBERNETES_ANNOTATION_ID    KUBERNETES_OWN_PREFIX "resource-id"
#define KUBERNETES_ANNOTATION_PAIR  KUBERNETES_OWN_PREFIX "pair" /* not of the first pair */

/* --- what is to stand in the Secret --- */

struct kubernetes_pair {
    char *name;
    struct buf value; /* wipes itself */
};

struct kubernetes_pairs {
    struct kubernetes_pair *items;
    size_t count;
    size_t capacity;
};

struct kubernetes_secret {
    char *space; /* the namespace */
    char *name;
    char *manager;                /* the field manager */
    struct kubernetes_pairs data; /* not in base64 */
    struct kubernetes_pairs labels;
    struct kubernetes_pairs annotations;
};

/* Adds a pair with an empty value of at most `maximum` bytes, which the caller fills. NULL when
 * memory is out. Valid until the next one is added. */
struct buf *kubernetes_add(struct kubernetes_pairs *pairs, const char *name, size_t maximum);
/* Wipes and frees; a zeroed one is fine. */
void kubernetes_secret_done(struct kubernetes_secret *secret);

/* --- requests --- */

/* Where, and as whom. */
struct kubernetes_access {
    const char *url;            /* "https://10.96.0.1:443", with or without a path */
    const struct secret *token; /* NULL: none, as with a client certificate */
};

/* Both return 0, or -ENOMEM, -EMSGSIZE, -EINVAL with err set. http_request_done() in any case. */
int kubernetes_get_build(struct http_request *request, const struct kubernetes_access *access,
                         const struct kubernetes_secret *secret, struct err *err);

/*
 * Only a request that is not `dry_run` changes something. A dry run needs the same permissions, and
 * shows conflicts and rules of admission; its body holds no key: each value of `data` is the word
 * "preflight".
 */
int kubernetes_apply_build(struct http_request *request, const struct kubernetes_access *access,
                           const struct kubernetes_secret *secret, bool dry_run, struct err *err);

/* --- answers --- */

/* The subject of a request, for the text of a failure. */
struct kubernetes_subject {
    const char *url;
    const struct kubernetes_secret *secret;
    bool applies;                  /* a PATCH; else a GET */
    bool changes;                  /* a lost answer leaves in doubt whether it took effect */
    const char *credential_remedy; /* for a refused credential; a whole sentence */
    const char *server_remedy;     /* "correct `server` of the target": where the server is named */
};

/* What stands in the Secret. */
struct kubernetes_sight {
    bool exists;
    bool holds_data;   /* every key of ours, with the wanted value */
    bool holds_all;    /* labels and annotations too, and our manager owns exactly these */
    uint64_t cycle;    /* of our annotation; 0: none */
    struct buf values; /* of the keys of ours that are there, a line each; wipes itself */
};
void kubernetes_sight_done(struct kubernetes_sight *sight);

enum kubernetes_verdict {
    KUBERNETES_DONE,
    KUBERNETES_FAILED,     /* *failure is filled */
    KUBERNETES_RACE,       /* somebody else wrote meanwhile: repeat at once; *failure is filled */
    KUBERNETES_CREDENTIAL, /* refused: may be repeated once, read anew; *failure is filled */
};

/* Reads the answer to a GET. A Secret that does not exist is no failure. kubernetes_sight_done() in
 * any case. */
enum kubernetes_verdict kubernetes_get_read(struct kubernetes_sight *sight,
                                            const struct http_reply *reply,
                                            const struct kubernetes_subject *subject, time_ms now,
                                            struct failure *failure);

/* Reads the answer to an apply. */
enum kubernetes_verdict kubernetes_apply_read(const struct http_reply *reply,
                                              const struct kubernetes_subject *subject, time_ms now,
                                              struct failure *failure);

/* --- kubernetes_failure.c --- */

/* Fills *failure for an answer other than success, or for none. */
enum kubernetes_verdict kubernetes_failure(const struct http_reply *reply,
                                           const struct kubernetes_subject *subject, time_ms now,
                                           struct failure *failure);

/* Fills *failure for a success without a usable body; `problem` says what is wrong. */
void kubernetes_unreadable(const struct http_reply *reply, const struct kubernetes_subject *subject,
                           const char *problem, struct failure *failure);

#endif
