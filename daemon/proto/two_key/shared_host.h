/*
 * Hosts that the resources of a type share: they stand in no description, and depend on the cloud.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_SHARED_HOST_H
#define KEYROTATED_PROTO_TWO_KEY_SHARED_HOST_H

enum shared_host {
    SHARED_HOST_NONE, /* each resource has one of its own */
    SHARED_HOST_MAPS,
    SHARED_HOST_DIRECT_LINE,
    SHARED_HOST_COUNT
};

#endif
