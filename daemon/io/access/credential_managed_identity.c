#include <errno.h>

#include "base/must.h"
#include "io/access/credential.h"
#include "proto/failure.h"
#include "proto/imds.h"

static struct imds_identity imds_identity_of(const struct credential_wish *wish)
{
    const struct identity *identity = wish->identity;

    return (struct imds_identity){.endpoint = identity_setting(identity, "endpoint"),
                                  .client_id = identity_setting(identity, "client_id"),
                                  .object_id = identity_setting(identity, "object_id"),
                                  .resource_id = identity_setting(identity, "resource_id"),
                                  .audience = wish->audience};
}

static int build(const struct credential_wish *wish, struct http_request *request,
                 struct failure *failure)
{
    struct imds_identity identity = imds_identity_of(wish);
    struct err err = {.code = 0};
    int rc = imds_token_request(request, &identity, &err);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc < 0)
        failure_from_err(failure, REASON_TOKEN_FAILED, &err);
    return rc;
}

static int read_reply(const struct credential_wish *wish, const struct http_reply *reply,
                      time_ms now, struct access_token *token, struct failure *failure)
{
    struct imds_identity identity = imds_identity_of(wish);

    return imds_token_reply(token, reply, &identity, now, failure);
}

const struct credential_source credential_managed_identity = {
    .type = "managed_identity",
    .build = build,
    .read = read_reply,
    .retry_delay = imds_retry_delay,
};
