/*
 * The resources that one listing finds for a rule and that the book lacks.
 */
#ifndef KEYROTATED_APP_DISCOVERY_CANDIDATES_H
#define KEYROTATED_APP_DISCOVERY_CANDIDATES_H

#include "proto/arm_list.h"

enum { DISCOVERY_NEW_MAX = 20000 }; /* that are remembered */

struct candidate {
    char *key; /* the id in lower case */
    char *id;
    char *location;
    char *tags;
};

struct candidates {
    struct candidate *items;
    size_t count;
    size_t room;
};

void candidates_add(struct candidates *candidates, const char *key,
                    const struct arm_resource *resource);
/* Sorts them by key, and keeps one of each: a page can show again what the page before it has
 * shown. */
void candidates_sort(struct candidates *candidates);
void candidates_done(struct candidates *candidates);

#endif
