/*
 * HTTP for the whole daemon: libcurl's multi interface driven by the libuv loop.
 *
 * Every request gets exactly one completion, always from the loop and never from inside
 * http_start(), http_cancel() or another completion's caller. A request is never repeated.
 */
#ifndef KEYROTATED_IO_HTTP_HTTP_H
#define KEYROTATED_IO_HTTP_HTTP_H

#include <stdbool.h>

#include "base/err.h"
#include "io/http/http_counts.h"
#include "io/loop/loop.h"
#include "proto/http_message.h"

/* Further requests end as HTTP_UNSENT. This is only a safety limit; admission (io/access) decides
 * how many run. */
enum { HTTP_IN_FLIGHT_MAX = 1280 };

struct http;      /* the client: one per process */
struct http_call; /* one exchange under way */

struct http_options {
    const char *ca_file;                 /* NULL: the system's bundle */
    const char *proxy;                   /* NULL: none */
    const char *proxy_user;              /* NULL: the proxy asks for none */
    const struct secret *proxy_password; /* with a user */
    const char *no_proxy;                /* comma-separated suffixes, or NULL */
    const char *user_agent;
};

typedef void http_done(void *context, struct http_reply *reply);

/* Once per process, before any thread. Installs wiping allocators under libcurl and OpenSSL, and
 * ignores SIGPIPE. */
int http_global_init(struct err *err);
/* A sentence for the log when freed memory is not wiped; NULL when it is. */
const char *http_global_gap(void);
void http_global_done(void);

struct http *http_new(struct loop *loop, const struct http_options *options, struct err *err);

/* Applies a reloaded configuration to later requests: these use new connections and read the CA
 * certificates again. On failure the old options stay. */
int http_set_options(struct http *http, const struct http_options *options, struct err *err);

/* Cancels all requests, also those started meanwhile (each completes with HTTP_CANCELED from the
 * loop), closes connections and frees the client; then calls closed(context) (may be NULL) from the
 * loop. NULL, or a client that is closing, is ignored. */
void http_close(struct http *http, void (*closed)(void *context), void *context);

/*
 * Starts a request, taking ownership of its content (the struct is left empty). done() is called
 * once with a reply that is valid during the call only. Returns the call.
 */
struct http_call *http_start(struct http *http, struct http_request *request, http_done *done,
                             void *context);

/* Cancels a call: done() follows from the loop with HTTP_CANCELED, or with the outcome if there is
 * one already. NULL is fine. Must not be called after done() has returned. */
void http_cancel(struct http_call *call);

/* Requests whose done() has not returned. */
unsigned http_in_flight(const struct http *http);

/* Of all requests that have ended since the client was made; borrowed. */
const struct http_counts *http_counts(const struct http *http);

#endif
