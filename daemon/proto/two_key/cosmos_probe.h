/*
 * Tests whether an Azure Cosmos DB account accepts a key: a listing of its databases, signed with
 * the key ("Access control on Azure Cosmos DB Resources").
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_COSMOS_PROBE_H
#define KEYROTATED_PROTO_TWO_KEY_COSMOS_PROBE_H

#include "proto/two_key/two_key.h"

/* Of either pair: keys that may only read may do this, too. */
extern const struct two_key_probe_form cosmos_probe;

#endif
