#include "core/key_time.h"

time_ms key_time_told(time_ms told, time_ms now)
{
    if (told < KEY_TIME_FIRST || told > time_add(now, KEY_TIME_AHEAD))
        return 0;
    return time_min(told, now);
}

/* By this look, or by the one that it confirms. */
static time_ms told_by_looks(const struct record *record, enum slot slot, const struct look *look,
                             time_ms now)
{
    const struct unconfirmed_drift *unconfirmed = &record->unconfirmed;
    const time_ms told = key_time_told(look->made[slot], now);

    if (told != 0 || !unconfirmed->pending ||
        !fingerprint_equal(&unconfirmed->live[slot], &look->live[slot]))
        return told;
    return unconfirmed->made[slot];
}

void key_time_keep(struct record *record, const struct look *look, time_ms now)
{
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        record->unconfirmed.made[slot] = key_time_told(look->made[slot], now);
}

/* A key cannot have been made after it was seen. */
static time_ms told_of(const struct record *record, enum slot slot, const struct look *look,
                       time_ms now)
{
    const time_ms told = told_by_looks(record, slot, look, now);

    return told > time_add(record->born[slot], KEY_TIME_AHEAD) ? 0
                                                               : time_min(told, record->born[slot]);
}

void key_time_take(struct record *record, enum slot slot, const struct look *look, time_ms now)
{
    record->made[slot] = told_of(record, slot, look, now);
}

void key_time_note(struct record *record, const struct look *look, time_ms now)
{
    for (unsigned slot = 0; slot < SLOT_COUNT && record->adopted; slot++) {
        const time_ms told = told_of(record, (enum slot)slot, look, now);

        if (told != 0 && record->born[slot] <= record->adopted_at &&
            fingerprint_equal(&record->live[slot], &look->live[slot]))
            record->made[slot] = told;
    }
}

time_ms key_time_of_news(const struct record *record, const struct look *look, time_ms now)
{
    time_ms latest = 0;

    for (unsigned slot = 0; slot < SLOT_COUNT && look; slot++)
        if (!fingerprint_equal(&record->live[slot], &look->live[slot]) &&
            !(record->intent.open && record->intent.slot == (enum slot)slot))
            latest = time_max(latest, told_by_looks(record, (enum slot)slot, look, now));
    return latest;
}

time_ms key_time_born(const struct record *record, enum slot slot, bool *ret_older)
{
    const bool told = record->made[slot] != 0 && record->made[slot] <= record->born[slot];

    *ret_older = !told && record->born[slot] <= record->adopted_at;
    return told ? record->made[slot] : record->born[slot];
}

time_ms key_time_first_by(const struct record *record, const struct policy *policy)
{
    time_ms by = TIME_NEVER;

    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        const int rotations = (enum slot)slot == record->active ? 1 : 2;

        if (record->made[slot] != 0)
            by = time_min(by, time_add(record->made[slot], rotations * policy->rotate_every));
    }
    return by;
}
