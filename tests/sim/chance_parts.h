/*
 * Inside the scripts from chance: how they draw, and what their files share.
 */
#ifndef KEYROTATED_TESTS_SIM_CHANCE_PARTS_H
#define KEYROTATED_TESTS_SIM_CHANCE_PARTS_H

#include "script.h"

enum { FAIR_BOND = 1 };

struct chance {
    uint64_t state;
    struct script *script;
    struct script_policy fair_policy; /* when the weather is fair */
    bool changes_policy;
    unsigned anchor;  /* a target that is never removed: one has to be required */
    duration_ms calm; /* from then on the weather is fair */
    duration_ms settling;
    unsigned clusters; /* how many are still to come */
    bool has_backup;
    unsigned bonds;                     /* how many there are */
    unsigned armed[WORLD_ACCOUNTS_MAX]; /* bits: effects with an armed mishap */
};

/* --- drawing --- */

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static inline uint64_t draw64(struct chance *chance)
{
    uint64_t z = (chance->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline unsigned draw(struct chance *chance, unsigned below)
{
    return below > 0 ? (unsigned)(draw64(chance) % below) : 0;
}

static inline bool happens(struct chance *chance, unsigned percent)
{
    return draw(chance, 100) < percent;
}

static inline duration_ms between(struct chance *chance, duration_ms from, duration_ms to)
{
    return to > from ? from + (duration_ms)(draw64(chance) % (uint64_t)(to - from)) : from;
}

/* Draws short durations as often as long ones: each doubling of `from` is equally likely. */
static inline duration_ms on_scale(struct chance *chance, duration_ms from, duration_ms to)
{
    unsigned doublings = 0;
    duration_ms low;

    while (from << (doublings + 1) < to)
        doublings++;
    low = from << draw(chance, doublings + 1);
    return between(chance, low, 2 * low < to ? 2 * low : to);
}

/* Draws an index in proportion to its weight. */
static inline unsigned weigh(struct chance *chance, const unsigned weights[], unsigned count)
{
    unsigned sum = 0, drawn, i = 0;

    for (unsigned j = 0; j < count; j++)
        sum += weights[j];
    for (drawn = draw(chance, sum); i + 1 < count && drawn >= weights[i]; i++)
        drawn -= weights[i];
    return i;
}

/* --- chance.c --- */
/* Adds what happens then, in the storm at the latest. */
void chance_add(struct chance *chance, struct incident *incident, duration_ms at);

/* --- chance_slow.c --- */
/* How Azure regenerates the keys of each account. */
void slow_by_chance(struct chance *chance);
/* What goes wrong with rotations that take long, up to the fair weather. */
void slow_add_storm(struct chance *chance);

/* --- chance_rules.c --- */
/* Has this world rules that find its accounts? */
bool rules_by_chance(struct chance *chance);
/* How long listings take in fair weather to find all accounts. */
duration_ms rules_settling(const struct script *script);
/* What happens to lists, tags and rules, up to `end`. */
void rules_add_storm(struct chance *chance, duration_ms end);
void rules_add_fair_weather(struct chance *chance);

#endif
