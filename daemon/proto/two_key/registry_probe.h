/*
 * Tests whether a container registry accepts a password of its admin user.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_REGISTRY_PROBE_H
#define KEYROTATED_PROTO_TWO_KEY_REGISTRY_PROBE_H

#include "proto/two_key/two_key.h"

/* The base of the registry's API, with Basic authentication (OCI Distribution Specification,
 * "Determining support"). The admin user is called as the registry is. */
extern const struct two_key_probe_form registry_probe;

#endif
