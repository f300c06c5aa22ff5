#include "core/judge.h"

#include "base/hash.h"

const struct sighting *judge_sighting(const struct look *look, const struct target_id *target)
{
    for (size_t i = 0; i < look->target_count; i++)
        if (target_id_equal(&look->targets[i].target, target))
            return &look->targets[i];
    return NULL;
}

static bool shows(const struct sighting *sighting, const struct fingerprint *key)
{
    for (size_t i = 0; i < sighting->key_count && i < SIGHTING_KEYS_MAX; i++)
        if (fingerprint_equal(&sighting->keys[i], key))
            return true;
    return false;
}

enum holding judge_holding(const struct look *look, const struct target_id *target)
{
    const struct sighting *sighting = judge_sighting(look, target);
    bool primary, secondary;

    if (!sighting || sighting->kind == SIGHTING_NONE)
        return HOLDING_UNSEEN;
    if (sighting->kind == SIGHTING_EMPTY)
        return HOLDING_EMPTY;
    if (sighting->kind == SIGHTING_FOREIGN)
        return HOLDING_FOREIGN;

    primary = shows(sighting, &look->live[SLOT_PRIMARY]);
    secondary = shows(sighting, &look->live[SLOT_SECONDARY]);
    if (primary && secondary)
        return HOLDING_BOTH;
    if (primary)
        return HOLDING_PRIMARY;
    return secondary ? HOLDING_SECONDARY : HOLDING_DEAD_KEY;
}

enum holding judge_holding_of(enum slot slot)
{
    return slot == SLOT_PRIMARY ? HOLDING_PRIMARY : HOLDING_SECONDARY;
}

bool judge_holds(enum holding holding, enum slot slot)
{
    return holding == HOLDING_BOTH || holding == judge_holding_of(slot);
}

/* How many of the required targets hold what. */
struct census {
    size_t seen;           /* could be read */
    size_t active;         /* hold the live key of the active slot alone */
    size_t standby;        /* hold the live key of the standby slot alone */
    size_t other_optional; /* optional ones that do not hold the key that they acknowledged */
};

static struct census take_census(const struct record *record, const struct look *look)
{
    struct census census = {0};

    for (size_t i = 0; i < record->target_count; i++) {
        const struct target_record *target = &record->targets[i];
        enum holding holding = judge_holding(look, &target->id);

        if (holding == HOLDING_UNSEEN)
            continue;
        if (!target->required) {
            if (holding != judge_holding_of(record->active) &&
                record_target_satisfied(record, target))
                census.other_optional++;
            continue;
        }
        census.seen++;
        if (holding == judge_holding_of(record->active))
            census.active++;
        else if (judge_holds(holding, slot_other(record->active)))
            census.standby++;
    }
    return census;
}

static uint64_t highest_cycle(const struct look *look)
{
    uint64_t cycle = 0;

    for (size_t i = 0; i < look->target_count; i++)
        if (look->targets[i].cycle > cycle)
            cycle = look->targets[i].cycle;
    return cycle;
}

bool judge_is_ahead(const struct record *record, const struct look *look)
{
    return highest_cycle(look) > record->cycle;
}

bool judge_is_late(const struct record *record, const struct look *look)
{
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        if (!fingerprint_equal(&look->live[slot], &record->live[slot]) &&
            record_is_replaced(record, &look->live[slot]))
            return true;
    return false;
}

/* `in_doubt`: the standby key may be replaced at any moment, so that no target may stay on it. */
static enum drift_kind drift_of(bool active_same, bool standby_same, bool in_doubt,
                                const struct census *census, struct verdict *verdict)
{
    if (active_same && standby_same)
        return census->active < census->seen || census->other_optional > 0 ? DRIFT_TARGET_CHANGED
                                                                           : DRIFT_NONE;
    if (active_same) {
        if (census->standby == 0)
            return DRIFT_STANDBY_CHANGED;
        return census->standby == census->seen ? DRIFT_ROTATED_ELSEWHERE : DRIFT_TARGETS_DISAGREE;
    }
    /* The active key changed. Targets on the untouched standby key contradict the journal. */
    if (census->standby > 0 && !in_doubt)
        return DRIFT_TARGETS_DISAGREE;
    verdict->accept = census->seen > 0 && census->active == census->seen;
    return DRIFT_ACTIVE_CHANGED;
}

struct verdict judge_drift(const struct record *record, const struct look *look)
{
    struct census census = take_census(record, look);
    enum slot active = record->active;
    enum slot standby = slot_other(active);
    bool active_same = fingerprint_equal(&look->live[active], &record->live[active]);
    /* While its regenerate may go on, nothing about that slot is known. */
    bool standby_same =
        record->intent.open || fingerprint_equal(&look->live[standby], &record->live[standby]);
    struct verdict verdict = {.kind = VERDICT_DRIFT};

    verdict.standby_in_use = census.standby > 0;
    if (judge_is_late(record, look))
        return (struct verdict){.kind = VERDICT_LATE};
    if ((!active_same && !standby_same) || judge_is_ahead(record, look)) {
        verdict.drift = DRIFT_JOURNAL_UNFIT;
        return verdict;
    }
    verdict.drift = drift_of(active_same, standby_same, record->intent.open, &census, &verdict);
    if (verdict.drift == DRIFT_NONE)
        verdict.kind = VERDICT_AS_RECORDED;
    return verdict;
}

