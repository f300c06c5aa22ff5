#include "conf/value.h"
#include "io/access/credential.h"
#include "io/access/entra_exchange.h"

#define CLIENT_SECRET_DEADLINE MS_MINUTE

struct client_secret_state {
    bool is_guid; /* the secret that was sent */
    char place[SECRET_PLACE_MAX];
};

static const char *file_of(const struct credential *credential)
{
    return identity_setting(credential->wish.identity, "client_secret_file");
}

static struct entra_client entra_client_of(struct credential *credential)
{
    const struct credential_wish *wish = &credential->wish;
    struct client_secret_state *state = credential->state;

    return (struct entra_client){.login = wish->login,
                                 .tenant_id = identity_setting(wish->identity, "tenant_id"),
                                 .client_id = identity_setting(wish->identity, "client_id"),
                                 .is_guid = state->is_guid,
                                 .proof_file = secret_file_place(file_of(credential), state->place),
                                 .claims = wish->claims,
                                 .audience = wish->audience};
}

static void on_reply(struct credential *credential, const struct http_reply *reply)
{
    const struct entra_client client = entra_client_of(credential);

    entra_exchange_end(credential, &client, reply);
}

static void on_secret(struct credential *credential, const struct secret *secret)
{
    struct client_secret_state *state = credential->state;
    struct entra_client client;

    state->is_guid = value_is_guid(secret_bytes(secret));
    client = entra_client_of(credential);
    client.proof = secret;
    entra_exchange_send(credential, &client, on_reply);
}

static void begin(struct credential *credential)
{
    const struct secret_file file = {
        .key = "client_secret_file",
        .path = file_of(credential),
        .reason = REASON_TOKEN_FAILED,
    };

    credential_read_secret(credential, &file, on_secret);
}

const struct credential_source credential_client_secret = {
    .type = "client_secret",
    .deadline = CLIENT_SECRET_DEADLINE,
    .state_size = sizeof(struct client_secret_state),
    .begin = begin,
};
