/*
 * A client assertion: the JSON Web Token by which an application proves to Microsoft Entra ID that
 * it holds the private key of a certificate (RFC 7523, section 3; "Microsoft identity platform
 * application authentication certificate credentials").
 */
#ifndef KEYROTATED_PROTO_CLIENT_ASSERTION_H
#define KEYROTATED_PROTO_CLIENT_ASSERTION_H

#include <stdbool.h>

#include "base/err.h"
#include "base/key_pair.h"
#include "base/secret.h"
#include "base/time.h"

struct client_assertion {
    const char *client_id;
    const char *token_endpoint; /* the whole URL that the token is requested from */
    const char *id;             /* a UUID, used once */
    time_ms now;
    bool with_chain; /* Entra ID finds the application by subject and issuer of the certificate
                      * instead of by its thumbprint, and needs to see the chain */
};

/* The token, signed by the pair. Returns 0, or -ENOMEM, -EMSGSIZE, -EIO with err set. */
int client_assertion_sign(struct secret **ret_token, const struct client_assertion *assertion,
                          const struct key_pair *pair, struct err *err);

#endif
