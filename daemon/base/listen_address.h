/*
 * Where a server listens on the network: "127.0.0.1:9877" or "[::1]:9877". An address, and no name,
 * so that reading it asks nobody.
 */
#ifndef KEYROTATED_BASE_LISTEN_ADDRESS_H
#define KEYROTATED_BASE_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct listen_address {
    struct sockaddr_storage address;
    socklen_t length;
    bool is_loopback; /* only this machine reaches it */
};

/* Returns false where the text is none. `ret_address` may be NULL. */
bool listen_address_parse(const char *text, struct listen_address *ret_address);

/* Is it what a program on this machine calls a server here, as in a Host header: an IP address or
 * localhost, with a port or without one? */
bool listen_address_is_host_here(const char *host);

#endif
