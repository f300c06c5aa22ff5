#include "io/http/http_counts.h"

enum { US_PER_MS = 1000 };

void http_counts_add(struct http_counts *counts, enum http_service service,
                     const struct http_reply *reply)
{
    struct http_service_counts *of = &counts->services[service];

    if (reply->outcome == HTTP_ANSWERED && reply->status > 0 && reply->status <= HTTP_STATUS_MAX)
        of->by_status[reply->status]++;
    else
        of->by_outcome[reply->outcome]++;
    if (reply->outcome == HTTP_ANSWERED || reply->outcome == HTTP_LOST)
        histogram_add(&of->durations, (uint64_t)reply->duration * US_PER_MS);
}
