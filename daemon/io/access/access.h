/*
 * The prerequisites of every request to Azure: a token, and a place among the requests in flight.
 */
#ifndef KEYROTATED_IO_ACCESS_ACCESS_H
#define KEYROTATED_IO_ACCESS_ACCESS_H

#include "conf/config.h"
#include "io/access/admission.h"
#include "io/access/token.h"

struct access {
    struct token_cache *tokens;
    struct admission *admission;
    unsigned parts_open; /* while closing */
    void (*closed)(void *context);
    void *closed_context;
};

/* `clock` is monotonic and counts suspend: time_boot() but in tests. */
struct access *access_new(struct loop *loop, struct http *http, struct log *log,
                          duration_ms (*clock)(void));

/* Sets the configuration for later requests. To be called before the first request. */
void access_set_config(struct access *access, const struct config *config);

/* No request may be waiting. Frees everything, then calls closed(context) from the loop. */
void access_close(struct access *access, void (*closed)(void *context), void *context);

#endif
