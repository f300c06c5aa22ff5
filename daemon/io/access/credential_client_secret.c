#include "base/crypto.h"
#include "io/access/credential.h"
#include "proto/entra.h"

#define CLIENT_SECRET_DEADLINE MS_MINUTE

static struct entra_client entra_client_of(const struct credential_wish *wish)
{
    return (struct entra_client){.login = wish->login,
                                 .tenant_id = identity_setting(wish->identity, "tenant_id"),
                                 .client_id = identity_setting(wish->identity, "client_id"),
                                 .claims = wish->claims,
                                 .audience = wish->audience};
}

static void on_reply(struct credential *credential, const struct http_reply *reply)
{
    struct entra_client client = entra_client_of(&credential->wish);
    struct access_token token;

    if (entra_token_reply(&token, reply, &client, credential_now(credential),
                          &credential->failure) == 0)
        credential_succeed(credential, &token);
    else
        credential_fail(credential);
}

static void on_secret(struct credential *credential, const struct secret *secret)
{
    struct entra_client client = entra_client_of(&credential->wish);
    char client_request_id[UUID_TEXT_MAX];
    struct http_request request = {.method = ""};
    struct err err = {.code = 0};
    int rc;

    client.proof = secret;
    rc = crypto_uuid(client_request_id);
    if (rc < 0)
        err_set(&err, rc, "no random number is available");
    else
        rc = entra_token_request(&request, &client, client_request_id, &err);
    if (credential_built(credential, rc, &request, &err))
        credential_send(credential, &request, on_reply);
}

static void begin(struct credential *credential)
{
    const struct secret_file file = {
        .key = "client_secret_file",
        .path = identity_setting(credential->wish.identity, "client_secret_file"),
        .reason = REASON_TOKEN_FAILED,
    };

    credential_read_secret(credential, &file, on_secret);
}

const struct credential_source credential_client_secret = {
    .type = "client_secret",
    .deadline = CLIENT_SECRET_DEADLINE,
    .begin = begin,
};
