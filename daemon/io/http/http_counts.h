/*
 * How many requests have ended, by service and by how, and how long they took: for metrics.
 */
#ifndef KEYROTATED_IO_HTTP_HTTP_COUNTS_H
#define KEYROTATED_IO_HTTP_HTTP_COUNTS_H

#include "base/histogram.h"
#include "proto/http_message.h"

enum { HTTP_STATUS_MAX = 599 };

struct http_service_counts {
    uint64_t by_outcome[HTTP_CANCELED + 1];  /* HTTP_ANSWERED: those without a status */
    uint64_t by_status[HTTP_STATUS_MAX + 1]; /* answered, with that status */
    struct histogram durations;              /* of those that were sent */
};

struct http_counts {
    struct http_service_counts services[HTTP_SERVICE_COUNT];
};

void http_counts_add(struct http_counts *counts, enum http_service service,
                     const struct http_reply *reply);

#endif
