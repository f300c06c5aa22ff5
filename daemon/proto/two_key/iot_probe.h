/*
 * Shared access signatures of IoT Hub and of the Device Provisioning Service: an HMAC-SHA256, with
 * the bytes that the key encodes, of the host and a time ("Control access to IoT Hub with shared
 * access signatures"). A policy without the right to ask is refused like a wrong key is.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_IOT_PROBE_H
#define KEYROTATED_PROTO_TWO_KEY_IOT_PROBE_H

#include "proto/two_key/two_key.h"

/* How many devices are connected. */
extern const struct two_key_probe_form iot_hub_probe;

/* Finds one enrollment group. */
extern const struct two_key_probe_form device_provisioning_probe;

#endif
