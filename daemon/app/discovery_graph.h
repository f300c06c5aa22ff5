/*
 * A rule's resources by Azure Resource Graph: one query for many subscriptions, page by page. It
 * keeps to the caller's quota, waits where it is asked to, and gives up early: whoever asks has
 * Resource Manager's lists besides.
 */
#ifndef KEYROTATED_APP_DISCOVERY_GRAPH_H
#define KEYROTATED_APP_DISCOVERY_GRAPH_H

#include "conf/discovery.h"
#include "io/azure/arm_get.h"

/* From the loop. */
struct graph_listener {
    void *context;
    /* A resource of one of the rule's types. Each may be shown more than once. */
    void (*row)(void *context, const struct arm_resource *resource);
    /* The first `answered` subscriptions were queried to the end. failure NULL: all were. Valid
     * during the call only. */
    void (*ended)(void *context, size_t answered, const struct failure *failure);
};

struct graph_query;

/* ended() follows once, unless it is freed before. `subscriptions` are borrowed until then; takes
 * a reference to `config`, in which `rule` lives. */
struct graph_query *graph_query_new(const struct arm_get_parts *parts, struct config *config,
                                    const struct discovery_rule *rule,
                                    const char *const *subscriptions, size_t count,
                                    const struct graph_listener *listener);
/* No further callback. NULL is fine, and so is inside ended(). */
void graph_query_free(struct graph_query *query);

#endif
