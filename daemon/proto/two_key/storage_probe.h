/*
 * Tests whether the Storage service accepts a key.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_STORAGE_PROBE_H
#define KEYROTATED_PROTO_TWO_KEY_STORAGE_PROBE_H

#include "proto/two_key/two_key.h"

/* Lists one container (learn.microsoft.com, Blob service REST API, "List Containers"; its errors:
 * "Common REST API error codes"). Azure refuses a wrong key with AuthenticationFailed, the emulator
 * Azurite with AuthorizationFailure, which a firewall of the account answers, too. */
extern const struct two_key_probe_form storage_probe;

#endif