struct verdict judge_delivery(const struct record *record, const struct look *look)
{
    enum slot delivering = record->delivering;
    enum slot other = slot_other(delivering);
    struct verdict verdict = {.kind = VERDICT_AS_RECORDED};

    if (judge_is_late(record, look))
        return (struct verdict){.kind = VERDICT_LATE};
    verdict.other_changed = !fingerprint_equal(&look->live[other], &record->live[other]);
    if (judge_is_ahead(record, look))
        verdict = (struct verdict){.kind = VERDICT_DRIFT, .drift = DRIFT_JOURNAL_UNFIT};
    else if (!fingerprint_equal(&look->live[delivering], &record->live[delivering]))
        verdict = (struct verdict){.kind = VERDICT_DRIFT,
                                   .drift = DRIFT_ACTIVE_CHANGED,
                                   .other_changed = verdict.other_changed};
    return verdict;
}

bool judge_holds_only(const struct look *look, const struct target_id *target,
                      const struct fingerprint *key)
{
    const struct sighting *sighting = judge_sighting(look, target);

    return sighting && sighting->kind == SIGHTING_KEYS && sighting->key_count == 1 &&
           fingerprint_equal(&sighting->keys[0], key);
}

bool judge_unanimous(const struct record *record, const struct look *look, enum slot slot)
{
    size_t seen = 0;

    for (size_t i = 0; i < record->target_count; i++) {
        enum holding holding = judge_holding(look, &record->targets[i].id);

        if (!record->targets[i].required || holding == HOLDING_UNSEEN)
            continue;
        if (holding != judge_holding_of(slot))
            return false;
        seen++;
    }
    return seen > 0;
}

/* Adds the evidence of one target for the active slot. Returns false when it contradicts the
 * rest. */
static bool hear_target(struct adoption *adoption, bool *heard, enum holding holding)
{
    enum slot slot = holding == HOLDING_PRIMARY ? SLOT_PRIMARY : SLOT_SECONDARY;

    switch (holding) {
    case HOLDING_UNSEEN:
    case HOLDING_EMPTY:
        return true;
    case HOLDING_DEAD_KEY:
    case HOLDING_FOREIGN:
        adoption->reason = REASON_TARGET_HOLDS_UNKNOWN_KEY;
        return false;
    case HOLDING_BOTH:
        adoption->reason = REASON_TARGETS_DISAGREE;
        return false;
    case HOLDING_PRIMARY:
    case HOLDING_SECONDARY:
        break;
    }
    if (*heard && slot != adoption->slot) {
        adoption->reason = REASON_TARGETS_DISAGREE;
        return false;
    }
    *heard = true;
    adoption->slot = slot;
    return true;
}

struct adoption judge_adoption(const struct record *record, const struct look *look,
                               const struct adoption_hint *hint)
{
    struct adoption adoption = {.cycle = highest_cycle(look)};
    bool heard = false;

    if (hint->asked) {
        adoption.settled = true;
        adoption.slot = hint->asked_slot;
        return adoption;
    }
    for (size_t i = 0; i < record->target_count; i++) {
        const struct target_record *target = &record->targets[i];

        if (!target->required)
            continue;
        if (!hear_target(&adoption, &heard, judge_holding(look, &target->id))) {
            adoption.has_target = true;
            adoption.target = target->id;
            return adoption;
        }
    }
    if (heard && hint->has_active && hint->active != adoption.slot) {
        adoption.reason = REASON_TARGETS_DISAGREE;
        return adoption;
    }
    if (!heard && !hint->has_active) {
        adoption.reason = REASON_ACTIVE_KEY_UNKNOWN;
        return adoption;
    }
    if (!heard) {
        adoption.slot = hint->active;
        adoption.by_hint = true;
    }
    adoption.settled = true;
    return adoption;
}

struct fingerprint judge_digest(const struct look *look)
{
    /* Two FNV-1a hashes from different starting points fill the sixteen bytes. They are added up
     * over the targets, because those are read in no order. */
    static const uint64_t starts[2] = {HASH_START, UINT64_C(0x6c62272e07bb0142)};
    uint64_t halves[2] = {0, 0};
    struct fingerprint digest;

    for (size_t i = 0; i < look->target_count; i++) {
        const struct sighting *sighting = &look->targets[i];
        uint8_t kind = (uint8_t)sighting->kind;

        for (int half = 0; half < 2; half++) {
            uint64_t hash = hash_bytes(starts[half], sighting->target.bytes, TARGET_ID_LENGTH);

            hash = hash_bytes(hash, &kind, sizeof(kind));
            for (size_t key = 0; key < sighting->key_count; key++)
                hash = hash_bytes(hash, sighting->keys[key].bytes, FINGERPRINT_LENGTH);
            halves[half] += hash;
        }
    }
    memcpy(digest.bytes, halves, sizeof(halves));
    return digest;
}
