/* The listeners (HTTPS for everything, plain HTTP for IMDS, Redis), the way of a request from the
 * wire through fault rules to its face, and back. Every connection has a thread of its own: a fault
 * may then simply wait. */
#ifndef AZURESIM_SERVER_H
#define AZURESIM_SERVER_H

#include "sim.h"
#include "tls.h"

struct server;

/* Listens on loopback; fills in the ports of SIM. Returns NULL with the reason on
 * stderr. SIM and IDENTITY must outlive the server. */
struct server *server_new(struct sim *sim, const struct tls_identity *identity);

/* Closes all connections and waits for their threads; sim->stop_fd must be readable. Accepts
 * NULL. */
void server_free(struct server *server);

#endif
