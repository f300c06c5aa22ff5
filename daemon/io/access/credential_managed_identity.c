#include "io/access/credential.h"
#include "proto/imds.h"

/* The service may be away for 70 seconds while it is updated; an answer may take some, too. */
#define MANAGED_IDENTITY_DEADLINE (3 * MS_MINUTE)

static void ask(struct credential *credential);

static struct imds_identity imds_identity_of(const struct credential_wish *wish)
{
    const struct identity *identity = wish->identity;

    return (struct imds_identity){.endpoint = identity_setting(identity, "endpoint"),
                                  .client_id = identity_setting(identity, "client_id"),
                                  .object_id = identity_setting(identity, "object_id"),
                                  .resource_id = identity_setting(identity, "resource_id"),
                                  .audience = wish->audience};
}

static void on_reply(struct credential *credential, const struct http_reply *reply)
{
    const struct imds_identity identity = imds_identity_of(&credential->wish);
    const time_ms now = credential_now(credential);
    const duration_ms pause =
        imds_retry_delay(reply, credential->requests, credential_elapsed(credential), now);
    struct access_token token;

    if (pause > 0)
        credential_pause(credential, pause, ask);
    else if (imds_token_reply(&token, reply, &identity, now, &credential->failure) == 0)
        credential_succeed(credential, &token);
    else
        credential_fail(credential);
}

static void ask(struct credential *credential)
{
    const struct imds_identity identity = imds_identity_of(&credential->wish);
    struct http_request request;
    struct err err = {.code = 0};
    const int rc = imds_token_request(&request, &identity, &err);

    if (credential_built(credential, rc, &request, &err))
        credential_send(credential, &request, on_reply);
}

const struct credential_source credential_managed_identity = {
    .type = "managed_identity",
    .deadline = MANAGED_IDENTITY_DEADLINE,
    .begin = ask,
};
