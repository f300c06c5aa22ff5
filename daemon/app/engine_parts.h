/*
 * The parts of the daemon that the engine uses.
 */
#ifndef KEYROTATED_APP_ENGINE_PARTS_H
#define KEYROTATED_APP_ENGINE_PARTS_H

#include "base/log.h"
#include "io/access/access.h"
#include "io/azure/azure.h"
#include "io/http/http.h"
#include "io/loop/loop.h"
#include "io/store/store.h"

/* All borrowed; all must outlive the engine. */
struct engine_parts {
    struct loop *loop;
    struct log *log;
    struct store *store;
    struct azure *azure;
    struct http *http; /* of targets that are servers */
    struct access *access;
    const char *credentials_directory; /* NULL: none */
    const char *control_socket;        /* where the daemon listens for as long as it runs */
    void (*faulted)(void *context, const char *what); /* an invariant is broken: stop, exit 70 */
    void *context;
};

#endif
