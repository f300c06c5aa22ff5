/*
 * Tests whether SignalR and Web PubSub accept a key: a question about a connection that there is
 * not, with a JSON Web Token that is signed (HS256) with the key's own characters ("Azure SignalR
 * Service authentication", "Azure Web PubSub: data plane REST API").
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_WEB_TOKEN_PROBE_H
#define KEYROTATED_PROTO_TWO_KEY_WEB_TOKEN_PROBE_H

#include "proto/two_key/two_key.h"

extern const struct two_key_probe_form signalr_probe;
extern const struct two_key_probe_form web_pubsub_probe;

#endif
