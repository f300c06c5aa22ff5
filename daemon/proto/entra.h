/*
 * Microsoft Entra ID: access tokens for a service principal, by the client credentials grant (RFC
 * 6749, section 4.4; "OAuth 2.0 client credentials flow on the Microsoft identity platform"). The
 * client proves who it is by a secret, or by a signed assertion (RFC 7523, section 2.2).
 */
#ifndef KEYROTATED_PROTO_ENTRA_H
#define KEYROTATED_PROTO_ENTRA_H

#include "base/err.h"
#include "proto/access_token.h"
#include "proto/entra_client.h"
#include "proto/http_message.h"

/* Appends the URL of the client's token endpoint, which is also the audience of an assertion. */
void entra_token_endpoint(struct buf *out, const struct entra_client *client);

/* Builds the token request. `client_request_id` shows up in Entra's sign-in log. 0, or -ENOMEM,
 * -EMSGSIZE with err set. http_request_done() in any case. */
int entra_token_request(struct http_request *request, const struct entra_client *client,
                        const char *client_request_id, struct err *err);

/* Reads the answer: 0 and a token, or -EIO with a failure that names cause and remedy. `client` is
 * named in them. */
int entra_token_reply(struct access_token *token, const struct http_reply *reply,
                      const struct entra_client *client, time_ms now, struct failure *failure);

#endif
