/*
 * Tests whether a cache accepts a key. Caches speak Redis's own protocol over TLS
 * (redis.io/docs/latest/develop/reference/protocol-spec): the command AUTH, and QUIT after it.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_REDIS_PROBE_H
#define KEYROTATED_PROTO_TWO_KEY_REDIS_PROBE_H

#include "proto/two_key/two_key.h"

/* Azure Cache for Redis: at port 6380, unless the description names another. */
extern const struct two_key_probe_form redis_probe;

#endif
