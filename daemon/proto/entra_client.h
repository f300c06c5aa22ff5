/*
 * An application of Microsoft Entra ID that asks for tokens, and how it proves who it is.
 */
#ifndef KEYROTATED_PROTO_ENTRA_CLIENT_H
#define KEYROTATED_PROTO_ENTRA_CLIENT_H

#include <stdbool.h>

#include "base/secret.h"
#include "proto/federated_token.h"

struct entra_client {
    const char *login;     /* "https://login.microsoftonline.com"; a path "/adfs" at its end: Active
                            * Directory Federation Services, which know no tenants */
    const char *login_key; /* what names it, in remedies; NULL: "cloud.login" */
    const char *tenant_id;
    const char *client_id;
    const struct secret *proof;
    bool is_assertion; /* the proof; else it is a client secret */
    bool is_guid;      /* the secret has the form of a secret's id, which no secret has */
    /* What an assertion of another issuer says of itself; NULL: it is none of another issuer. */
    const struct federated_token *federated;
    const char *proof_file; /* in remedies; NULL: the key of the configuration is named instead */
    const char *claims;     /* that a service demands of the token, as JSON; NULL: none */
    const char
        *audience; /* as the resource wants to find it in the token, with its trailing slash */
};

#endif
