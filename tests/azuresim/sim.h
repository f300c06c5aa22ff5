/* The simulator as a whole: what the faces share. One lock guards all of it; the server takes it
 * around every handler, so that handlers read as if they were alone. */
#ifndef AZURESIM_SIM_H
#define AZURESIM_SIM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "directory.h"
#include "faults.h"
#include "http.h"
#include "options.h"
#include "ratelimit.h"
#include "record.h"
#include "settings.h"
#include "truth.h"
#include "vault_store.h"
#include "world.h"

struct operations;

struct sim {
    pthread_mutex_t lock;
    struct options options;
    struct settings settings;
    struct truth *truth;
    struct record *record; /* NULL: nobody wants it */
    struct world *world;
    struct operations *operations;
    struct directory *directory;
    struct ratelimit *ratelimit;
    struct faults *faults;
    struct vault_store *vaults;
    struct json_object *stopped_index; /* what Resource Graph shows; NULL: the world as it is */
    uint16_t port;
    uint16_t imds_port;
    uint16_t redis_port;
    int stop_fd;       /* eventfd, readable once the simulator stops: ends every wait */
    unsigned releases; /* how often all that waits was let go */
};

/* Builds the world. Complains on stderr and returns false where OPTIONS->dir cannot be used. */
bool sim_init(struct sim *sim, const struct options *options);

/* Accepts a half-built simulator. */
void sim_done(struct sim *sim);

#endif
