/*
 * A libcurl multi handle driven by the loop: its sockets as poll handles, its one timer, its
 * completions. Private to io/http/http*.c.
 *
 * No event is raised from inside a libcurl callback, so that its receiver may call libcurl.
 */
#ifndef KEYROTATED_IO_HTTP_HTTP_MULTI_H
#define KEYROTATED_IO_HTTP_HTTP_MULTI_H

#include <curl/curl.h>

#include "base/err.h"
#include "io/loop/loop.h"

struct http_multi;

struct http_multi_events {
    /* A transfer ended; its easy handle has been removed already. */
    void (*transfer_done)(CURL *easy, CURLcode result);
    /* The multi handle cannot go on. The receiver removes every transfer and closes it. */
    void (*broken)(void *owner, struct http_multi *multi);
    /* The multi handle is closed; it is freed as soon as this callback returns. */
    void (*closed)(void *owner, struct http_multi *multi);
};

struct http_multi *http_multi_new(struct loop *loop, const struct http_multi_events *events,
                                  void *owner, struct err *err);

/* The caller keeps ownership of the easy handle. Returns 0 or a negative errno value with err
 * set. */
int http_multi_add(struct http_multi *multi, CURL *easy, struct err *err);
void http_multi_remove(struct http_multi *multi, CURL *easy);

/* The number of transfers in the multi handle. */
unsigned http_multi_transfers(const struct http_multi *multi);

/* Closes the multi handle and its connections, from the loop. All transfers must have been removed.
 * Calling it twice is fine. */
void http_multi_close(struct http_multi *multi);

#endif
