#include "base/str.h"
#include "io/access/credential.h"
#include "io/access/entra_exchange.h"
#include "proto/failure.h"
#include "proto/federated_token.h"

#define WORKLOAD_IDENTITY_DEADLINE MS_MINUTE

static const char *file_of(const struct credential *credential)
{
    return identity_setting(credential->wish.identity, "federated_token_file");
}

/* Where the URL of Entra ID stands, if it is not the cloud's. */
static const char *login_key(const struct identity *identity)
{
    static const char key[] = "authority_host";

    return identity_is_from_environment(identity, key) ? identity_variable(identity->type, key)
                                                       : key;
}

static struct entra_client entra_client_of(const struct credential *credential)
{
    const struct identity *identity = credential->wish.identity;
    const char *authority = identity_setting(identity, "authority_host");

    return (struct entra_client){.login = authority ? authority : credential->wish.login,
                                 .login_key = authority ? login_key(identity) : NULL,
                                 .tenant_id = identity_setting(identity, "tenant_id"),
                                 .client_id = identity_setting(identity, "client_id"),
                                 .is_assertion = true,
                                 .federated = credential->state,
                                 .proof_file = file_of(credential),
                                 .claims = credential->wish.claims,
                                 .audience = credential->wish.audience};
}

static void on_reply(struct credential *credential, const struct http_reply *reply)
{
    const struct entra_client client = entra_client_of(credential);

    entra_exchange_end(credential, &client, reply);
}

static void send_token(struct credential *credential, const struct secret *token)
{
    struct entra_client client = entra_client_of(credential);

    client.proof = token;
    entra_exchange_send(credential, &client, on_reply);
}

static void on_token_read(struct credential *credential, const struct secret *text)
{
    struct federated_token *token = credential->state;
    struct err err = {.code = 0};

    if (!credential_checked(federated_token_read(token, text, &err))) {
        failure_init(&credential->failure, REASON_TOKEN_FAILED);
        failure_set_text(&credential->failure, "federated_token_file %s cannot be used: %s",
                         file_of(credential), err.text);
        failure_set_remedy(&credential->failure,
                           "let %s hold the token as its issuer made it, and nothing else",
                           file_of(credential));
        credential_fail(credential);
    } else if (!federated_token_check(token, file_of(credential), credential_now(credential),
                                      &credential->failure)) {
        credential_fail(credential);
    } else {
        send_token(credential, text);
    }
}

/* Neither the configuration nor the environment has the key. */
static bool lacks(struct credential *credential, const char *key)
{
    const struct identity *identity = credential->wish.identity;
    const char *variable = identity_variable(identity->type, key);

    if (identity_setting(identity, key))
        return false;
    failure_init(&credential->failure, REASON_TOKEN_FAILED);
    failure_set_text(&credential->failure,
                     "workload identity %s has no %s, and %s is not set in the daemon's "
                     "environment",
                     identity->name, key, variable);
    failure_set_remedy(
        &credential->failure,
        "set %s of the identity, or let the environment have %s (Kubernetes: the pod "
        "needs the label azure.workload.identity/use: \"true\", and its service "
        "account the annotation azure.workload.identity/client-id)",
        key, variable);
    return true;
}

static void begin(struct credential *credential)
{
    const struct secret_file file = {
        .key = "federated_token_file",
        .path = file_of(credential),
        .reason = REASON_TOKEN_FAILED,
        .remedy =
            "let the platform write the token there (Kubernetes: label the pod "
            "azure.workload.identity/use: \"true\", or mount a projected service account "
            "token), or correct federated_token_file",
    };

    if (lacks(credential, "federated_token_file") || lacks(credential, "client_id") ||
        lacks(credential, "tenant_id"))
        credential_fail(credential);
    else
        credential_read_secret(credential, &file, on_token_read);
}

const struct credential_source credential_workload_identity = {
    .type = "workload_identity",
    .deadline = WORKLOAD_IDENTITY_DEADLINE,
    .state_size = sizeof(struct federated_token),
    .begin = begin,
};
