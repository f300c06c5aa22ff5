/*
 * One listing for one rule: what its identity sees in its subscriptions, page by page, and a GET of
 * each known account that the lists lack, or show as another than its rule wants. It only asks;
 * what follows from the answers is decided by whoever started it.
 */
#ifndef KEYROTATED_APP_DISCOVERY_RUN_H
#define KEYROTATED_APP_DISCOVERY_RUN_H

#include "app/discovery_book.h"
#include "io/azure/arm_get.h"

enum {
    DISCOVERY_SUBSCRIPTIONS_MAX = 10000,
    DISCOVERY_PAGES_MAX = 10000,  /* of one listing, all lists together */
    DISCOVERY_NEW_MAX = 20000,    /* candidates that are remembered */
    DISCOVERY_SUSPECTS_MAX = 500, /* asked about in one listing; the others in the next */
};

/* A resource that the rule finds and the book lacks. Owned by the run. */
struct candidate {
    char *key;
    char *id;
    char *location;
    char *tags;
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
    void (*ended)(void *context);
};

/* `number` tells this listing from all before. The book may change while it runs. */
struct discovery_run *discovery_run_new(const struct arm_get_parts *parts, struct config *config,
                                        const struct discovery_rule *rule,
                                        struct discovery_book *book, uint64_t number,
                                        const struct discovery_listener *listener);
/* Also while it is under way: no further callback. NULL is fine. Inside ended() it is fine, too. */
void discovery_run_free(struct discovery_run *run);

/* What was new, sorted by key. */
const struct candidate *discovery_run_candidates(struct discovery_run *run, size_t *ret_count);
size_t discovery_run_subscriptions(const struct discovery_run *run);

#endif
