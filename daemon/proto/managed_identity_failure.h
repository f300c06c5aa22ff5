/*
 * Says why a managed identity gets no token, and what to do. Private to managed_identity.
 */
#ifndef KEYROTATED_PROTO_MANAGED_IDENTITY_FAILURE_H
#define KEYROTATED_PROTO_MANAGED_IDENTITY_FAILURE_H

#include "proto/managed_identity.h"

/* Of an answer other than 200, or of none. */
void managed_identity_explain(struct failure *failure, const struct http_reply *reply,
                              const struct managed_identity *identity, time_ms now);

/* Of an answer that names another identity, or none. */
void managed_identity_fail_selector(struct failure *failure, const char *problem,
                                    const struct managed_identity *identity);

/* Of a challenge that names no file of the agent; `path` NULL: that is none at all. */
void managed_identity_fail_challenge(struct failure *failure, const char *path);

/* Sets the remedy for an answer that cannot be the service's. */
void managed_identity_blame_stranger(struct failure *failure,
                                     const struct managed_identity *identity);

#endif
