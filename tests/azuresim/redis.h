/* Cache for Redis and Managed Redis, NAME.redis.localhost on a port of its own: Redis' protocol
 * (RESP) over TLS, as far as a key is concerned. Each connection has a thread of its own. */
#ifndef AZURESIM_REDIS_H
#define AZURESIM_REDIS_H

#include "sim.h"
#include "tls.h"

struct redis;

/* Listens on loopback; fills in sim->redis_port. Returns NULL with the reason on stderr. SIM and
 * IDENTITY must outlive it. The caller holds the simulator's lock. */
struct redis *redis_new(struct sim *sim, const struct tls_identity *identity);

/* Closes all connections and waits for their threads; sim->stop_fd must be readable. Accepts
 * NULL. */
void redis_free(struct redis *redis);

#endif
