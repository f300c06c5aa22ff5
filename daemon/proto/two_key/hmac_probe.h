/*
 * The authorization scheme HMAC-SHA256 of App Configuration and Communication Services: a
 * signature, with the bytes that the key encodes, of the method, the path with the query, the date,
 * the host and a hash of the body ("HMAC authentication" of Azure App Configuration; "Sign an HTTP
 * request" of Azure Communication Services).
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_HMAC_PROBE_H
#define KEYROTATED_PROTO_TWO_KEY_HMAC_PROBE_H

#include "proto/two_key/two_key.h"

/* Lists the names of no key-value. The request names the id of the key, too. */
extern const struct two_key_probe_form app_configuration_probe;

/* Lists one of the resource's phone numbers. */
extern const struct two_key_probe_form communication_probe;

#endif
