/*
 * The meaning of a look: compares live keys and targets with the journal, by fingerprints only. The
 * machine decides whether a verdict counts at once or must be confirmed, and what follows.
 */
#ifndef KEYROTATED_CORE_JUDGE_H
#define KEYROTATED_CORE_JUDGE_H

#include "core/record.h"

/* The content of a target, in terms of the live keys of the same look. */
enum holding {
    HOLDING_UNSEEN, /* it was not or cannot be read */
    HOLDING_EMPTY,
    HOLDING_PRIMARY,
    HOLDING_SECONDARY,
    HOLDING_BOTH,
    HOLDING_DEAD_KEY, /* keys, none of them live */
    HOLDING_FOREIGN   /* something without a key in it */
};
enum holding judge_holding(const struct look *look, const struct target_id *target);

/* The holding that means "the live key of this slot". */
enum holding judge_holding_of(enum slot slot);

/* The sighting of that target in the look, or NULL. */
const struct sighting *judge_sighting(const struct look *look, const struct target_id *target);

/* Does it hold that slot's live key (alone or with the other)? */
bool judge_holds(enum holding holding, enum slot slot);

enum verdict_kind {
    VERDICT_AS_RECORDED,
    VERDICT_LATE, /* the look shows a key that was replaced: it shows the past */
    VERDICT_DRIFT
};
struct verdict {
    enum verdict_kind kind;
    enum drift_kind drift;
    bool accept;         /* active_changed: the targets hold the new value already */
    bool standby_in_use; /* a required target holds the standby's live key */
    bool other_changed;  /* judge_delivery(): the slot that is not delivered changed as well */
};

/* An adopted account outside a rotation: the drift table. */
struct verdict judge_drift(const struct record *record, const struct look *look);

/* Does the look show a key that was replaced before, so that it shows the past? */
bool judge_is_late(const struct record *record, const struct look *look);

/* Does a target name a cycle that the journal has not reached? Then the journal is an old one.
 */
bool judge_is_ahead(const struct record *record, const struct look *look);

/* An account whose new key is being verified or delivered. AS_RECORDED: the delivering slot holds
 * the key that the journal names; DRIFT_ACTIVE_CHANGED: it holds another one; DRIFT_JOURNAL_UNFIT:
 * a target names a later cycle. */
struct verdict judge_delivery(const struct record *record, const struct look *look);

/* The evidence of the targets for the active slot. */
struct adoption {
    bool settled;
    enum slot slot;
    bool by_hint;       /* settled by adopt_active alone */
    enum reason reason; /* not settled: why */
    bool has_target;    /* the target that contradicts it */
    struct target_id target;
    uint64_t cycle; /* the highest that a target names */
};
struct adoption_hint {
    bool has_active; /* adopt_active of the configuration: counts only where the targets are silent,
                        and must not be contradicted by them */
    enum slot active;
    bool asked; /* an operator's `adopt`: settles it whatever the targets hold */
    enum slot asked_slot;
};
struct adoption judge_adoption(const struct record *record, const struct look *look,
                               const struct adoption_hint *hint);

/* Does it hold exactly one key, and that one? */
bool judge_holds_only(const struct look *look, const struct target_id *target,
                      const struct fingerprint *key);

/* Do all required targets that can be read hold this slot's live key, and is there one? */
bool judge_unanimous(const struct record *record, const struct look *look, enum slot slot);

/* What the targets showed, in 16 bytes: equal for equal sightings. Not cryptographic. */
struct fingerprint judge_digest(const struct look *look);

#endif
