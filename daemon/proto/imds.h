/*
 * The instance metadata service of an Azure virtual machine: access tokens for its managed
 * identities
 * ("How to use managed identities on an Azure VM to acquire an access token").
 */
#ifndef KEYROTATED_PROTO_IMDS_H
#define KEYROTATED_PROTO_IMDS_H

#include "base/err.h"
#include "proto/access_token.h"
#include "proto/http_message.h"

/* At most one of client_id, object_id and resource_id selects a user-assigned identity; all NULL
 * means the system-assigned one. */
struct imds_identity {
    const char *endpoint; /* "http://169.254.169.254" */
    const char *client_id;
    const char *object_id;
    const char *resource_id;
    const char *audience;
};

/* 0, or -ENOMEM, -EMSGSIZE with err set. http_request_done() in any case. */
int imds_token_request(struct http_request *request, const struct imds_identity *identity,
                       struct err *err);

/* Reads the answer: 0 and a token, or -EIO with a failure that names cause and remedy. */
int imds_token_reply(struct access_token *token, const struct http_reply *reply,
                     const struct imds_identity *identity, time_ms now, struct failure *failure);

/*
 * How long to wait before the next request, or 0 when another request is pointless or the attempts
 * are used up. `attempts` requests have been made, the first one `elapsed` ago. The service asks
 * its clients to repeat on 404, 429 and 5xx, and on 410, which it sends while it is being updated,
 * for 70 seconds.
 */
duration_ms imds_retry_delay(const struct http_reply *reply, unsigned attempts, duration_ms elapsed,
                             time_ms now);

#endif
