/*
 * What lists of Azure show, as configuration.c and listing.c agree on it.
 */
#ifndef KEYROTATED_TESTS_SIM_LISTING_H
#define KEYROTATED_TESTS_SIM_LISTING_H

#include "proto/two_key/two_key.h"

#define LISTING_URL        "https://azure.example"
#define LISTING_TAG        "colour" /* by which rules find accounts */
#define LISTING_ACTIVE_TAG "active" /* which names the active key */

/* The type of all accounts here. */
extern const struct two_key_resource listing_type;
/* Its first pair of keys; the other one is in pairs.c. */
#define PAIR_FIRST TWO_KEY_PAIR("first")

#endif
