/*
 * Azure Resource Graph: one query for the resources of many subscriptions, page by page
 * (https://learn.microsoft.com/azure/governance/resource-graph/). Its index follows Resource
 * Manager some time later, and it leaves out in silence what the caller may not read: its answers
 * are hints of what to ask Resource Manager for.
 */
#ifndef KEYROTATED_PROTO_RESOURCE_GRAPH_H
#define KEYROTATED_PROTO_RESOURCE_GRAPH_H

#include "base/buf.h"
#include "base/time.h"
#include "proto/arm_list.h"
#include "proto/http_message.h"

#define RESOURCE_GRAPH_PATH        "/providers/Microsoft.ResourceGraph/resources"
#define RESOURCE_GRAPH_API_VERSION "2021-03-01"

enum {
    RESOURCE_GRAPH_ROWS = 1000,         /* of a page: the most that it gives */
    RESOURCE_GRAPH_SUBSCRIPTIONS = 250, /* of a query; fewer than 300 are advised */
    RESOURCE_GRAPH_TOKEN_MAX = 16 * 1024,
    RESOURCE_GRAPH_BODY_MAX = 128 * 1024,
};

/* A query for all resources of these types ("Microsoft.Batch/batchAccounts"). */
struct resource_graph_query {
    const char *const *subscriptions; /* ids, RESOURCE_GRAPH_SUBSCRIPTIONS at most */
    size_t subscription_count;
    const char *const *types;
    size_t type_count;
    const char *skip_token; /* of the page before; NULL: the first page */
};

/* Appends the query as JSON. A failure stays in `out`. */
void resource_graph_write(struct buf *out, const struct resource_graph_query *query);

struct resource_graph_page {
    struct arm_page *rows;  /* arm_page_count(), arm_page_resource(); the caller frees it */
    const char *skip_token; /* of the next page, borrowed from `rows`; NULL: this is the last one */
    bool truncated;         /* there is more, which cannot be had */
    uint64_t total;         /* the rows of all pages together */
};

/* Reads a page. Returns 0; -EINVAL with err set: it is none, or does not say whether it is whole;
 * or -ENOMEM. */
int resource_graph_read(const char *body, size_t length, struct resource_graph_page *ret_page,
                        struct err *err);

/* How long no further query may be sent: the quota of the caller is used up by this answer
 * (x-ms-user-quota-remaining, x-ms-user-quota-resets-after). 0: one may. */
duration_ms resource_graph_pause(const struct http_reply *reply);

#endif
