#include "io/access/credential.h"
#include "io/access/entra_exchange.h"

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
    const struct entra_client client = entra_client_of(&credential->wish);

    entra_exchange_end(credential, &client, reply);
}

static void on_secret(struct credential *credential, const struct secret *secret)
{
    struct entra_client client = entra_client_of(&credential->wish);

    client.proof = secret;
    entra_exchange_send(credential, &client, on_reply);
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
