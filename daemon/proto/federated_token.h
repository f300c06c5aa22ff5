/*
 * A token of another issuer (a Kubernetes cluster, a CI service) that stands for an application of
 * Entra ID ("Workload identity federation"): a JSON Web Token (RFC 7519), of which only the claims
 * are read. Entra ID checks the signature.
 */
#ifndef KEYROTATED_PROTO_FEDERATED_TOKEN_H
#define KEYROTATED_PROTO_FEDERATED_TOKEN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/time.h"
#include "core/look.h"

enum { FEDERATED_TEXT_MAX = 256 };

struct federated_token {
    char issuer[FEDERATED_TEXT_MAX];   /* "": the token names none; likewise below */
    char subject[FEDERATED_TEXT_MAX];  /* "system:serviceaccount:NAMESPACE:NAME" */
    char audience[FEDERATED_TEXT_MAX]; /* the first one */
    time_ms expires;                   /* TIME_NEVER: not said */
    time_ms valid_from;                /* 0: not said */
};

/* Reads the claims. 0; -EINVAL with err set where it is no such token, or -ENOMEM. Messages hold
 * nothing of it. */
int federated_token_read(struct federated_token *token, const struct secret *text, struct err *err);

/* Would Entra ID accept it at this time? It tolerates clocks that differ by five minutes. False:
 * *failure says why not; `file` is where the token stands. */
bool federated_token_check(const struct federated_token *token, const char *file, time_ms now,
                           struct failure *failure);

#endif
