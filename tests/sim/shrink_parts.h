/*
 * Inside the shrinking: what its two files share.
 */
#ifndef KEYROTATED_TESTS_SIM_SHRINK_PARTS_H
#define KEYROTATED_TESTS_SIM_SHRINK_PARTS_H

#include "design.h"
#include "oracle.h"

struct shrinking {
    struct script *best;
    const struct design *design;
    uint64_t muted;
    struct oracle_verdict *verdict; /* of the best */
    unsigned plays;
    bool moved; /* something became smaller in this round */
};

/* Round lengths of time: a day, an hour, a minute, a second. */
enum { SHRINK_UNITS = 4 };
extern const duration_ms shrink_units[SHRINK_UNITS];

/* Plays the candidate. It becomes the best (true), or is freed. */
bool shrink_try(struct shrinking *shrinking, struct script *candidate);

/* --- shrink_simplify.c --- */
/* Each setting becomes the usual one if the oracle still convicts. */
void shrink_settings(struct shrinking *shrinking);
void shrink_targets(struct shrinking *shrinking);
/* Each incident happens once, for a short and round time, at a round time. */
void shrink_incidents(struct shrinking *shrinking);

#endif
