/*
 * An access token from an identity provider: Microsoft Entra ID or the instance metadata service.
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

/* Fills the token from its text and lifetime. NULL, or what is wrong with it. */
const char *access_token_set(struct access_token *token, const char *value, duration_ms lifetime);

/*
 * Reads the members access_token, token_type, expires_in, expires_on and refresh_in of a 200
 * answer. Numbers may be JSON numbers or strings, with or without decimals. The lifetime comes from
 * expires_in; else from expires_on (seconds since 1970, an RFC 3339 or HTTP date, or App Service's
 * "09/14/2017 01:02:03 PM +00:00"), compared with the reply's own Date, else with `now`. Without
 * both, a short lifetime is assumed. Returns 0, or -EINVAL with *failure filled; `service` is named
 * in it.
 */
int access_token_read(struct access_token *token, const struct http_reply *reply,
                      const char *service, time_ms now, struct failure *failure);

#endif
