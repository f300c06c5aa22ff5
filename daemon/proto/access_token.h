/*
 * An access token as an identity provider granted it, whoever that was: Microsoft Entra ID or the
 * instance metadata service.
 */
#ifndef KEYROTATED_PROTO_ACCESS_TOKEN_H
#define KEYROTATED_PROTO_ACCESS_TOKEN_H

#include "base/json.h"
#include "base/secret.h"
#include "base/time.h"
#include "core/look.h"
#include "proto/http_message.h"

struct access_token {
    struct secret *token;
    duration_ms lifetime;      /* from the reply on; at least a second */
    duration_ms refresh_after; /* from the reply on: a new one should be asked for by then */
};

void access_token_done(struct access_token *token);

/*
 * Reads the members access_token, token_type, expires_in and refresh_in, numbers as numbers or as
 * strings, of a 200 answer. Returns 0, or -EINVAL with *failure filled; `service` is named in it.
 */
int access_token_read(struct access_token *token, const struct http_reply *reply,
                      const char *service, struct failure *failure);

#endif
