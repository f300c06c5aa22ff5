#include "io/access/entra_exchange.h"

#include "base/crypto.h"
#include "proto/entra.h"

void entra_exchange_send(struct credential *credential, const struct entra_client *client,
                         void (*then)(struct credential *credential,
                                      const struct http_reply *reply))
{
    char client_request_id[UUID_TEXT_MAX];
    struct http_request request = {.method = ""};
    struct err err = {.code = 0};
    int rc;

    rc = crypto_uuid(client_request_id);
    if (rc < 0)
        err_set(&err, rc, "no random number is available");
    else
        rc = entra_token_request(&request, client, client_request_id, &err);
    if (credential_built(credential, rc, &request, &err))
        credential_send(credential, &request, then);
}

void entra_exchange_end(struct credential *credential, const struct entra_client *client,
                        const struct http_reply *reply)
{
    struct access_token token;

    if (entra_token_reply(&token, reply, client, credential_now(credential),
                          &credential->failure) == 0)
        credential_succeed(credential, &token);
    else
        credential_fail(credential);
}
