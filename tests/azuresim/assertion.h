/* Checks client assertions: the JWT with which an application proves its identity to Entra without
 * a secret (RFC 7523; learn.microsoft.com/entra/identity-platform/certificate-credentials). */
#ifndef AZURESIM_ASSERTION_H
#define AZURESIM_ASSERTION_H

#include "directory.h"

struct assertion_error {
    int aadsts;        /* Entra's number of the error */
    char message[256]; /* without the "AADSTSnnn: " in front */
};

/* Checks the compact JWT ASSERTION for PRINCIPAL. TOKEN_PATH is what its audience must end in
 * ("/{tenant}/oauth2/v2.0/token"). Where the principal has a certificate the signature (RS256 or
 * PS256) and the thumbprint in the header must be of it. Returns false and fills ERROR. */
bool assertion_check(const char *assertion, const struct principal *principal,
                     const char *token_path, struct assertion_error *error);

#endif
