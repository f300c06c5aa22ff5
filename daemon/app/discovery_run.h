/*
 * One listing for one rule: what its identity sees in its subscriptions, by Resource Manager's
 * lists or by Azure Resource Graph, and a GET of each known account that they lack, or show as
 * another than its rule wants. It only asks; what follows from the answers is decided by whoever
 * started it.
 *
 * Resource Graph is late, and silent about what the identity may not read. So it only tells what
 * Resource Manager has to be asked about: an account that is new, another, or missing. Where that
 * is more than a few of one subscription, or all that are known there, the subscription's lists are
 * read; and so is every subscription that the query did not reach.
 */
#ifndef KEYROTATED_APP_DISCOVERY_RUN_H
#define KEYROTATED_APP_DISCOVERY_RUN_H

#include "app/discovery_book.h"
#include "app/discovery_candidates.h"
#include "io/azure/arm_get.h"

enum {
    DISCOVERY_SUBSCRIPTIONS_MAX = 10000,
    DISCOVERY_PAGES_MAX = 10000,  /* of one listing, all lists together */
    DISCOVERY_SUSPECTS_MAX = 500, /* asked about in one listing; the others in the next */
    DISCOVERY_DOUBTS_MAX = 20,    /* of one subscription; where there are more, it is listed */
    DISCOVERY_LISTS_MAX = 10,     /* `by: auto` takes Resource Graph in the place of more lists */
};

struct discovery_run;

/* From the loop. */
struct discovery_listener {
    void *context;
    /* A list shows an account of the book, or a GET does. `rule`: the one that it belongs to now,
     * or NULL: none (after a GET only). */
    void (*known)(void *context, const char *key, const struct discovery_rule *rule,
                  const struct arm_resource *resource);
    /* A GET says that there is no such resource. */
    void (*gone)(void *context, const char *key);
    /* A list could not be read to its end: what is known of it stays. `subscription` NULL: the list
     * of subscriptions. */
    void (*failed)(void *context, const char *subscription, const struct failure *failure);
    /* The subscription was listed to its end. */
    void (*listed)(void *context, const char *subscription);
    /* Resource Graph cannot be used; lists are read instead. */
    void (*degraded)(void *context, const struct failure *failure);
    void (*ended)(void *context);
};

/* `number` tells this listing from all before. `asked`: the account that the one before it asked
 * about last, as discovery_run_asked() says; borrowed during the call. The book may change while it
 * runs. */
struct discovery_run *discovery_run_new(const struct arm_get_parts *parts, struct config *config,
                                        const struct discovery_rule *rule,
                                        struct discovery_book *book, uint64_t number,
                                        const char *asked,
                                        const struct discovery_listener *listener);
/* Also while it is under way: no further callback. NULL is fine. Inside ended() it is fine, too. */
void discovery_run_free(struct discovery_run *run);

/* What was new, sorted by key. */
const struct candidate *discovery_run_candidates(struct discovery_run *run, size_t *ret_count);
/* How many new ones it has not read, because a listing adds no more than max_new. */
size_t discovery_run_unread(const struct discovery_run *run);
size_t discovery_run_subscriptions(const struct discovery_run *run);
/* Known accounts that the lists lack, or show as another, and of these the ones that Azure was not
 * asked about, because there are too many. */
size_t discovery_run_missing(const struct discovery_run *run, size_t *ret_unasked);
/* The key of the account at which the next listing goes on with them; NULL: all had their turn. */
const char *discovery_run_asked(const struct discovery_run *run);
/* Did Resource Graph answer? */
bool discovery_run_by_graph(const struct discovery_run *run);

#endif
