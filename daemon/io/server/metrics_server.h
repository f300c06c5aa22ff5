/*
 * Metrics by HTTP on an address of the network, for Prometheus:
 *
 *    GET /metrics   the metrics as text
 *    GET /healthz   200: the loop answers
 *    GET /readyz    200: the daemon does its work; 503 with why it does not
 *
 * Everything is read-only, and holds no secret. At a loopback address, requests are refused that
 * were made for another host's name: so a page that a browser on this machine shows cannot read the
 * answer, by a name of its own that leads here.
 */
#ifndef KEYROTATED_IO_SERVER_METRICS_SERVER_H
#define KEYROTATED_IO_SERVER_METRICS_SERVER_H

#include "base/buf.h"
#include "base/err.h"
#include "io/loop/loop.h"

struct metrics_server;

/* Both are called from the loop, `context` first. */
struct metrics_handler {
    void *context;
    /* Appends the metrics. Returns out->failed. */
    int (*write)(void *context, struct buf *out);
    /* NULL: it does its work; else why not, a sentence that is borrowed. */
    const char *(*trouble)(void *context);
};

/* Listens at `listen` (base/listen_address.h). -EADDRINUSE: another process does. `handler` is
 * copied. */
int metrics_server_open(struct loop *loop, const char *listen,
                        const struct metrics_handler *handler, struct metrics_server **ret_server,
                        struct err *err);

/* The address that it was opened with. */
const char *metrics_server_address(const struct metrics_server *server);

/* closed() (may be NULL) from the loop; the handler is not called any more. */
void metrics_server_close(struct metrics_server *server, void (*closed)(void *context),
                          void *context);

#endif
