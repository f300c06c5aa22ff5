/*
 * The step that identities have in common which get their tokens from Microsoft Entra ID: one
 * request for a token, and its answer.
 */
#ifndef KEYROTATED_IO_ACCESS_ENTRA_EXCHANGE_H
#define KEYROTATED_IO_ACCESS_ENTRA_EXCHANGE_H

#include "io/access/credential.h"
#include "proto/entra_client.h"

/* As credential_send(), with the request of that client. What `client` refers to is needed during
 * the call only. */
void entra_exchange_send(struct credential *credential, const struct entra_client *client,
                         void (*then)(struct credential *credential,
                                      const struct http_reply *reply));

/* Ends the credential with what the answer says. `client` is named in a failure. */
void entra_exchange_end(struct credential *credential, const struct entra_client *client,
                        const struct http_reply *reply);

#endif
