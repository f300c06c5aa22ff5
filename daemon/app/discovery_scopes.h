/*
 * The subscriptions of one listing, and what became of each.
 */
#ifndef KEYROTATED_APP_DISCOVERY_SCOPES_H
#define KEYROTATED_APP_DISCOVERY_SCOPES_H

#include <stdbool.h>
#include <stddef.h>

struct scope {
    char *id;      /* of the subscription */
    bool visible;  /* the list of subscriptions has it */
    bool shown;    /* Resource Graph shows a resource in it */
    bool whole;    /* its resources were listed to the end */
    bool failed;   /* something in it could not be read, and that was reported */
    size_t doubts; /* what Resource Manager has to be asked about */
};

struct scopes {
    struct scope *items; /* sorted by id, without regard to case, after scopes_sort() */
    size_t count;
    size_t room;
};

/* Before scopes_sort(). */
void scopes_add(struct scopes *scopes, const char *subscription, bool visible);
/* Sorts them, and keeps one of each. */
void scopes_sort(struct scopes *scopes);
void scopes_done(struct scopes *scopes);

/* The scope of a resource ("/subscriptions/ID/…"), or NULL. After scopes_sort(). */
struct scope *scopes_of(const struct scopes *scopes, const char *resource_id);
/* The scope of a subscription, or NULL. */
struct scope *scopes_find(const struct scopes *scopes, const char *subscription);

/* The id of the subscription in that of a resource. The caller frees it. */
char *scope_subscription(const char *resource_id);

#endif
