#include <errno.h>

#include "base/crypto.h"
#include "base/must.h"
#include "io/access/credential.h"
#include "io/access/secret_file.h"
#include "proto/entra.h"
#include "proto/failure.h"

static struct entra_client entra_client_of(const struct credential_wish *wish)
{
    return (struct entra_client){.login = wish->login,
                                 .tenant_id = identity_setting(wish->identity, "tenant_id"),
                                 .client_id = identity_setting(wish->identity, "client_id"),
                                 .audience = wish->audience};
}

static int build(const struct credential_wish *wish, struct http_request *request,
                 struct failure *failure)
{
    struct entra_client client = entra_client_of(wish);
    char client_request_id[UUID_TEXT_MAX];
    struct err err = {.code = 0};
    const struct secret_file file = {
        .key = "client_secret_file",
        .path = identity_setting(wish->identity, "client_secret_file"),
        .reason = REASON_TOKEN_FAILED,
    };
    struct secret *secret = secret_file_read(&file, wish->credentials_directory, failure);
    int rc;

    if (!secret)
        return -ENOENT;
    client.proof = secret;
    rc = crypto_uuid(client_request_id);
    if (rc < 0)
        err_set(&err, rc, "no random number is available");
    else
        rc = entra_token_request(request, &client, client_request_id, &err);
    secret_free(secret);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc < 0)
        failure_from_err(failure, REASON_TOKEN_FAILED, &err);
    return rc;
}

static int read_reply(const struct credential_wish *wish, const struct http_reply *reply,
                      time_ms now, struct access_token *token, struct failure *failure)
{
    struct entra_client client = entra_client_of(wish);

    return entra_token_reply(token, reply, &client, now, failure);
}

const struct credential_source credential_client_secret = {
    .type = "client_secret",
    .build = build,
    .read = read_reply,
};
