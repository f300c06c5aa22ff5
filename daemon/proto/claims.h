/*
 * Claims challenges of Continuous Access Evaluation: a service that gets a token refuses it (401)
 * and says which claims the next one must carry.
 *
 * Source: learn.microsoft.com, "Claims challenges, claims requests and client capabilities", and
 * OpenID Connect Core, section 5.5.
 */
#ifndef KEYROTATED_PROTO_CLAIMS_H
#define KEYROTATED_PROTO_CLAIMS_H

#include "proto/http_message.h"

enum { CLAIMS_MAX = 4096 };

/* The claims that an answer demands (WWW-Authenticate: error="insufficient_claims",
 * claims="BASE64"), as JSON in fresh memory. NULL: it demands none that could be understood. */
char *claims_of_challenge(const struct http_reply *reply);

/* Appends the claims of a request for a token: those of a challenge (NULL: none), and that this
 * client understands challenges (xms_cc: CP1). 0 or -ENOMEM. */
int claims_append(struct buf *out, const char *challenge);

#endif
